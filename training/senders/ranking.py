"""Senders by their records in a window of time, and the figures of the paper about them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from compiler.errors import InputError

__all__ = ["Candidate", "Ranking", "Window", "rank_senders", "wilson_lower"]

_OWN = "SELECT sender FROM own WHERE sender IS NOT NULL"

_IDENTITY = "sender, client_ip, client_port, server_ip, server_port, start, verdict, score, label, sublabel"
"""Records that agree in all of it are one that came more than once."""

_Z = 1.959963984540054
"""Of the normal distribution, for 95 %."""


@dataclass(frozen=True)
class Window:
    """The time that records count in, both ends included; ``begin`` is None when all before ``end`` do."""

    begin: datetime | None
    end: datetime

    @property
    def sql(self) -> str:
        since = "" if self.begin is None else f"start >= TIMESTAMP '{self.begin:%Y-%m-%d %H:%M:%S.%f}' AND "
        return f"{since}start <= TIMESTAMP '{self.end:%Y-%m-%d %H:%M:%S.%f}'"

    def __str__(self) -> str:
        begin = "the first record" if self.begin is None else f"{self.begin:%Y-%m-%d %H:%M:%S}"
        return f"{begin} to {self.end:%Y-%m-%d %H:%M:%S} UTC"


@dataclass(frozen=True)
class Candidate:
    """A sender with so many records that the rule looks at it."""

    sender: str
    records: int
    spam: int
    uncertain: int
    background: int
    first: datetime
    last: datetime

    @property
    def spam_share_lower(self) -> float:
        return float(wilson_lower(self.spam, self.records))


@dataclass(frozen=True)
class Ranking:
    """What the records say about senders.

    Attributes
    ----------
    records, spam: in the window, of own servers left out
    of_own: records of own servers in the window
    outside: records outside the window
    senders, spam_senders, one_spam: senders, those with a SPAM record, with exactly one
    duplicates: records that were there before, and are not counted
    top: senders with the most SPAM records
    candidates: senders with the least number of SPAM records that the rule asks for, the most first
    own: own servers among them
    monitor_only, anonymised: whether any record in the window says so
    """

    window: Window
    records: int
    spam: int
    of_own: int
    outside: int
    senders: int
    spam_senders: int
    one_spam: int
    duplicates: int
    top: tuple[Candidate, ...]
    candidates: tuple[Candidate, ...]
    own: tuple[Candidate, ...]
    monitor_only: bool
    anonymised: bool

    def share_of_top(self, number: int) -> float:
        """The share of all SPAM records that this many senders with the most of them sent."""
        return sum(sender.spam for sender in self.top[:number]) / self.spam if self.spam else 0.0


def wilson_lower(hits: ArrayLike, of: ArrayLike) -> NDArray[np.float64]:
    """The lower end of the 95 % interval of a share (Wilson, 1927), 0 of none."""
    some = np.maximum(of, 1)
    share, z2 = np.asarray(hits) / some, _Z * _Z
    spread = _Z * np.sqrt((share * (1 - share) + z2 / (4 * some)) / some)
    return np.maximum(0.0, (share + z2 / (2 * some) - spread) / (1 + z2 / some))


def rank_senders(
    connection: Any,
    own: Collection[str],
    *,
    minimum: int,
    hours: float | None,
    until: datetime | None,
    top: int,
) -> Ranking:
    """Count the view ``records`` by sender. Leaves the tables ``senders`` and ``flows``, the candidates' records.

    Records that come twice are looked for among those of candidates. Where there are any, the view is made anew
    without all that come twice, and everything is counted once more.

    Parameters
    ----------
    own: senders that are own servers
    minimum: SPAM records that make a candidate
    hours: length of the window, None for all that there is
    until: its end, None for the newest record
    """
    rows, newest = connection.execute("SELECT count(*), max(start) FROM records").fetchone()
    if not rows:
        raise InputError("no records")
    end = newest if until is None else until.astimezone(UTC).replace(tzinfo=None)
    if end is None:
        raise InputError("no record has a start")
    window = Window(None if hours is None else end - timedelta(hours=hours), end)
    _count_senders(connection, window)
    duplicates = 0
    if _collect_flows(connection, window, minimum):
        connection.execute("ALTER VIEW records RENAME TO repeated")
        connection.execute(f"CREATE VIEW records AS SELECT DISTINCT ON ({_IDENTITY}) * FROM repeated")
        (different,) = connection.execute("SELECT count(*) FROM records").fetchone()
        rows, duplicates = different, rows - different
        _count_senders(connection, window)
        _collect_flows(connection, window, minimum)
    connection.execute("CREATE TEMP TABLE own (sender VARCHAR)")
    connection.executemany("INSERT INTO own VALUES (?)", [[sender] for sender in sorted(own)] or [[None]])
    total, spam, of_own, senders, spam_senders, one_spam, monitor_only, anonymised, inside = connection.execute(
        f"""SELECT coalesce(sum(records) FILTER (NOT own), 0), coalesce(sum(spam) FILTER (NOT own), 0),
        coalesce(sum(records) FILTER (own), 0), count(*) FILTER (NOT own), count(*) FILTER (NOT own AND spam > 0),
        count(*) FILTER (NOT own AND spam = 1), coalesce(bool_or(monitor_only), false),
        coalesce(bool_or(anonymised), false), coalesce(sum(records), 0)
        FROM (SELECT *, sender IN ({_OWN}) AS own FROM senders)"""
    ).fetchone()
    if not inside:
        raise InputError(f"no record of {rows} lies in the window, {window}")
    counted = """SELECT sender, count(*) AS records, count(*) FILTER (verdict = 1) AS spam,
        count(*) FILTER (verdict = 0), count(*) FILTER (verdict = -1), min(start), max(start)
        FROM flows GROUP BY sender"""
    found = [Candidate(*row) for row in connection.execute(f"{counted} ORDER BY spam DESC, sender").fetchall()]
    enough = [candidate for candidate in found if candidate.spam >= minimum]
    ranked = connection.execute(
        f"""SELECT sender, records, spam, uncertain, background, first, last FROM senders
        WHERE spam > 0 AND sender NOT IN ({_OWN})
        ORDER BY spam DESC, sender LIMIT {max(top, 1)}"""
    ).fetchall()
    return Ranking(
        window=window,
        records=int(total),
        spam=int(spam),
        of_own=int(of_own),
        outside=rows - int(inside),
        senders=senders,
        spam_senders=spam_senders,
        one_spam=one_spam,
        duplicates=duplicates,
        top=tuple(Candidate(*row) for row in ranked),
        candidates=tuple(candidate for candidate in enough if candidate.sender not in own),
        own=tuple(candidate for candidate in enough if candidate.sender in own),
        monitor_only=monitor_only,
        anonymised=anonymised,
    )


def _count_senders(connection: Any, window: Window) -> None:
    """Make the table ``senders``."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE senders AS SELECT sender, count(*) AS records,
        count(*) FILTER (verdict = 1) AS spam, count(*) FILTER (verdict = 0) AS uncertain,
        count(*) FILTER (verdict = -1) AS background, count(*) FILTER (verdict IS NULL) AS bad,
        min(start) AS first, max(start) AS last,
        bool_or(monitor_only) AS monitor_only, bool_or(anonymised) AS anonymised
        FROM records WHERE {window.sql} GROUP BY sender"""
    )
    _check(connection)


def _collect_flows(connection: Any, window: Window, minimum: int) -> bool:
    """Make the table ``flows``; tells whether any of its records came more than once."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE flows AS SELECT DISTINCT {_IDENTITY} FROM records
        WHERE sender IN (SELECT sender FROM senders WHERE spam >= {minimum}) AND {window.sql}"""
    )
    (records,) = connection.execute(f"SELECT sum(records) FROM senders WHERE spam >= {minimum}").fetchone()
    (different,) = connection.execute("SELECT count(*) FROM flows").fetchone()
    return (records or 0) > different


def _check(connection: Any) -> None:
    """Refuse records whose verdict or features make no sense, naming one of them."""
    (bad,) = connection.execute("SELECT sum(bad) FROM senders").fetchone()
    if bad:
        name, client, port, start = connection.execute(
            "SELECT filename, client_ip, client_port, start FROM records WHERE verdict IS NULL ORDER BY start LIMIT 1"
        ).fetchone()
        raise InputError(
            f"{name}: {bad} records have no verdict, or features that no flow has; "
            f"the flow from {client} port {port} at {start} for one"
        )
    (nameless,) = connection.execute("SELECT count(*) FROM senders WHERE sender IS NULL").fetchone()
    if nameless:
        raise InputError("records without a client_ip")
