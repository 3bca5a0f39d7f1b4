"""``training watch``."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from compiler.cli import progress, warn
from compiler.errors import InputError
from compiler.forest import Forest

from ..drift.alarm import Alarm, FeatureDrift, compare, trials
from ..drift.histograms import histograms_path, read_histograms
from ..exported_flows import learnt_from, read_flows_to_judge
from ..fit_report import report_console
from .addresses import parse_servers
from .flow_files import counted_once
from .options import Servers

__all__ = ["watch"]

_FEW_SENDERS = 20


def watch(
    forest: Annotated[Path, typer.Argument(help="forest.json, with the histograms that `fit` wrote beside it.")],
    records: Annotated[
        list[Path], typer.Argument(metavar="RECORDS...", help="What a probe exported, .ipfix, or files of `flows`.")
    ],
    server: Servers = None,
    stability: Annotated[
        float, typer.Option(min=0, help="Population stability index that a feature needs for an alarm.")
    ] = Alarm.stability,
    level: Annotated[
        float, typer.Option(min=0.001, max=1, help="Chance of an alarm where nothing has changed.")
    ] = Alarm.level,
    try_out: Annotated[int, typer.Option(min=0, help="Try the alarm so often on halves of the records' senders.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of what is permuted and drawn.")] = 1,
) -> None:
    """Compare the features of records with those the forest learnt from; exit with 1 when they have drifted.

    A feature raises the alarm when its population stability index is high and senders that are permuted between then
    and now do not explain it, all features taken together.

    Examples:

        python -m training watch forest.json records.ipfix --server 192.0.2.25

        python -m training watch forest.json june.csv --try-out 200
    """
    judge = Forest.from_json(forest)
    learnt = read_histograms(histograms_path(forest), judge)
    with progress("reading records"):
        flows = read_flows_to_judge(records, [judge], parse_servers(server), warn)
    flows = counted_once(flows)
    for name in learnt_from(judge, records):
        warn(f"forest {judge.id} has learnt from {name}: these flows cannot differ")
    now = learnt.counts_of(flows)
    if len(now) < 2:
        raise InputError(f"{flows.name}: all flows are of one sender, so nothing can be said of others")
    if len(now) < _FEW_SENDERS:
        warn(f"{len(now)} senders are few; an alarm may not be raised when it should be")
    alarm = Alarm(stability, level)
    with progress("comparing"):
        found = compare(learnt, now, seed=seed)
    table = Table("feature", title="features now against those that were learnt", title_justify="left")
    for name in ("stability index", "p, adjusted", "moved most", "share learnt", "share now", ""):
        table.add_column(name, justify="right")
    raised = alarm.raised_by(found)
    for drift in sorted(found, key=lambda drift: -drift.stability):
        low, high, then, today = drift.moved
        table.add_row(
            drift.name,
            f"{drift.stability:.3f}",
            f"{drift.p:.3f}",
            _bounds(low, high),
            f"{then:.1%}",
            f"{today:.1%}",
            "alarm" if drift in raised else "",
        )
    report_console().print(table)
    print(
        f"{len(flows)} flows of {len(now)} senders; learnt from {learnt.flows} of {learnt.senders}; forest {judge.id}; "
        f"seed {seed}"
    )
    if try_out:
        with progress("trying the alarm"):
            tried = trials(learnt, now, alarm, count=try_out, seed=seed)
        print(
            f"alarm between halves of these senders, {tried.senders} each: {tried.among_halves} of {tried.count}; "
            f"between a half and what was learnt: {tried.against_learnt} of {tried.count}"
        )
    print(_verdict(raised, alarm))
    if raised:
        raise typer.Exit(1)


def _bounds(low: int | None, high: int | None) -> str:
    below = "" if high is None else f"<= {high}"
    return below if low is None else " ".join(filter(None, (f"> {low}", below)))


def _verdict(raised: list[FeatureDrift], alarm: Alarm) -> str:
    rule = f"index of at least {alarm.stability:g} with p at most {alarm.level:g}"
    if not raised:
        return f"no alarm: no feature has an {rule}"
    return f"alarm: {', '.join(drift.name for drift in raised)}: {rule}"
