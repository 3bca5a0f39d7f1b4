"""``training robustness``."""

import ipaddress
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from compiler.cli import progress, warn
from compiler.errors import InputError
from hdl.flow_table_parameters import MAX_EARLY

from ..feature_choice import chosen_features
from ..fit_report import report_console
from ..fitting import FitParameters
from ..labelled_capture import LabelledCapture
from ..labels import read_labels
from ..packet_log import read_packets
from ..robustness import early_verdicts, seen_by_others
from .options import Directions, Features, Ports, parse_ports

__all__ = ["early", "robustness"]

Capture = Annotated[Path, typer.Argument(help="A pcap or pcapng file, held in memory.")]
Labels = Annotated[Path, typer.Option(help="Table of labels, CSV, to join with the flows.")]
Servers = Annotated[
    list[str] | None, typer.Option(help="Address of an own server: flows it opens are put down to the other side.")
]
Budget = Annotated[float, typer.Option(min=0, help="False alarms per 10 000 legitimate flows.")]
Trees = Annotated[int, typer.Option(min=1, max=4096, help="Number of trees.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of trees and folds.")]


def robustness(
    capture: Capture,
    labels: Labels,
    server: Servers = None,
    budget: Budget = 100,
    trees: Trees = FitParameters.trees,
    seed: Seed = 1,
    features: Features = "lengths",
    directions: Directions = "forward",
    ports: Ports = "25",
) -> None:
    """Show what forests say of flows as other taps would have seen them.

    Forests learn from whole flows, in folds that share no sender, and judge the others: picked up late, one-way,
    sampled, with merged segments, from more hops away.

    Example:

        python -m training robustness mail.pcap --labels labels.csv --server 192.0.2.25 --ports 25,587
    """
    names = chosen_features(features, directions)
    found = _read(capture, labels, server, ports)
    parameters = FitParameters(trees=trees, budget=budget, seed=seed, ports=found.ports, directions=directions)
    with progress("learning") as tell:
        rows = seen_by_others(found, names, parameters, tell)
    table = Table("as seen by the tap", title="verdicts of forests that learnt from whole flows", title_justify="left")
    for name in (
        *("flows", "left undecided", "spam caught", "false alarms per 10 000", "upper bound"),
        *("caught if all were judged", "false alarms then"),
    ):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            row.name,
            str(row.flows),
            f"{row.undecided:.3f}",
            f"{row.caught:.3f}",
            f"{row.false_alarms.rate:.0f}",
            f"{row.false_alarms.bound:.0f}",
            f"{row.caught_if_judged:.3f}",
            f"{row.false_alarms_if_judged.rate:.0f}",
        )
    report_console().print(table)
    print(f"{capture}: seed {seed}, features {', '.join(names)}")


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
    found = _read(capture, labels, server, ports)
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


def _read(capture: Path, labels: Path, server: list[str] | None, ports: str) -> LabelledCapture:
    tracked = parse_ports(ports)
    table = read_labels(labels)
    servers = frozenset(_address(text) for text in server or ())
    with progress(f"reading {capture.name}"):
        logs = read_packets(capture, tracked, warn)
    if not logs:
        raise InputError(f"{capture}: no TCP packet of port {ports.replace(',', ' or ')} (--ports)")
    return LabelledCapture(capture.name.split(".")[0], logs, table, servers, tracked)


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise InputError(f"--server: must be an IP address, not {text!r}") from None


def _numbers(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and 2 <= int(part) <= MAX_EARLY for part in parts):
        raise InputError(f"--packets: must be numbers from 2 to {MAX_EARLY} with commas, not {text!r}")
    return tuple(sorted({int(part) for part in parts}))
