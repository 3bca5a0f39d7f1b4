"""Rows of CSV files, plain or gzipped, each with its line; what is wrong with a file is one line."""

import csv
import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path

from compiler.errors import InputError

__all__ = ["read_lines", "read_rows"]


def read_lines(path: Path, required: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Line number and fields of every row, the header first, which must name these columns."""
    try:
        with path.open("rb") as file:
            zipped = file.peek(2)[:2] == b"\x1f\x8b"
        with (gzip.open if zipped else open)(path, "rt", encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(filter(None, reader), None)
            if header is None:
                raise InputError(f"{path}: is empty")
            for name in required:
                if name not in header:
                    raise InputError(f"{path}: column {name!r} is missing")
            yield reader.line_num, header
            for row in reader:
                if not row:
                    continue
                if len(row) != len(header):
                    raise InputError(f"{path}: line {reader.line_num}: must have {len(header)} fields, as the header")
                yield reader.line_num, row
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8 text") from None
    except (csv.Error, EOFError, gzip.BadGzipFile, gzip.zlib.error) as error:
        raise InputError(f"{path}: is not a readable CSV file: {error}") from None


def read_rows(path: str | Path, required: Iterable[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """The rows by the names of their columns, each with its place for error messages."""
    lines = read_lines(Path(path), required)
    _, header = next(lines)
    for line, row in lines:
        yield f"{path}: line {line}", dict(zip(header, row, strict=True))
