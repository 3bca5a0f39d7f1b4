"""Files of flows in columns, some thousand rows at a time, so that many flows are read at the speed of arrays."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.errors import InputError

from .csv_file import read_lines
from .flow_file import read_parquet

__all__ = ["FlowChunk", "read_flow_chunks"]

_ROWS = 1 << 12


@dataclass(frozen=True)
class FlowChunk:
    """Some rows of a file; a value is a text, or an integer or None where the file is Parquet."""

    columns: dict[str, Sequence[Any]]
    place: Callable[[int], str]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def text(self, name: str) -> Sequence[str]:
        return self.columns[name]

    def unsigned(self, name: str, bits: int) -> NDArray[np.int64]:
        """A column of integers of so many bits; the first other value raises an InputError."""
        values = self.columns[name]
        numbers = _integers(values)
        if numbers is None or numbers.min() < 0 or numbers.max() >> bits:
            for at, value in enumerate(values):
                _check_unsigned(self.place(at), name, value, bits)
            numbers = np.array(list(map(int, values)), np.int64)
        return numbers

    def seconds(self, name: str) -> NDArray[np.float64]:
        """A column of seconds since 1970."""
        values = self.columns[name]
        try:
            found = np.array(list(map(float, values)))
        except (TypeError, ValueError):
            found = np.array([np.nan])
        if not np.all((found >= 0) & (found < np.inf)):
            for at, value in enumerate(values):
                if not _is_time(value):
                    raise InputError(f"{self.place(at)}: {name} must be seconds, not {value!r}")
        return found


def read_flow_chunks(path: Path, required: Iterable[str], optional: Iterable[str] = ()) -> Iterator[FlowChunk]:
    """The columns of a file of flows that are asked for; the optional ones only where it has them."""
    required, optional = tuple(required), tuple(optional)
    if path.suffix == ".parquet":
        frame = read_parquet(path, required, optional)
        names = frame.columns
        for begin in range(0, frame.height, _ROWS):
            part = frame.slice(begin, _ROWS)
            columns = {name: _values(part[name]) for name in names}
            yield FlowChunk(columns, lambda at, begin=begin: f"{path}: row {begin + at + 1}")
        return
    lines = read_lines(path, required)
    _, header = next(lines)
    names = [*required, *(name for name in optional if name in header)]
    places = [header.index(name) for name in names]
    while chunk := list(islice(lines, _ROWS)):
        columns = {name: [row[at] for _, row in chunk] for name, at in zip(names, places, strict=True)}
        yield FlowChunk(columns, lambda at, chunk=chunk: f"{path}: line {chunk[at][0]}")


def _values(series: Any) -> Sequence[Any]:
    """Whole columns of integers as an array, others as a list."""
    if series.dtype.is_integer() and not series.null_count():
        return series.to_numpy()
    return series.to_list()


def _integers(values: Sequence[Any]) -> NDArray[np.int64] | None:
    """None where any value is something else than digits."""
    if isinstance(values, np.ndarray):
        return values.astype(np.int64)
    if not all(isinstance(value, str) for value in values):
        return np.array(values, np.int64) if all(type(value) is int for value in values) else None
    # int() alone would also take "1_000".
    digits = "".join(values)
    if not (all(values) and digits.isascii() and digits.isdigit() and max(map(len, values)) < 19):
        return None
    return np.array(list(map(int, values)), np.int64)


def _check_unsigned(place: str, name: str, value: Any, bits: int) -> None:
    if value in ("", None):
        raise InputError(f"{place}: {name} is absent from this flow")
    is_number = value.isascii() and value.isdigit() if isinstance(value, str) else isinstance(value, int | np.integer)
    if not (is_number and 0 <= int(value) < 1 << bits):
        shown = value.item() if isinstance(value, np.generic) else value
        raise InputError(f"{place}: {name} must be an integer from 0 to {(1 << bits) - 1}, not {shown!r}")


def _is_time(value: Any) -> bool:
    try:
        return 0 <= float(value) < np.inf
    except (TypeError, ValueError):
        return False
