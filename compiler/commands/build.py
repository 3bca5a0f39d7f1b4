"""``compiler build``."""

from pathlib import Path
from typing import Annotated

import typer

from ..building import build
from ..cli import progress
from ..errors import CheckFailed
from ..manifest import Manifest
from .output import AsJson, counted, print_json

__all__ = ["build_command"]


def build_command(directory: Annotated[Path, typer.Argument(help="An export.")], as_json: AsJson = False) -> None:
    """Synthesise, place and route an export; write bitstream, resources and clock into it.

    Example:

        python -m compiler build probe
    """
    with progress("building") as tell:
        manifest = build(directory, tell=tell)
    if as_json:
        print_json({"resources": manifest.resources, "clock": manifest.clock})
    else:
        print(_build_summary(manifest))
    clock = manifest.clock
    if not clock["met"]:
        raise CheckFailed(
            f"{directory}: clock missed: {clock['fmax_hz'] / 1e6:.1f} of {clock['asked_hz'] / 1e6:.1f} MHz "
            f"after {counted(clock['seeds_tried'], 'seed')}"
        )


_NOT_COUNTS = ("logic_cells", "of", "alone")
"""What a manifest says of resources beside the counts of a netlist's cells."""


def _build_summary(manifest: Manifest) -> str:
    used, clock = manifest.resources, manifest.clock
    counts = ", ".join(f"{count} {name}" for name, count in used.items() if name not in _NOT_COUNTS)
    lines = [f"{used['logic_cells']} of {used['of']} logic cells: {counts}"]
    if alone := used.get("alone"):
        lines.append(f"without the shell around it: {alone['lut4']} lut4, {alone['carry']} carry, {alone['ff']} ff")
    reached, asked = clock["fmax_hz"] / 1e6, clock["asked_hz"] / 1e6
    lines.append(f"{reached:.1f} MHz where {asked:.1f} MHz are asked for, seed {clock['seed']}")
    if len(clock["clocks"]) > 1:
        each = (f"{net} {c['fmax_hz'] / 1e6:.1f} of {c['asked_hz'] / 1e6:.1f}" for net, c in clock["clocks"].items())
        lines.append(f"clocks in MHz: {', '.join(each)}")
    return "\n".join(lines)
