"""Senders and block list as tables for people."""

from collections import Counter
from collections.abc import Sequence

from rich.table import Table

from ..wide_console import wide_console
from .block_list import Decision, Entry
from .evaluation import Evaluation
from .ranking import Ranking

__all__ = ["print_entries", "print_evaluation", "print_ranking"]

_TOPS = (1, 7, 10, 100)
"""Seven, as the paper's seven senders sent 46 % of all spam records."""


def print_ranking(ranking: Ranking, minimum: int, shown: int) -> None:
    """The figures of the paper, and the senders with the most SPAM records."""
    console = wide_console()
    console.print(f"Records from {ranking.window}")
    figures = Table(show_header=False)
    figures.add_column("")
    figures.add_column("", justify="right")
    of_candidates = sum(candidate.spam for candidate in ranking.candidates)
    rows = [
        ("records, own servers' left out", f"{ranking.records}"),
        ("SPAM records", _share(ranking.spam, ranking.records)),
        ("senders", f"{ranking.senders}"),
        ("senders with a SPAM record", _share(ranking.spam_senders, ranking.senders)),
        ("senders with exactly one", _share(ranking.one_spam, ranking.spam_senders)),
        (f"senders with {minimum} SPAM records or more", f"{len(ranking.candidates)}"),
        ("SPAM records that those sent", _share(of_candidates, ranking.spam)),
        *(
            (f"SPAM records that the top {number} sent", f"{ranking.share_of_top(number):.1%}")
            for number in _TOPS
            if number <= len(ranking.top)
        ),
        ("records of own servers, left out", f"{ranking.of_own}"),
        ("records outside the window, left out", f"{ranking.outside}"),
    ]
    for row in rows:
        figures.add_row(*row)
    console.print(figures)
    senders = Table("sender", title="Top senders", title_justify="left")
    for name in ("SPAM", "UNCERTAIN", "BACKGROUND", "lower bound of the SPAM share"):
        senders.add_column(name, justify="right")
    for name in ("first", "last"):
        senders.add_column(name)
    for sender in ranking.top[:shown]:
        senders.add_row(
            sender.sender,
            *map(str, (sender.spam, sender.uncertain, sender.background)),
            f"{sender.spam_share_lower:.3f}",
            *(f"{time:%Y-%m-%d %H:%M:%S}" for time in (sender.first, sender.last)),
        )
    console.print(senders)


def print_entries(entries: Sequence[Entry], minimum: int) -> None:
    """How many candidates are listed, and what kept the others out."""
    console = wide_console()
    table = Table(
        "decision", title=f"Senders with {minimum} SPAM records or more", title_justify="left", show_header=False
    )
    table.add_column("senders", justify="right")
    counts = Counter(entry.decision for entry in entries)
    for decision in Decision:
        words = decision if decision is Decision.LISTED else f"not listed: {decision}"
        table.add_row(words, str(counts[decision]))
    if flagged := sum(entry.shared for entry in entries if entry.decision is Decision.LISTED):
        table.add_row("listed although the address is shared", str(flagged))
    console.print(table)


def print_evaluation(found: Evaluation) -> None:
    console = wide_console()
    table = Table("labelled flows", title="What the list would have stopped", title_justify="left")
    for name in ("all", "of listed senders", "of those after the list had them"):
        table.add_column(name, justify="right")
    of_listed, after = (_share(flows, found.spam) for flows in (found.spam_listed, found.spam_after))
    table.add_row("spam (dnsbl, spam)", str(found.spam), of_listed, after)
    table.add_row(
        "legitimate",
        str(found.legitimate),
        f"{found.legitimate_listed}, {found.lost_per_10000:.1f} of 10 000",
        str(found.legitimate_after),
    )
    console.print(table)


def _share(number: int, of: int) -> str:
    return f"{number}, {number / of:.1%}" if of else str(number)
