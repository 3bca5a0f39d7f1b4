"""What ``training drift`` prints and draws."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from compiler.atomic import replacing
from compiler.extras import import_extra

from ..attacks import ATTACKS
from ..detection import Interval
from ..fit_report import Assessment
from .course import KEPT, WAYS, Step, verdicts_of
from .periods import Period

__all__ = ["draw_course", "print_attacks", "print_course", "print_detections", "print_times"]

_DRIFT_HOURS = 24
_COLOURS = dict(zip(WAYS, ("#9a9a9a", "#3b6ea5", "#b5442e"), strict=True))


def print_course(console: Console, steps: Sequence[Step]) -> None:
    """A row for every period and way: flows of senders that were not learnt from, and all flows."""
    table = Table("period", "forest", title="each forest with its own band, on periods it has not learnt from")
    table.title_justify = "left"
    for name in (
        *("trees", "band", "flows", "of seen senders", "balanced accuracy", "spam caught", "false alarms per 10 000"),
        *("all: accuracy", "caught", "false alarms"),
    ):
        table.add_column(name, justify="right")
    for step in steps:
        for way in WAYS:
            forest, first = step.forests[way], way == WAYS[0]
            table.add_row(
                step.period.name if first else "",
                way + (" (monitor only)" if forest.monitor_only else ""),
                str(len(forest.trees)),
                f"{forest.band.lo}..{forest.band.hi}",
                str(len(step.period.flows)) if first else "",
                f"{np.mean(step.seen):.1%}" if first else "",
                *_cells(step.of_new_senders(way)),
                *_cells(step.of_all(way)),
                end_section=way == WAYS[-1],
            )
    console.print(table)
    console.print(
        "figures are of senders that were not learnt from, but for the last three of a row, which are of all flows"
    )


def print_detections(console: Console, steps: Sequence[Step], budget: float) -> None:
    """What each forest would catch at equal false alarms, and how much more that is than what the kept one would."""
    table = Table(
        *("period", "forest", "spam caught", f"more than {KEPT}"),
        title=f"at {budget:g} false alarms per 10 000, senders that were not learnt from (95 % of samples of senders)",
        title_justify="left",
    )
    for step in steps:
        for way in WAYS:
            table.add_row(
                step.period.name if way == WAYS[0] else "",
                way,
                _interval(step.detection(way, budget)),
                "" if way == KEPT else _interval(step.gain(way, budget)),
                end_section=way == WAYS[-1],
            )
    console.print(table)


def print_times(console: Console, periods: Sequence[Period]) -> None:
    """When the periods were, and whether they are far enough apart for anything to drift."""
    for period in periods:
        begin, end = (_time(float(end(period.flows.start_s))) for end in (np.min, np.max))
        console.print(f"{period.name}: {len(period.flows)} flows of {period.flows.senders} senders, {begin} to {end}")
    starts = np.concatenate([period.flows.start_s for period in periods])
    hours = (starts.max() - starts.min()) / 3600
    if hours < _DRIFT_HOURS:
        console.print(
            f"simulated drift: all of it lies within {hours:.1f} hours, so what changes is the source, not time"
        )


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"


def _cells(found: Assessment) -> tuple[str, str, str]:
    alarms = found.false_alarms
    return (
        _figure(found.balanced_accuracy, ".3f"),
        _figure(found.caught, ".3f"),
        f"{alarms.rate:.0f} ({alarms.alarms} of {alarms.flows})" if alarms.flows else "none legitimate",
    )


def _interval(found: Interval) -> str:
    return "" if np.isnan(found.value) else str(found)


def _figure(value: float, form: str) -> str:
    return "" if np.isnan(value) else f"{value:{form}}"


def print_attacks(console: Console, steps: Sequence[Step], *, new_senders: bool) -> None:
    """Verdicts about the flows of every attack, and about the same flows as they were captured.

    With ``new_senders`` flows of senders that were learnt from are left out.
    """
    table = Table("attack", "period", "forest", title="simulated attacks", title_justify="left")
    for name in ("flows", "SPAM", "UNCERTAIN", "BACKGROUND", "SPAM as captured", "of"):
        table.add_column(name, justify="right")
    names = {name for step in steps for name in step.period.attacked}
    for name in (name for name in ATTACKS if name in names):
        for step in steps:
            if name not in step.period.attacked:
                continue
            rows, before = step.period.attacked[name], step.period.before[name]
            if new_senders:
                rows = rows[~step.seen[rows]]
                before = before.select(~np.isin(before.sender, step.known))
            for way in WAYS:
                said = step.verdicts(way)[rows]
                captured = verdicts_of(step.forests[way], before)
                first = way == WAYS[0]
                table.add_row(
                    name if first else "",
                    step.period.name if first else "",
                    way,
                    str(len(rows)),
                    *(str(int(np.sum(said == verdict))) for verdict in (1, 0, -1)),
                    str(int(np.sum(captured == 1))),
                    str(len(before)),
                    end_section=way == WAYS[-1],
                )
    console.print(table)
    for name in (name for name in ATTACKS if name in names):
        kind = "" if ATTACKS[name].is_spam else " (no spam: label other)"
        console.print(f"{name}{kind}: {ATTACKS[name].rule}")


def draw_course(path: Path, steps: Sequence[Step], budget: float) -> None:
    """Accuracy, spam caught and false alarms against the periods, and what is caught at the budget, as a PNG."""
    import_extra("matplotlib", "plot", path).use("Agg")
    pyplot = import_extra("matplotlib.pyplot", "plot", path)
    figure, (*panels, last) = pyplot.subplots(1, 4, figsize=(16, 4.5), layout="constrained")
    names = [step.period.name for step in steps]
    measures = {
        "balanced accuracy": lambda found: found.balanced_accuracy,
        "spam caught": lambda found: found.caught,
        "false alarms per 10 000 legitimate flows": lambda found: found.false_alarms.rate,
    }
    for way in WAYS:
        for axes, measure in zip(panels, measures.values(), strict=True):
            new = [measure(step.of_new_senders(way)) for step in steps]
            everyone = [measure(step.of_all(way)) for step in steps]
            axes.plot(names, new, color=_COLOURS[way], marker="o", label=way)
            axes.plot(names, everyone, color=_COLOURS[way], linestyle=":", alpha=0.7)
        caught = [step.detection(way, budget) for step in steps]
        last.plot(names, [found.value for found in caught], color=_COLOURS[way], marker="o")
        last.fill_between(
            names, [found.low for found in caught], [found.high for found in caught], color=_COLOURS[way], alpha=0.1
        )
    for axes, title in zip((*panels, last), (*measures, f"spam caught at {budget:g} false alarms"), strict=True):
        axes.set_title(title)
        axes.set_ylim(bottom=0)
        axes.tick_params(axis="x", rotation=30)
        axes.grid(alpha=0.2)
    panels[0].legend(title="senders not learnt from;\ndotted: all flows")
    with replacing(path) as fresh:
        figure.savefig(fresh, format="png", dpi=120)
    pyplot.close(figure)
