"""The rows of foreign tables: CSV, JSON values one behind the other, Zeek's own; each with its place for errors."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

from compiler.errors import InputError

from ..maillog.log_lines import LineTally, log_lines

__all__ = ["ForeignRow", "csv_rows", "is_json", "json_rows", "zeek_rows"]

_ABSENT = ("", "-", "(empty)")


class ForeignRow:
    """A row by the names of its columns; asks for values by type, and errors name the place."""

    def __init__(self, place: str, values: dict[str, Any]):
        self.place = place
        self._values = values

    def text(self, name: str) -> str:
        value = self._values.get(name)
        if value is None:
            raise InputError(f"{self.place}: {name!r} is missing")
        return str(value).strip()

    def number(self, name: str) -> int:
        value = self.decimal(name)
        if value != int(value) or value < 0:
            raise InputError(f"{self.place}: {name} must be an integer from 0, not {self._values[name]!r}")
        return int(value)

    def decimal(self, name: str) -> float:
        try:
            value = float(self.text(name))
        except ValueError:
            value = float("nan")
        if not abs(value) < 1e18:
            raise InputError(f"{self.place}: {name} must be a number, not {self._values[name]!r}")
        return value

    def time_s(self, name: str, zone: tzinfo) -> float:
        """Seconds since 1970 of a date and time that stand in this zone."""
        try:
            time = datetime.fromisoformat(self.text(name))
        except ValueError:
            raise InputError(f"{self.place}: {name} must be a time, not {self._values[name]!r}") from None
        return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC).timestamp()

    def tells(self, *names: str) -> bool:
        return all(str(self._values.get(name, "")).strip() not in _ABSENT for name in names)


def is_json(path: Path) -> bool:
    first = next(log_lines(path, LineTally()), "")
    return first.lstrip()[:1] in ("{", "[")


def csv_rows(path: Path, required: tuple[str, ...], end: str = "") -> Iterator[ForeignRow]:
    """Rows of a CSV file with a header, up to a line of ``end`` alone."""
    rows = csv.reader(log_lines(path, LineTally()))
    try:
        header = next(rows, [])
        _check(path, header, required)
        for fields in rows:
            if end and fields[:1] == [end]:
                return
            yield _row(path, rows.line_num, header, fields)
    except csv.Error as error:
        raise InputError(f"{path}: line {rows.line_num}: is not readable CSV: {error}") from None


def zeek_rows(path: Path, required: tuple[str, ...]) -> Iterator[ForeignRow]:
    """Rows of a Zeek log with tabs, whose names of columns stand behind ``#fields``."""
    tally, header = LineTally(), None
    for line in log_lines(path, tally):
        text = line.rstrip("\r\n")
        if text.startswith("#fields\t"):
            header = text.split("\t")[1:]
            _check(path, header, required)
        elif text and not text.startswith("#"):
            if header is None:
                raise InputError(f"{path}: line {tally.lines}: must come behind a line #fields")
            yield _row(path, tally.lines, header, text.split("\t"))
    if header is None:
        raise InputError(f"{path}: has no line #fields")


def json_rows(path: Path) -> Iterator[ForeignRow]:
    """JSON objects, in an array or one behind the other, without holding all of them."""
    decoder, buffer, number = json.JSONDecoder(), "", 0
    for line in log_lines(path, LineTally()):
        buffer = (buffer + line).lstrip(" \t\r\n,[")
        # An object ends where a line ends; only there is it worth a try.
        while buffer.startswith("{") and line.rstrip().endswith(("}", "},", "]")):
            try:
                value, end = decoder.raw_decode(buffer)
            except json.JSONDecodeError:
                break
            number += 1
            yield ForeignRow(f"{path}: record {number}", value)
            buffer = buffer[end:].lstrip(" \t\r\n,[")
    if buffer.strip(" \t\r\n,[]"):
        raise InputError(f"{path}: is not readable JSON behind record {number}")


def _check(path: Path, header: list[str], required: tuple[str, ...]) -> None:
    for name in required:
        if name not in header:
            raise InputError(f"{path}: column {name!r} is missing")


def _row(path: Path, line: int, header: list[str], fields: list[str]) -> ForeignRow:
    place = f"{path}: line {line}"
    if len(fields) != len(header):
        raise InputError(f"{place}: must have {len(header)} fields, not {len(fields)}")
    return ForeignRow(place, dict(zip(header, fields, strict=True)))
