"""``training early``."""

from typing import Annotated

import typer
from rich.table import Table

from compiler.cli import progress
from compiler.errors import InputError
from hdl.flow_table_parameters import MAX_EARLY

from ..feature_choice import chosen_features
from ..fit_report import report_console
from ..fitting import FitParameters
from ..robustness import early_verdicts
from .labelled_captures import Budget, Capture, Seed, Trees, read_capture
from .options import Directions, Features, Labels, Ports, Servers

__all__ = ["early"]


def early(
    capture: Capture,
    labels: Labels,
    server: Servers = None,
    packets: Annotated[str, typer.Option(help="Packet numbers, with commas.")] = "4,6,8,12,16,24",
    budget: Budget = 100,
    trees: Trees = FitParameters.trees,
    seed: Seed = 1,
    features: Features = "lengths",
    directions: Directions = "forward",
    ports: Ports = "25",
) -> None:
    """Show how early a verdict can be given: forests that are bound to the n-th packet, against n.

    Beside them a forest of whole flows that is asked at that packet, which `fit` and probes refuse.

    Example:

        python -m training early mail.pcap --labels labels.csv --server 192.0.2.25 --ports 25,587 --packets 6,10,14
    """
    names = chosen_features(features, directions)
    numbers = _numbers(packets)
    found = read_capture(capture, labels, server, ports)
    parameters = FitParameters(trees=trees, budget=budget, seed=seed, ports=found.ports, directions=directions)
    with progress("learning") as tell:
        rows = early_verdicts(found, names, parameters, numbers, tell)
    table = Table("packet", title="verdicts at the n-th packet, senders apart", title_justify="left")
    for name in (
        *("flows still open", "balanced accuracy", "false alarms per 10 000", f"caught at {budget:g} false alarms"),
        *("whole-flow forest: accuracy", "its false alarms"),
    ):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            str(row.packet) if row.packet else "whole",
            f"{row.open:.3f}",
            f"{row.accuracy:.3f}",
            f"{row.alarms:.0f}",
            f"{row.detection:.3f}",
            f"{row.whole_accuracy:.3f}",
            f"{row.whole_alarms:.0f}",
        )
    report_console().print(table)
    print(f"{capture}: seed {seed}, features {', '.join(names)}")


def _numbers(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and 2 <= int(part) <= MAX_EARLY for part in parts):
        raise InputError(f"--packets: must be numbers from 2 to {MAX_EARLY} with commas, not {text!r}")
    return tuple(sorted({int(part) for part in parts}))
