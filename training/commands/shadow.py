"""``training shadow``."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from compiler.cli import progress, warn
from compiler.forest import Forest

from ..drift.shadow import VERDICTS, Shadow, shadow_of
from ..exported_flows import learnt_from, read_flows_to_judge
from ..fit_report import report_console
from .addresses import parse_servers
from .flow_files import counted_once
from .options import Servers

__all__ = ["shadow"]

_NAMES = {1: "SPAM", 0: "UNCERTAIN", -1: "BACKGROUND"}


def shadow(
    first: Annotated[Path, typer.Argument(help="forest.json of the forest that votes.")],
    second: Annotated[Path, typer.Argument(help="forest.json of the one that votes silently beside it.")],
    records: Annotated[
        list[Path], typer.Argument(metavar="FLOWS...", help="Files of `flows`, or what a probe exported, .ipfix.")
    ],
    server: Servers = None,
    top: Annotated[int, typer.Option(min=0, help="Senders and flows to show.")] = 10,
) -> None:
    """Set the verdicts of two forests about the same flows side by side, and tell who is right where labels are.

    Examples:

        python -m training shadow forest.json june.json flows.csv

        python -m training shadow forest.json june.json records.ipfix --server 192.0.2.25
    """
    forests = [Forest.from_json(path) for path in (first, second)]
    with progress("reading flows"):
        flows = read_flows_to_judge(records, forests, parse_servers(server), warn)
    flows = counted_once(flows)
    for title, forest in zip(("first", "second"), forests, strict=True):
        for name in learnt_from(forest, records):
            warn(f"the {title} forest has learnt from {name}, so it knows these flows")
    found = shadow_of(*forests, flows)
    console = report_console()
    _print_verdicts(console, found)
    _print_senders(console, found, top)
    _print_flows(console, found, top)
    if np.any(flows.is_spam | flows.is_legitimate):
        _print_right(console, found)
    for title, forest in zip(("first", "second"), forests, strict=True):
        said = ", monitor only" if forest.monitor_only else ""
        print(f"{title}: forest {forest.id}, {len(forest.trees)} trees, band {tuple(forest.band)}{said}")
    different = int(found.different.sum())
    print(f"{different} of {len(flows)} flows, {different / len(flows):.1%}, are called differently")


def _print_verdicts(console: Console, found: Shadow) -> None:
    groups = {"all flows": np.ones(len(found.flows), bool)}
    labelled = {"spam": found.flows.is_spam, "legitimate": found.flows.is_legitimate}
    groups |= {name: rows for name, rows in labelled.items() if rows.any()}
    table = Table("flows", "first says", title="flows by both verdicts; the second says", title_justify="left")
    for verdict in VERDICTS:
        table.add_column(_NAMES[verdict], justify="right")
    for name, rows in groups.items():
        for at, counts in enumerate(found.counts(rows).tolist()):
            end = at == len(VERDICTS) - 1
            table.add_row("" if at else name, _NAMES[VERDICTS[at]], *map(str, counts), end_section=end)
    console.print(table)


def _print_senders(console: Console, found: Shadow, top: int) -> None:
    senders = found.senders()
    title = f"{len(senders)} of {found.flows.senders} senders have flows that are called differently"
    table = Table("sender", title=title, title_justify="left")
    for name in ("flows", "called differently", "SPAM by first", "SPAM by second"):
        table.add_column(name, justify="right")
    for row in senders[:top]:
        table.add_row(row.sender, *map(str, (row.flows, row.different, row.first_spam, row.second_spam)))
    console.print(table)


def _print_flows(console: Console, found: Shadow, top: int) -> None:
    flows = found.flows
    title = "flows whose scores are furthest apart, as shares of the highest score"
    table = Table("start", "sender", "label", "first", "second", title=title, title_justify="left")
    for name in ("score", "score", *flows.features):
        table.add_column(name, justify="right")
    for row in found.furthest(top).tolist():
        start = datetime.fromtimestamp(float(flows.start_s[row]), UTC)
        table.add_row(
            f"{start:%Y-%m-%d %H:%M:%S}",
            str(flows.sender[row]),
            str(flows.label[row]),
            _NAMES[int(found.first[row])],
            _NAMES[int(found.second[row])],
            *(f"{score:+.3f}" for score in found.scores[:, row].tolist()),
            *map(str, flows.X[row].tolist()),
        )
    console.print(table)


def _print_right(console: Console, found: Shadow) -> None:
    title = "who is right where the two differ (exact test of McNemar, a sender is one observation)"
    table = Table("of", "it is right to say", title=title, title_justify="left")
    for name in ("flows: first", "second", "senders: first better", "second better", "p"):
        table.add_column(name, justify="right")
    for name, spam, right in (("spam", True, "SPAM"), ("legitimate", False, "anything else")):
        paired = found.paired(spam=spam)
        counts = (paired.first_right, paired.second_right, paired.first_better, paired.second_better)
        table.add_row(name, right, *map(str, counts), f"{paired.p:.2g}")
    console.print(table)
