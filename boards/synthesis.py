"""Synthesis: circuits into the cells of a family, and how many there are of each.

A directory to build holds ``design.il``, the circuit behind its pins; ``design.ys``, the synthesis script that makes
``design.json`` of it; and pins and clocks, in the file that :attr:`boards.device.Family.constraints` names.
"""

import json
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

from .device import Family
from .toolchain import run_tool

__all__ = ["ANY_ON_COLLISION", "NAME", "GateNetlist", "netlist_of", "synthesise", "synthesise_alone"]

NAME = "design"
"""Of every file in a directory to build, before its suffix."""


ANY_ON_COLLISION = (
    "select -set anyway a:no_rw_check=1 %m; setparam -set COLLISION_X_MASK 1'1 @anyway t:$memrd_v2 %i; select -clear"
)
"""Commands of Yosys behind reading RTLIL: memories alone in their module and marked ``no_rw_check`` may give anything
for a word that is written meanwhile. Yosys heeds the mark only where it makes the ports itself.
"""


class GateNetlist(NamedTuple):
    """A module after synthesis.

    Attributes
    ----------
    rtlil:
        Its text, without the modules of its cells and without places in files.
    cells:
        How many there are of each.
    ports:
        The port behind the name of a net, its own name among them: a port has one of the names of its net.
    """

    rtlil: str
    cells: dict[str, int]
    ports: dict[str, str]


def synthesise(directory: str | Path, family: Family) -> dict[str, int]:
    """Run ``design.ys``; return what the netlist uses, as :attr:`boards.device.Family.resources` does."""
    return family.resources(_cells(f"script {NAME}.ys", Path(directory)))


def synthesise_alone(circuit: str | Path, top: str, family: Family) -> dict[str, int]:
    """What a module of an RTLIL file uses without anything around it."""
    return family.resources(netlist_of(circuit, top, family).cells)


def netlist_of(circuit: str | Path, top: str, family: Family) -> GateNetlist:
    """A module of an RTLIL file, without anything around it, in the cells of a family."""
    circuit = Path(circuit)
    with tempfile.TemporaryDirectory() as temporary:
        workspace = Path(temporary)
        shutil.copy(circuit, workspace)
        script = f"read_rtlil {circuit.name}; {ANY_ON_COLLISION}; {family.synthesis} -top {top}"
        write = f"setattr -unset src {top} {top}/*; select {top}; write_rtlil -selected netlist.il; select -clear"
        cells = _cells(f"{script}; {write}; write_json netlist.json", workspace)
        module = json.loads((workspace / "netlist.json").read_text())["modules"][top]
        nets = {name: net["bits"] for name, net in module["netnames"].items()}
        ports = {name: port for port in module["ports"] for name, bits in nets.items() if bits == nets[port]}
        return GateNetlist((workspace / "netlist.il").read_text(), cells, ports)


def _cells(script: str, directory: Path) -> dict[str, int]:
    command = f"{script}; tee -q -o cells.json stat -json"
    run_tool("YOSYS", ["-q", "-l", "synthesis.log", "-p", command], directory)
    return json.loads((directory / "cells.json").read_text())["design"]["num_cells_by_type"]
