"""Place and route with nextpnr, and what its report says."""

import json
import re
from pathlib import Path

from .device import Device, DoesNotFit, Placement
from .synthesis import NAME
from .toolchain import ToolError, ToolStuck, run_tool

__all__ = ["is_routing_stuck", "place_and_route"]

_MOST_TURNS = 30
"""Of every arc: routings that end take up each about twice."""


def place_and_route(directory: str | Path, device: Device, *, seed: int, clock_hz: float) -> Placement:
    """Place and route ``design.json`` with one seed.

    ``clock_hz`` is for clocks without a constraint of their own. Raises :class:`~boards.device.DoesNotFit` when the
    device is too small, and :class:`~boards.toolchain.ToolStuck` when the router takes up the same nets again and again
    without end, as it does for some seeds.
    """
    directory = Path(directory)
    log = directory / "placement.log"
    command = [
        *device.nextpnr,
        *("--json", f"{NAME}.json"),
        *device.family.arguments,
        *("--seed", str(seed), "--freq", f"{clock_hz / 1e6:.6f}", "--timing-allow-fail"),
        *("--report", "placement.json", "--log", "placement.log", "--quiet"),
    ]
    try:
        run_tool(device.family.nextpnr, command, directory, is_stuck=lambda: is_routing_stuck(log))
    except ToolStuck as error:
        raise ToolStuck(f"{error} with seed {seed}: its router takes up the same nets again and again") from None
    except ToolError as error:
        _raise_if_too_big(log, device)
        raise error
    report = json.loads((directory / "placement.json").read_text())
    tightest = min(report["fmax"].values(), key=lambda timing: timing["achieved"] / timing["constraint"])
    clocks = {net: (1e6 * timing["achieved"], 1e6 * timing["constraint"]) for net, timing in report["fmax"].items()}
    used = {cell: count["used"] for cell, count in report["utilization"].items() if count["used"]}
    return Placement(seed, used, 1e6 * tightest["achieved"], 1e6 * tightest["constraint"], clocks)


def is_routing_stuck(log: Path) -> bool:
    """Whether a log says that arcs were routed many times as often as there are any.

    A routing that ends takes up each a few times.
    """
    text = log.read_text(errors="replace") if log.exists() else ""
    arcs, turns = re.findall(r"Routing (\d+) arcs", text), re.findall(r"^Info: +(\d+) \|", text, re.M)
    return bool(arcs and turns) and int(turns[-1]) > _MOST_TURNS * int(arcs[-1])


def _raise_if_too_big(log: Path, device: Device) -> None:
    text = log.read_text() if log.exists() else ""
    for cell, used, available in re.findall(r"(\w+):\s*(\d+)/\s*(\d+)\s+\d+%", text):
        if int(used) > int(available):
            raise DoesNotFit(f"needs {used} of {available} {device.family.cell_names.get(cell, cell)}")
