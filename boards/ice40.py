"""iCE40 flow: synthesis, place and route over seeds, bitstream, and what their reports say.

A directory to build holds what :meth:`boards.Board.build` wrote: ``design.il``, the circuit behind the pins;
``design.ys``, the synthesis script that makes ``design.json`` of it; ``design.pcf``, pins and clock.
"""

import json
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .toolchain import ToolError, run_tool

__all__ = [
    "HX8K",
    "UP5K",
    "Device",
    "DoesNotFit",
    "Placement",
    "pack_bitstream",
    "place_and_route",
    "resources",
    "synthesise",
    "synthesise_alone",
]

NAME = "design"


@dataclass(frozen=True)
class Device:
    """An FPGA, what it holds, and how fast routed designs on it were.

    Attributes
    ----------
    nextpnr:
        Arguments of nextpnr that name it.
    level_ns, carry_ns, register_ns:
        A LUT with its routing, one bit of a carry chain, and a register's output and set-up together. They are fitted
        to forests that were placed and routed, for planning registers; what counts is the report of each build.
    """

    name: str
    nextpnr: tuple[str, ...]
    logic_cells: int
    block_rams: int
    single_port_rams: int
    dsps: int
    level_ns: float
    carry_ns: float
    register_ns: float


UP5K = Device("iCE40UP5K-SG48", ("--up5k", "--package", "sg48"), 5280, 30, 4, 8, 2.6, 0.28, 1.4)
HX8K = Device("iCE40HX8K-CT256", ("--hx8k", "--package", "ct256"), 7680, 32, 0, 0, 1.0, 0.13, 0.6)


class DoesNotFit(Exception):
    """A circuit needs more of something than the device has."""


@dataclass(frozen=True)
class Placement:
    """A placed and routed design.

    Attributes
    ----------
    seed:
        The seed of the placer.
    used:
        Cells of the device in use, by nextpnr's names.
    fmax_hz, asked_hz:
        The highest clock that routing allows and the one asked for, of the clock that has the least to spare. nextpnr
        rounds what is asked for to whole picoseconds.
    """

    seed: int
    used: dict[str, int]
    fmax_hz: float
    asked_hz: float

    @property
    def clock_met(self) -> bool:
        return self.fmax_hz >= self.asked_hz


def synthesise(directory: str | Path) -> dict[str, int]:
    """Run ``design.ys``; return what the netlist uses, as :func:`resources` does."""
    return _cells(f"script {NAME}.ys", Path(directory))


def synthesise_alone(circuit: str | Path, top: str) -> dict[str, int]:
    """What a module of an RTLIL file uses without anything around it."""
    circuit = Path(circuit)
    with tempfile.TemporaryDirectory() as workspace:
        shutil.copy(circuit, workspace)
        return _cells(f"read_rtlil {circuit.name}; synth_ice40 -top {top}", Path(workspace))


def _cells(script: str, directory: Path) -> dict[str, int]:
    command = f"{script}; tee -q -o cells.json stat -json"
    run_tool("YOSYS", ["-q", "-l", "synthesis.log", "-p", command], directory)
    return resources(json.loads((directory / "cells.json").read_text())["design"]["num_cells_by_type"])


def resources(cells: dict[str, int]) -> dict[str, int]:
    """Cells of a netlist by the names that people use."""
    return {
        "lut4": cells.get("SB_LUT4", 0),
        "carry": cells.get("SB_CARRY", 0),
        "ff": sum(count for cell, count in cells.items() if cell.startswith("SB_DFF")),
        "ebr": sum(count for cell, count in cells.items() if cell.startswith("SB_RAM40_4K")),
        "spram": cells.get("SB_SPRAM256KA", 0),
        "dsp": cells.get("SB_MAC16", 0),
    }


def place_and_route(directory: str | Path, device: Device, *, seed: int, clock_hz: float) -> Placement:
    """Place and route ``design.json`` with one seed and leave ``design.asc`` in the directory.

    ``clock_hz`` is for clocks without a constraint of their own.
    """
    directory = Path(directory)
    command = [
        *device.nextpnr,
        *("--json", f"{NAME}.json", "--pcf", f"{NAME}.pcf", "--pcf-allow-unconstrained", "--asc", f"{NAME}.asc"),
        *("--seed", str(seed), "--freq", f"{clock_hz / 1e6:.6f}", "--timing-allow-fail"),
        *("--report", "placement.json", "--log", "placement.log", "--quiet"),
    ]
    try:
        run_tool("NEXTPNR_ICE40", command, directory)
    except ToolError as error:
        _raise_if_too_big(directory / "placement.log", device)
        raise error
    report = json.loads((directory / "placement.json").read_text())
    tightest = min(report["fmax"].values(), key=lambda timing: timing["achieved"] / timing["constraint"])
    used = {cell: count["used"] for cell, count in report["utilization"].items() if count["used"]}
    return Placement(seed, used, 1e6 * tightest["achieved"], 1e6 * tightest["constraint"])


_CELLS = {
    "ICESTORM_LC": "logic cells",
    "ICESTORM_RAM": "block RAMs",
    "ICESTORM_SPRAM": "single-port RAMs",
    "ICESTORM_DSP": "DSP blocks",
    "SB_IO": "pins",
}


def _raise_if_too_big(log: Path, device: Device) -> None:
    text = log.read_text() if log.exists() else ""
    for cell, used, available in re.findall(r"(\w+):\s*(\d+)/\s*(\d+)\s+\d+%", text):
        if int(used) > int(available):
            raise DoesNotFit(f"needs {used} of {available} {_CELLS.get(cell, cell)}")


def pack_bitstream(directory: str | Path) -> Path:
    """Turn ``design.asc`` into ``design.bin``."""
    run_tool("ICEPACK", [f"{NAME}.asc", f"{NAME}.bin"], directory)
    return Path(directory) / f"{NAME}.bin"
