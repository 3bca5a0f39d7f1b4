"""When a log line was written: the usual forms of time stamps, with the year and time zone that they may lack."""

import calendar
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from compiler.errors import InputError

__all__ = ["LogClock", "Stamped", "parse_zone"]

_MONTHS = {name: number for number, name in enumerate(calendar.month_abbr) if name}
_CLOCK = r"(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?"
# A priority and a version in front are those of syslog over a network (RFC 3164, RFC 5424).
_ISO = re.compile(rf"(?:<\d+>1 )?(\d{{4}})-(\d\d)-(\d\d)[ T]{_CLOCK} ?(?:\[?(Z|[+-]\d\d:?\d\d)\]?)?:? ")
_SYSLOG = re.compile(rf"(?:<\d+>)?([A-Z][a-z]{{2}}) +(\d{{1,2}}) {_CLOCK} ")
_CTIME = re.compile(rf"[A-Z][a-z]{{2}} ([A-Z][a-z]{{2}}) +(\d{{1,2}}) {_CLOCK} (\d{{4}}) ")
_HALF_YEAR = 6


class Stamped(NamedTuple):
    """A log line apart from its time.

    Attributes
    ----------
    time_s: seconds since 1970; of the clock on the wall where neither the line nor anybody else tells the zone
    text: what stands behind the time
    """

    time_s: float
    text: str


class LogClock:
    """Reads the times of the lines of one log, in their order.

    Parameters
    ----------
    year: of the first line that has none; later ones follow its turns
    zone: of lines that have none; None leaves them as they are

    Attributes
    ----------
    needs_year: a line without a year was read
    needs_zone: a line without a zone was read, and none was given
    fractions: a line told less than a second
    zones: how many lines told each offset
    """

    def __init__(self, year: int, zone: tzinfo | None = None):
        self.needs_year = self.needs_zone = self.fractions = False
        self.zones: dict[str, int] = {}
        self._year, self._zone = year, zone
        self._month = 0

    def read(self, line: str) -> Stamped | None:
        """The line apart from its time, or None when it begins with none."""
        if found := _ISO.match(line):
            year, month, day, *clock, fraction, offset = found.groups()
            date = (int(year), int(month), int(day))
        elif found := _SYSLOG.match(line):
            month, day, *clock, fraction = found.groups()
            date, offset = (self._year_of(_MONTHS.get(month, 0)), _MONTHS.get(month, 0), int(day)), None
        elif found := _CTIME.match(line):
            month, day, *clock, fraction, year = found.groups()
            date, offset = (int(year), _MONTHS.get(month, 0), int(day)), None
        else:
            return None
        hour, minute, second = map(int, clock)
        midnight = _midnight(*date)
        # The 60 is a leap second.
        if midnight is None or hour > 23 or minute > 59 or second > 60:
            return None
        time_s = midnight + 3600 * hour + 60 * minute + second
        if fraction:
            self.fractions = True
            time_s += int(fraction) / 10 ** len(fraction)
        if offset is not None:
            self.zones[offset] = self.zones.get(offset, 0) + 1
            time_s -= _offset_s(offset)
        elif self._zone is not None:
            time_s -= _zone_offset_s(self._zone, *date, hour)
        else:
            self.needs_zone = True
        return Stamped(time_s, line[found.end() :].rstrip("\n"))

    def _year_of(self, month: int) -> int:
        self.needs_year = True
        if self._month:
            if month < self._month - _HALF_YEAR:
                self._year += 1
            elif month > self._month + _HALF_YEAR:
                # A straggler of the old year; the turn comes again.
                self._year -= 1
        self._month = month
        return self._year


@lru_cache(maxsize=1 << 10)
def _midnight(year: int, month: int, day: int) -> int | None:
    """Seconds since 1970 at the beginning of a day in UTC, or None when there is no such day."""
    try:
        return int(datetime(year, month, day, tzinfo=UTC).timestamp())
    except ValueError:
        return None


@lru_cache(maxsize=1 << 10)
def _zone_offset_s(zone: tzinfo, year: int, month: int, day: int, hour: int) -> float:
    # Zones change at whole hours of the clock on the wall; of an hour that comes twice the first is meant.
    return zone.utcoffset(datetime(year, month, day, hour)).total_seconds()


@lru_cache(maxsize=1 << 8)
def _offset_s(text: str) -> int:
    if text == "Z":
        return 0
    sign = -1 if text[0] == "-" else 1
    return sign * (3600 * int(text[1:3]) + 60 * int(text[-2:]))


def parse_zone(text: str) -> tzinfo:
    """A time zone by its name in the IANA database, or as ``+01:00``."""
    if re.fullmatch(r"[+-]\d\d:?\d\d", text):
        return timezone(timedelta(seconds=_offset_s(text)))
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(f"--timezone: must be a name such as Europe/Warsaw or an offset, not {text!r}") from None
