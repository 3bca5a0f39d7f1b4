"""Synthesis: circuits into the cells of a family, and how many there are of each.

A directory to build holds ``design.il``, the circuit behind its pins; ``design.ys``, the synthesis script that makes
``design.json`` of it; and pins and clocks, in the file that :attr:`boards.device.Family.constraints` names.
"""

import json
import shutil
import tempfile
from pathlib import Path

from .device import Family
from .toolchain import run_tool

__all__ = ["ANY_ON_COLLISION", "NAME", "synthesise", "synthesise_alone"]

NAME = "design"
"""Of every file in a directory to build, before its suffix."""


ANY_ON_COLLISION = (
    "select -set anyway a:no_rw_check=1 %m; setparam -set COLLISION_X_MASK 1'1 @anyway t:$memrd_v2 %i; select -clear"
)
"""Commands of Yosys behind reading RTLIL: memories alone in their module and marked ``no_rw_check`` may give anything
for a word that is written meanwhile. Yosys heeds the mark only where it makes the ports itself.
"""


def synthesise(directory: str | Path, family: Family) -> dict[str, int]:
    """Run ``design.ys``; return what the netlist uses, as :attr:`boards.device.Family.resources` does."""
    return _cells(f"script {NAME}.ys", Path(directory), family)


def synthesise_alone(circuit: str | Path, top: str, family: Family) -> dict[str, int]:
    """What a module of an RTLIL file uses without anything around it."""
    circuit = Path(circuit)
    with tempfile.TemporaryDirectory() as workspace:
        shutil.copy(circuit, workspace)
        script = f"read_rtlil {circuit.name}; {ANY_ON_COLLISION}; {family.synthesis} -top {top}"
        return _cells(script, Path(workspace), family)


def _cells(script: str, directory: Path, family: Family) -> dict[str, int]:
    command = f"{script}; tee -q -o cells.json stat -json"
    run_tool("YOSYS", ["-q", "-l", "synthesis.log", "-p", command], directory)
    return family.resources(json.loads((directory / "cells.json").read_text())["design"]["num_cells_by_type"])
