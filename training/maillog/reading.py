"""Mail logs from their files: sessions of the mail server's log, judgements of the spam filter's."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from compiler.errors import InputError

from .exim import EximReader
from .log_lines import LineTally, log_lines
from .log_times import LogClock
from .postfix import PostfixReader
from .session_log import SessionLog
from .sessions import Session
from .spam_filters import Judgement, is_filter_line, judgement_of

__all__ = ["FilterLog", "MailLog", "read_filter_log", "read_mail_log"]

_DAY_S = 86_400.0
_WIDE_S = 15 * 3600.0
"""How far two clocks are apart at most that show the time of different zones, and a little more."""
_YEARS = 2


@dataclass
class MailLog:
    """The log of a mail server.

    Attributes
    ----------
    clock: that its times were read by
    first_s, last_s: times of its first and last line
    tally: of its lines
    judgements: of spam filters that write to the same log
    """

    path: Path
    sessions: SessionLog
    clock: LogClock
    first_s: float
    last_s: float
    tally: LineTally
    judgements: list[Judgement] = field(default_factory=list)


@dataclass
class FilterLog:
    """The log of a spam filter; ``judgements`` are those that were wanted."""

    path: Path
    clock: LogClock
    tally: LineTally
    judgements: list[Judgement] = field(default_factory=list)


def read_mail_log(
    path: Path,
    wanted: Callable[[Session], bool],
    captured_s: tuple[float, float],
    *,
    year: int | None = None,
    zone: tzinfo | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> MailLog:
    """Read the log of Postfix or Exim, one line after the other.

    Parameters
    ----------
    wanted: whether a session may belong to the capture, by its client; of the others only their number is kept
    captured_s: the time of the capture, which says the year where lines have none and ``year`` is None
    """
    clock = LogClock(_first_year(path, captured_s, zone) if year is None else year, zone)
    begin_s, end_s = captured_s[0] - _WIDE_S, captured_s[1] + _WIDE_S
    log = SessionLog(lambda session: begin_s <= session.first_s <= end_s and wanted(session))
    tally, judgements = LineTally(), []
    readers, recognised, first_s, last_s = [PostfixReader(log), EximReader(log)], False, None, None
    for line in log_lines(path, tally, on_progress):
        stamped = clock.read(line)
        if stamped is None:
            tally.cannot_parse(path, line)
            continue
        time_s, text = stamped
        first_s = time_s if first_s is None else first_s
        last_s = time_s if last_s is None else max(time_s, last_s)
        used = None
        for reader in readers:
            used = reader.take(time_s, text)
            if used is not None:
                recognised = True
                break
        if used:
            # A log is of one server; which one, the first line about a session says.
            readers = [reader]
        elif used is None and begin_s <= time_s <= end_s and (judgement := judgement_of(time_s, text)):
            judgements.append(judgement)
            used = True
        tally.used += bool(used)
    if first_s is None:
        raise InputError(f"{path}: no line of {tally.lines} begins with a time")
    if not recognised:
        raise InputError(f"{path}: none of {tally.lines} lines is of Postfix or Exim")
    return MailLog(path, log, clock, first_s, last_s, tally, judgements)


def read_filter_log(
    path: Path,
    wanted: Callable[[Judgement], bool],
    year: int,
    zone: tzinfo | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> FilterLog:
    """Read the log of spamd, amavis or rspamd; ``year`` is that of its first line, where lines have none."""
    clock, tally = LogClock(year, zone), LineTally()
    log = FilterLog(path, clock, tally)
    found = 0
    for line in log_lines(path, tally, on_progress):
        stamped = clock.read(line)
        if stamped is None:
            tally.cannot_parse(path, line)
        elif judgement := judgement_of(*stamped):
            tally.used += 1
            found += 1
            if wanted(judgement):
                log.judgements.append(judgement)
        elif not is_filter_line(stamped.text):
            tally.cannot_parse(path, line)
    if not found:
        raise InputError(f"{path}: none of {tally.lines} lines is a judgement of spamd, amavis or rspamd")
    return log


def _first_year(path: Path, captured_s: tuple[float, float], zone: tzinfo | None) -> int:
    """The year of the first line, so that the log lies nearest to the capture; of equally near ones the latest."""
    captured = datetime.fromtimestamp(captured_s[0], UTC).year
    clock, first_s, last_s = LogClock(captured, zone), None, None
    for line in log_lines(path, LineTally()):
        if stamped := clock.read(line):
            if not clock.needs_year:
                return captured
            first_s = stamped.time_s if first_s is None else first_s
            last_s = stamped.time_s
    if first_s is None:
        return captured

    def apart_s(year: int) -> float:
        moved_s = 365.25 * _DAY_S * (year - captured)
        return max(captured_s[0] - last_s - moved_s, first_s + moved_s - captured_s[1], 0.0)

    return min(range(captured + 1, captured - 1 - _YEARS, -1), key=apart_s)
