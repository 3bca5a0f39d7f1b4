"""What the plan chose, and what it expected beside what a build has measured."""

from collections.abc import Mapping
from typing import Any

from ..manifest import Manifest
from .notes import rows_of
from .quantities import count, frequency, per_second, time_text

__all__ = ["measured_rows", "parameter_rows", "reasons", "timing_rows"]

_SAID_ELSEWHERE = ("name", "summary", "reason", "estimate", "rtlil_sha256")

_NOT_STATED = "—"


def reasons(architecture: Mapping[str, Any]) -> list[str]:
    """What was chosen, what it should need, and what else was considered, as the plan wrote it."""
    return [part for part in str(architecture.get("reason", "")).split("; ") if part]


def parameter_rows(architecture: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the circuit is made with; every architecture has parameters of its own."""
    return rows_of({key: value for key, value in architecture.items() if key not in _SAID_ELSEWHERE})


def timing_rows(manifest: Manifest) -> list[tuple[str, str]]:
    """Clock, latency and rate. What follows from a clock names it."""
    asked_hz = manifest.board["clock_hz"]
    rows = [("clock asked for", frequency(asked_hz))]
    if manifest.clock is None:
        rows.append(("clock reached", "not built"))
    else:
        clock = manifest.clock
        seeds = f"seed {clock.get('seed', _NOT_STATED)}, {count(clock.get('seeds_tried', 1), 'seed')} tried"
        rows.append(
            ("clock reached", f"{frequency(clock['fmax_hz'])}: {'met' if clock['met'] else 'missed'} ({seeds})")
        )
    # The way through a walker depends on the flow.
    at_most = "" if manifest.architecture.get("name") != "walker" else "at most "
    at_clock = f"at {frequency(asked_hz)}"
    latency, interval = manifest.latency_cycles, manifest.interval_cycles
    return [
        *rows,
        ("latency of the forest", f"{at_most}{count(latency, 'clock')}, {time_text(latency / asked_hz)} {at_clock}"),
        ("interval of the forest", f"{at_most}{count(interval, 'clock')} between flows"),
        ("flows, by the forest alone", f"{'at least ' if at_most else ''}{per_second(asked_hz / interval)} {at_clock}"),
    ]


def measured_rows(manifest: Manifest) -> list[tuple[str, str, str, str]]:
    """What, estimate of the forest alone, built forest alone, built whole design."""
    estimate, used = manifest.architecture.get("estimate", {}), manifest.resources or {}
    alone, clock = used.get("alone", {}), manifest.clock
    cells = f"{used['logic_cells']} of {used['of']}" if used else ""
    rows = [
        ("logic cells", _about(estimate, "logic_cells"), "", cells),
        *(
            (title, "", _number(alone, key), _number(used, key))
            for key, title in (
                ("lut4", "tables of 4 inputs"),
                ("lut4eq", "tables, carries counted as two"),
                ("carry", "carry cells"),
                ("ff", "registers"),
            )
        ),
        ("block RAMs", _about(estimate, "block_rams"), _number(alone, "ebr"), _number(used, "ebr")),
        *(
            (title, "", _number(alone, key), _number(used, key))
            for key, title in (
                ("spram", "single-port RAMs"),
                ("lutram", "tables used as RAM"),
                ("dsp", "multipliers"),
            )
        ),
        (
            "clock",
            f"about {frequency(estimate['clock_hz'])}" if "clock_hz" in estimate else "",
            "",
            frequency(clock["fmax_hz"]) if clock else "",
        ),
    ]
    return [
        (what, *(figure or _NOT_STATED for figure in figures))
        for what, *figures in rows
        if any(figure not in ("", "0") for figure in figures)
    ]


def _about(estimate: Mapping[str, Any], key: str) -> str:
    return f"about {estimate[key]}" if key in estimate else ""


def _number(cells: Mapping[str, Any], key: str) -> str:
    return str(cells[key]) if key in cells else ""
