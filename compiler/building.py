"""Build: the circuit of an export on its board, with the resources and the clock that place and route report."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from boards import Target
from boards.device import DoesNotFit, Placement
from boards.packing import pack_bitstream
from boards.routing import place_and_route
from boards.synthesis import synthesise, synthesise_alone
from boards.toolchain import ToolError, ToolMissing, ToolStuck, tool_path, tool_versions

from .atomic import replacing
from .design import FLASHABLE
from .emit import sha256
from .errors import InputError
from .exporting import BOARD_DIRECTORY, target_named
from .manifest import Manifest, changed_files, read_manifest, write_manifest

__all__ = ["build"]

SEEDS = 5
"""Seeds of place and route that are tried until one meets the clock."""


def build(directory: str | Path, *, tell: Callable[[str], None] = lambda _: None) -> Manifest:
    """Synthesise, place and route an export; write the bitstream beside it and what was measured into its manifest.

    ``tell`` is called with what is being done. A clock that no seed meets is in the manifest and gives no bitstream.
    """
    directory = Path(directory)
    manifest = read_manifest(directory)
    target = target_named(manifest.board["name"])
    device, clock_hz = target.device, manifest.board["clock_hz"]
    with tempfile.TemporaryDirectory() as temporary:
        workspace = Path(temporary)
        _copy_board_files(directory, manifest, workspace, besides=device.family.bitstream)
        try:
            # Synthesis takes a while; better to know before it that it was for nothing.
            tool_path(device.family.nextpnr)
            tell("synthesis")
            synthesised: dict[str, Any] = synthesise(workspace, device.family)
            if manifest.top not in FLASHABLE:
                synthesised["alone"] = synthesise_alone(directory / "design.il", manifest.module, device.family)
            best, tried = _place(workspace, target, clock_hz, tell)
            flashable = best.clock_met and manifest.top in FLASHABLE
            if flashable:
                pack_bitstream(workspace, device.family)
        except DoesNotFit as error:
            raise InputError(f"does not fit {target.name}: {error}") from None
        except (ToolMissing, ToolError) as error:
            raise InputError(str(error)) from None

        bitstream = device.family.bitstream
        files = {name: content for name, content in manifest.files.items() if name != bitstream}
        if flashable:
            with replacing(directory / bitstream) as fresh:
                shutil.copy(workspace / bitstream, fresh)
            files[bitstream] = sha256((directory / bitstream).read_bytes())
    built = replace(
        manifest,
        files=files,
        tools=tool_versions(device.family.nextpnr),
        resources={
            "logic_cells": best.used.get(device.family.logic_cell, 0),
            "of": device.logic_cells,
            **synthesised,
        },
        clock={
            **_clock(best.fmax_hz, best.asked_hz),
            "met": best.clock_met,
            "seed": best.seed,
            "seeds_tried": tried,
            "clocks": {net.removeprefix("$glbnet$"): _clock(*clock) for net, clock in best.clocks_hz.items()},
        },
    )
    write_manifest(built, directory)
    if not flashable:
        (directory / bitstream).unlink(missing_ok=True)
    return built


def _clock(fmax_hz: float, asked_hz: float) -> dict[str, int]:
    """What was asked for to the nearest kilohertz, see :class:`~boards.device.Placement`."""
    return {"asked_hz": 1000 * round(asked_hz / 1000), "fmax_hz": round(fmax_hz)}


def _copy_board_files(directory: Path, manifest: Manifest, workspace: Path, *, besides: str) -> None:
    if changed := [name for name in changed_files(directory, manifest) if name != besides]:
        raise InputError(f"{directory / changed[0]}: is not as exported; export again")
    for name in manifest.files:
        path = directory / name
        if path.parent.name == BOARD_DIRECTORY:
            shutil.copy(path, workspace)


def _place(workspace: Path, target: Target, clock_hz: int, tell: Callable[[str], None]) -> tuple[Placement, int]:
    """The first placement that meets all clocks, else the one that misses least, and how many seeds were tried.

    A seed that the router gets nowhere with is left for the next one.
    """
    best: Placement | None = None
    stuck: ToolStuck | None = None
    for tried in range(1, SEEDS + 1):
        seed = target.seed + tried - 1
        tell(f"place and route, seed {seed}")
        try:
            placement = place_and_route(workspace, target.device, seed=seed, clock_hz=clock_hz)
        except ToolStuck as error:
            stuck = error
            continue
        if best is None or placement.share_of_clock > best.share_of_clock:
            best = placement
        if placement.clock_met:
            break
    if best is None:
        raise stuck
    return best, tried
