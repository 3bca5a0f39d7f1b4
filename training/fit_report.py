"""What ``training fit`` prints: the classes, and the forest beside its rivals."""

import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from compiler.forest import Forest

from .flow_set import FlowSet
from .labels import LABELS
from .operating_point import FalseAlarms, OperatingPoint, count_false_alarms
from .rivals import Stump

__all__ = ["Assessment", "Judged", "assess", "print_fit", "report_console"]

PIPE_COLUMNS = 160
_VERDICTS = {1: "SPAM", 0: "UNCERTAIN", -1: "BACKGROUND"}


@dataclass(frozen=True)
class Assessment:
    """How well verdicts fit the labels.

    Attributes
    ----------
    balanced_accuracy:
        Mean share of spam called SPAM and of background called BACKGROUND; UNCERTAIN is never right.
    decided_accuracy:
        The same among the decided flows alone; nan when a class has none.
    uncertain:
        Share of spam and background flows that is UNCERTAIN.
    caught:
        Share of spam called SPAM.
    false_alarms:
        On legitimate flows, greylisted ones included.
    """

    balanced_accuracy: float
    decided_accuracy: float
    uncertain: float
    caught: float
    false_alarms: FalseAlarms


def assess(flows: FlowSet, verdicts: NDArray[np.int64]) -> Assessment:
    """Compare verdicts with labels."""
    y, taught = flows.y, flows.y != 0
    legitimate = flows.is_legitimate
    return Assessment(
        balanced_accuracy=_mean_of_classes(y[taught], verdicts[taught]),
        decided_accuracy=_mean_of_classes(y[taught & (verdicts != 0)], verdicts[taught & (verdicts != 0)]),
        uncertain=_share(verdicts[taught] == 0),
        caught=_share(verdicts[y == 1] == 1),
        false_alarms=count_false_alarms(verdicts[legitimate] == 1, flows.sender[legitimate]),
    )


def _mean_of_classes(y: NDArray[np.int64], verdicts: NDArray[np.int64]) -> float:
    return float(np.mean([_share(verdicts[y == sign] == sign) for sign in (-1, 1)]))


def _share(hits: NDArray[np.bool_]) -> float:
    return float(np.mean(hits)) if len(hits) else float("nan")


@dataclass(frozen=True)
class Judged:
    """Flows, and what forest and stump say of them."""

    flows: FlowSet
    verdicts: NDArray[np.int64]
    without_band: NDArray[np.int64]
    stump: NDArray[np.int64]


def print_fit(
    forest: Forest, point: OperatingPoint, parts: dict[str, Judged], stump: Stump, stump_point: OperatingPoint
) -> None:
    """Print how forest and stump do on every part, eq. 5 without a band beside them."""
    console = report_console()
    _print_classes(console, {name: part.flows for name, part in parts.items()})
    for name, part in parts.items():
        _print_confusion(console, f"forest with band, {name}", part.flows, part.verdicts)
        columns = {
            "forest with band": part.verdicts,
            "forest, no band (eq. 5)": part.without_band,
            "stump, same budget": part.stump,
        }
        _print_comparison(console, name, {title: assess(part.flows, said) for title, said in columns.items()})
    console.print(f"stump: {stump.said(stump_point.band.hi)}")
    alarms = point.false_alarms
    console.print(
        f"band {tuple(point.band)} of scores {forest.score_range}: on {alarms.flows} legitimate flows, greylisted ones "
        f"included, of {alarms.senders} senders, each judged by trees that have not learnt from it, {alarms.rate:.0f} "
        f"false alarms per 10 000, upper 95 % bound {alarms.bound:.0f}, budget {point.budget:g}"
    )
    if forest.monitor_only:
        console.print("[bold]monitor only: no band keeps the bound within the budget; verdicts are for ranking senders")


def report_console(pipe_columns: int = PIPE_COLUMNS) -> Console:
    """A pipe has no width; let lines be as long as in a wide terminal, not cut at 80 columns."""
    return Console(width=None if sys.stdout.isatty() else pipe_columns, highlight=False)


def _print_classes(console: Console, parts: dict[str, FlowSet]) -> None:
    """Flows and senders of every part by label."""
    table = Table("label", title="complete flows / senders", title_justify="left")
    for name in parts:
        table.add_column(name, justify="right")
    for label in LABELS:
        chosen = [part.select(part.label == label) for part in parts.values()]
        table.add_row(label, *(f"{len(part)} / {part.senders}" for part in chosen))
    table.add_row("all", *(f"{len(part)} / {part.senders}" for part in parts.values()))
    console.print(table)


def _print_confusion(console: Console, title: str, flows: FlowSet, verdicts: NDArray[np.int64]) -> None:
    """Verdicts by class, ``other`` by itself."""
    table = Table("flows", *_VERDICTS.values(), title=title, title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    other = flows.label == "other"
    groups = {"all spam": flows.y == 1, "all background": flows.y == -1}
    groups |= {f"  {label}": flows.label == label for label in LABELS if label != "other"}
    groups |= {
        "other: greylisted (legitimate)": other & flows.is_legitimate,
        "other: the rest": other & ~flows.is_legitimate,
    }
    for name, rows in groups.items():
        table.add_row(name, *(str(int(np.sum(verdicts[rows] == verdict))) for verdict in _VERDICTS))
    console.print(table)


def _print_comparison(console: Console, title: str, assessments: dict[str, Assessment]) -> None:
    """One column a classifier."""
    table = Table("", title=title, title_justify="left")
    for name in assessments:
        table.add_column(name, justify="right")
    rows = {
        "balanced accuracy, uncertain is wrong": lambda a: f"{a.balanced_accuracy:.3f}",
        "  among decided flows": lambda a: f"{a.decided_accuracy:.3f}",
        "spam caught": lambda a: f"{a.caught:.1%}",
        "uncertain": lambda a: f"{a.uncertain:.1%}",
        "false alarms": lambda a: f"{a.false_alarms.alarms} of {a.false_alarms.flows}",
        "  per 10 000 legitimate flows": lambda a: f"{a.false_alarms.rate:.0f}",
        "  upper 95 % bound over senders": lambda a: f"{a.false_alarms.bound:.0f}",
    }
    for name, text in rows.items():
        table.add_row(name, *(text(assessment) for assessment in assessments.values()))
    console.print(table)
