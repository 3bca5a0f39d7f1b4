"""Files of flow records: CSV, Parquet, or the IPFIX messages themselves (RFC 5655)."""

import contextlib
import csv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from compiler.atomic import check_file_target, replacing
from compiler.extras import import_extra
from hdl.accumulator import OCTETS, PACKETS

from .export_records import ExportedRecord
from .identity import Pseudonym, address_text

__all__ = [
    "RECORD_COLUMNS",
    "RecordWriter",
    "check_record_target",
    "record_row",
    "time_text",
    "writing_records",
]

RECORD_COLUMNS = (
    *("start", "end", "client_ip", "client_port", "server_ip", "server_port"),
    *("packets", "octets", "response_packets", "response_octets"),
    *("end_reason", "biflow_direction", "verdict", "reason", "score"),
    *("forest_id", "build_id", "monitor_only", "anonymised", "early"),
)
"""Of CSV and Parquet. The client is the initiator; ``packets`` and ``octets`` are those that it sent."""

_SUFFIXES = (".csv", ".parquet", ".ipfix")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def record_row(record: ExportedRecord) -> tuple[Any, ...]:
    """The row of a record: times in UTC, names in small letters, ids in hexadecimal as forest.json has them."""
    return (
        time_text(record.first_ms),
        time_text(record.last_ms),
        *(address_text(record.version, record.initiator.address), record.initiator.port),
        *(address_text(record.version, record.responder.address), record.responder.port),
        *(record.forward[PACKETS], record.forward[OCTETS], record.response[PACKETS], record.response[OCTETS]),
        record.end_reason.name.lower(),
        record.biflow_direction,
        *(record.verdict.name.lower(), record.reason.name.lower(), record.score),
        *(f"{record.forest_id:08x}", f"{record.build_id:08x}", int(record.monitor_only)),
        *(int(isinstance(record.initiator.address, Pseudonym)), int(record.early)),
    )


def time_text(time_ms: int) -> str:
    """Milliseconds since 1970 as ISO 8601 has them, in UTC."""
    return (_EPOCH + timedelta(milliseconds=time_ms)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class RecordWriter:
    """Takes records and the messages that they came in; each kind of file keeps one of the two."""

    def record(self, record: ExportedRecord) -> None:
        pass

    def message(self, message: bytes) -> None:
        pass


class _Rows(RecordWriter):
    def __init__(self, take: Callable[[tuple], object]):
        self._take = take

    def record(self, record: ExportedRecord) -> None:
        self._take(record_row(record))


class _Messages(RecordWriter):
    def __init__(self, take: Callable[[bytes], object]):
        self._take = take

    def message(self, message: bytes) -> None:
        self._take(message)


def check_record_target(path: Path) -> None:
    """Refuse what cannot be written before any work is done."""
    check_file_target(path, _SUFFIXES)
    if path.suffix == ".parquet":
        _polars(path)


@contextlib.contextmanager
def writing_records(path: Path) -> Iterator[RecordWriter]:
    """A writer for the kind of file that the name of ``path`` says; the file appears whole when the block ends."""
    check_record_target(path)
    with replacing(path) as fresh:
        if path.suffix == ".ipfix":
            with fresh.open("wb") as file:
                yield _Messages(file.write)
        elif path.suffix == ".csv":
            with fresh.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(RECORD_COLUMNS)
                yield _Rows(writer.writerow)
        else:
            rows: list[tuple] = []
            yield _Rows(rows.append)
            frame = _polars(path).DataFrame(rows, schema=list(RECORD_COLUMNS), orient="row")
            frame.write_parquet(fresh)


def _polars(path: Path) -> Any:
    return import_extra("polars", "parquet", path)
