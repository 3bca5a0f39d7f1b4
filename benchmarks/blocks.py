"""What each block of a probe takes, from a synthesis that keeps the hierarchy."""

import json
import tempfile
from pathlib import Path

from amaranth.lib import wiring

from boards.device import Device
from boards.ice40_shell import FORGET_INITIAL_CONTENTS
from boards.synthesis import ANY_ON_COLLISION
from boards.toolchain import run_tool
from compiler.emit import rtlil_text

__all__ = ["blocks_of"]

_BLOCKS = {
    "tap link": ("link", "gather", "items"),
    "header parser": ("probe.front.parser", "probe.front.gather"),
    "keyed hash": ("probe.front.table.identity", "probe.front.hashes"),
    "flow table and accumulators": ("probe.front.table", "probe.front.words"),
    "record buffer": ("probe.buffer",),
    "features": ("probe.classifier",),
    "forest": ("probe.classifier.forest",),
    "exporter": ("probe.exporter", "cobs"),
    "counters": (
        *("probe.counters", "probe.collector", "probe.front.frame_tally"),
        *("probe.record_tally", "probe.unexported_tally"),
    ),
    "set-up, the rest": ("",),
}
"""By the paths of their modules; the longest that fits counts."""


def blocks_of(component: wiring.Component, device: Device) -> list[dict[str, object]]:
    """A row a block. Their sum is a little above what they take together.

    The probe is ``probe`` in the component, its link ``link``.
    """
    family = device.family
    options = {"iCE40": "-spram -device u -abc9" if device.single_port_rams else "-abc9", "ECP5": ""}[family.name]
    forget = f"{FORGET_INITIAL_CONTENTS}; " if device.single_port_rams else ""
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        (directory / "design.il").write_text(rtlil_text(component, "top"))
        script = (
            f"read_rtlil design.il; {forget}{ANY_ON_COLLISION}; {family.synthesis} {options} -noflatten -top top; "
            "tee -q -o cells.json stat -json"
        )
        run_tool("YOSYS", ["-q", "-p", script], directory)
        modules = json.loads((directory / "cells.json").read_text())["modules"]
    totals: dict[str, dict[str, int]] = {block: {} for block in _BLOCKS}
    for name, module in modules.items():
        path = name.removeprefix("\\").removeprefix("top").removeprefix(".")
        total = totals[_block_of(path)]
        for cell, count in family.resources(module["num_cells_by_type"]).items():
            total[cell] = total.get(cell, 0) + count
    return [{"block": block, **total} for block, total in totals.items() if total]


def _block_of(path: str) -> str:
    found = [(len(prefix), block) for block, group in _BLOCKS.items() for prefix in group if path.startswith(prefix)]
    return max(found)[1]
