"""What a block list would have stopped, by the labels of the records: spam, and legitimate flows it costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..flow_set import LEGITIMATE, SPAM
from .ranking import Window

__all__ = ["Evaluation", "evaluate"]


@dataclass(frozen=True)
class Evaluation:
    """Labelled flows in the window, and those of listed senders.

    Attributes
    ----------
    spam, legitimate: flows; legitimate ones are ham, outgoing, submission and greylisted first attempts
    spam_listed, legitimate_listed: those that listed senders sent at any time
    spam_after, legitimate_after: those that they sent after the record that put them on the list
    """

    spam: int
    legitimate: int
    spam_listed: int
    legitimate_listed: int
    spam_after: int
    legitimate_after: int

    @property
    def lost_per_10000(self) -> float:
        return 10_000 * self.legitimate_listed / self.legitimate if self.legitimate else 0.0


def evaluate(connection: Any, window: Window, listed: Sequence[str], minimum: int) -> Evaluation:
    """Count the records of the view ``records`` by their labels; the table ``flows`` holds those of candidates."""
    spam = f"label IN {SPAM}"
    legitimate = f"(label IN {LEGITIMATE} OR label = 'other' AND starts_with(sublabel, 'greylist'))"
    connection.execute("CREATE TEMP TABLE listed (sender VARCHAR)")
    connection.executemany("INSERT INTO listed VALUES (?)", [[sender] for sender in listed] or [[None]])
    totals = connection.execute(
        f"SELECT count(*) FILTER ({spam}), count(*) FILTER ({legitimate}) FROM records WHERE {window.sql}"
    ).fetchone()
    of_listed = connection.execute(
        f"""SELECT count(*) FILTER ({spam}), count(*) FILTER ({legitimate}),
        count(*) FILTER ({spam} AND start > since), count(*) FILTER ({legitimate} AND start > since)
        FROM flows JOIN (
            SELECT sender, list_sort(list(start) FILTER (verdict = 1))[{minimum}] AS since FROM flows GROUP BY sender
        ) USING (sender) WHERE sender IN (SELECT sender FROM listed WHERE sender IS NOT NULL)"""
    ).fetchone()
    return Evaluation(*totals, *of_listed)
