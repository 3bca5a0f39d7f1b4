"""What ``training evaluate`` prints."""

import math
from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from .evaluation import FOREST, STUMP, Case, groups_of, precision
from .leaks import COLUMNS, Leak

__all__ = ["SPAM_SHARES", "print_cases", "print_leaks"]

SPAM_SHARES = (0.005, 0.05, 0.5)


def print_cases(console: Console, cases: Sequence[Case]) -> None:
    """Tables of all cases, one below the other."""
    budget = cases[0].budget
    table = _table(
        f"at {budget:g} false alarms per 10 000 legitimate flows (95 % intervals over senders)",
        ("learnt -> judged", "classifier"),
        ("spam caught", "more than the stump", "balanced accuracy"),
    )
    for case in cases:
        for name in case.scores:
            gain = "" if name == STUMP else str(case.gain(name))
            table.add_row(
                case.name if name == STUMP else "",
                name,
                str(case.detection(name)),
                gain,
                str(case.balanced_accuracy(name)),
                end_section=name == FOREST,
            )
    console.print(table)
    _print_classes(console, cases)
    _print_operation(console, cases)
    _print_precision(console, cases)


def _print_classes(console: Console, cases: Sequence[Case]) -> None:
    table = _table("share called spam there", ("flows",), [f"{c.name}: {n}" for c in cases for n in (STUMP, FOREST)])
    for group in groups_of(cases[0].flows):
        cells = []
        for case in cases:
            rows = groups_of(case.flows)[group]
            cells += [f"{np.mean(case.called(n)[:, rows]):.3f}" if rows.any() else "" for n in (STUMP, FOREST)]
        table.add_row(group, *cells)
    console.print(table)


def _print_operation(console: Console, cases: Sequence[Case]) -> None:
    table = _table(
        "forest with the band that its learning flows gave it (bound of false alarms within the budget there)",
        ("learnt -> judged",),
        ("spam caught", "uncertain", "false alarms per 10 000", "upper 95 % bound", "precision of SPAM, other aside"),
    )
    for case in cases:
        found = case.operation
        table.add_row(
            case.name,
            f"{found.caught:.3f}",
            f"{found.uncertain:.3f}",
            f"{found.rate:.0f}",
            f"{found.bound:.0f}",
            "" if math.isnan(found.precision) else f"{found.precision:.3f}",
        )
    console.print(table)


def _print_precision(console: Console, cases: Sequence[Case]) -> None:
    table = _table(
        f"precision at {cases[0].budget:g} false alarms per 10 000, by the share of spam in the traffic",
        ("learnt -> judged", "classifier"),
        [f"{share:.1%}" for share in SPAM_SHARES],
    )
    for case in cases:
        for name in (STUMP, FOREST):
            caught = case.detection(name).value
            table.add_row(
                case.name if name == STUMP else "",
                name,
                *(f"{precision(caught, case.budget, share):.3f}" for share in SPAM_SHARES),
            )
    console.print(table)


def print_leaks(console: Console, leaks: Sequence[Leak]) -> None:
    """Balanced accuracy of what leaks, beside that of the features of the forest."""
    table = _table(
        "leak tests: balanced accuracy of a vote without caution",
        COLUMNS[:3],
        COLUMNS[3:],
    )
    for leak in leaks:
        table.add_row(*leak.cells)
    console.print(table)


def _table(title: str, texts: Sequence[str], figures: Sequence[str]) -> Table:
    table = Table(*texts, title=title, title_justify="left")
    for name in figures:
        table.add_column(name, justify="right")
    return table
