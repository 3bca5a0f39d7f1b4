"""Files of flows: one row a flow, as CSV or Parquet. Text columns describe the flow, every other one is an integer."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from compiler.atomic import check_file_target, replacing
from compiler.errors import InputError
from compiler.extras import import_extra
from compiler.features import CATALOGUE, REFERENCE_COLUMNS
from hdl.accumulator import PACKETS
from sim.flow_columns import FlowColumns
from sim.identity import address_text

from .csv_file import read_rows
from .labels import FlowLabel
from .measure import MeasuredCapture

__all__ = [
    "FLOW_COLUMNS",
    "PREFIX_COLUMN",
    "RAW_COLUMNS",
    "check_target",
    "flow_columns",
    "flow_rows",
    "raw_rows",
    "read_flow_rows",
    "read_parquet",
    "timestamp",
    "write_rows",
]

_DESCRIPTION = (
    "t_start",
    "client_ip",
    "client_port",
    "server_ip",
    "server_port",
    "sender",
    "label",
    "sublabel",
)

FLOW_COLUMNS = (*_DESCRIPTION, "syn_seen", "packets", *CATALOGUE)
"""Columns of a file to train on: the flow, its label, then every feature of the catalogue as an integer."""

PREFIX_COLUMN = "prefix"
"""Comes behind them in a file of flows as they are at a packet of this number."""

RAW_COLUMNS = (
    *("file", "src", "sport", "dst", "dport", "first_ts"),
    *REFERENCE_COLUMNS,
    *("r" + name for name in REFERENCE_COLUMNS),
)
"""Columns of a file of raw accumulators."""

_CHUNK_ROWS = 1 << 12


def flow_columns(prefix: int) -> tuple[str, ...]:
    """Columns of a file of flows as they are at this packet, 0 of whole ones."""
    return (*FLOW_COLUMNS, PREFIX_COLUMN) if prefix else FLOW_COLUMNS


def flow_rows(
    capture: MeasuredCapture,
    labels: Sequence[FlowLabel | None],
    servers: frozenset[str] = frozenset(),
    prefix: int = 0,
) -> Iterator[tuple]:
    """Rows of :func:`flow_columns`; ``labels`` are those of the flows.

    The client is the initiator. The sender, whom the flow is put down to, is the client; but the other side of a flow
    that one of our own ``servers`` opened, or that is labelled outgoing.
    """
    for begin, flows in _chunks(capture.flows):
        clients, servers_of = _addresses(flows, flows.initiator_address), _addresses(flows, flows.responder_address)
        found = labels[begin : begin + len(flows)]
        outgoing = [
            client in servers or (label is not None and label.label == "outgoing")
            for client, label in zip(clients, found, strict=True)
        ]
        measured = (
            flows.syn.astype(np.int64),
            flows.forward[PACKETS] + flows.response[PACKETS],
            *(f.values(flows.forward, flows.response, flows.duration_ms) for f in CATALOGUE.values()),
            *([np.full(len(flows), prefix)] if prefix else []),
        )
        yield from zip(
            map(timestamp, flows.start_ns.tolist()),
            clients,
            flows.initiator_port.tolist(),
            servers_of,
            flows.responder_port.tolist(),
            [server if out else client for out, client, server in zip(outgoing, clients, servers_of, strict=True)],
            ["" if label is None else label.label for label in found],
            ["" if label is None else label.sublabel for label in found],
            *(column.tolist() for column in measured),
            strict=True,
        )


def raw_rows(capture: MeasuredCapture) -> Iterator[tuple]:
    """Rows of RAW_COLUMNS."""
    for _, flows in _chunks(capture.flows):
        yield from zip(
            capture.files_of(flows),
            _addresses(flows, flows.initiator_address),
            flows.initiator_port.tolist(),
            _addresses(flows, flows.responder_address),
            flows.responder_port.tolist(),
            map(timestamp, flows.start_ns.tolist()),
            *(flows.forward[accumulator].tolist() for accumulator in REFERENCE_COLUMNS.values()),
            *(flows.response[accumulator].tolist() for accumulator in REFERENCE_COLUMNS.values()),
            strict=True,
        )


def _chunks(flows: FlowColumns) -> Iterator[tuple[int, FlowColumns]]:
    """The flows, few at a time, as rows take many times their memory; and how many came before."""
    for begin in range(0, len(flows), _CHUNK_ROWS):
        yield begin, flows[begin : begin + _CHUNK_ROWS]


def _addresses(flows: FlowColumns, addresses: np.ndarray) -> list[str]:
    pairs = zip(flows.version.tolist(), addresses.tolist(), strict=True)
    return [_address(version, high << 64 | low) for version, (high, low) in pairs]


_address = lru_cache(maxsize=1 << 16)(address_text)


def timestamp(time_ns: int) -> str:
    seconds, rest = divmod(time_ns // 1000, 1_000_000)
    return f"{seconds}.{rest:06}"


def check_target(path: Path, *, inputs: Iterable[Path] = ()) -> None:
    """Refuse what cannot be written, or is one of the files that are read, before any work is done."""
    check_file_target(path, (".csv", ".parquet"), inputs=inputs)
    if path.suffix == ".parquet":
        _polars(path)


def write_rows(path: Path, columns: tuple[str, ...], rows: Iterable[tuple]) -> None:
    """Write a whole file or none; there is a row at least."""
    check_target(path)
    with replacing(path) as fresh:
        if path.suffix == ".parquet":
            polars, rows = _polars(path), iter(rows)
            chunks = iter(lambda: list(islice(rows, _CHUNK_ROWS)), [])
            frames = [polars.DataFrame(chunk, schema=list(columns), orient="row") for chunk in chunks]
            polars.concat(frames, how="vertical_relaxed").write_parquet(fresh)
            return
        with fresh.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(rows)


def read_flow_rows(path: Path, required: Iterable[str]) -> Iterable[tuple[str, dict[str, Any]]]:
    """The rows of a file of flows, values as text or integers, each with its place for error messages."""
    if path.suffix != ".parquet":
        yield from read_rows(path, required)
        return
    frame = read_parquet(path, tuple(required))
    for number, row in enumerate(frame.iter_rows(named=True), 1):
        yield f"{path}: row {number}", row


def read_parquet(path: Path, required: Sequence[str], optional: Sequence[str] | None = None) -> Any:
    """The data frame of a file, which must have these columns; of the others the optional ones, by default all."""
    polars = _polars(path)
    try:
        known = polars.read_parquet_schema(path)
        for name in required:
            if name not in known:
                raise InputError(f"{path}: column {name!r} is missing")
        columns = None if optional is None else [*required, *(name for name in optional if name in known)]
        return polars.read_parquet(path, columns=columns)
    except polars.exceptions.PolarsError as error:
        raise InputError(f"{path}: is not a readable Parquet file: {error}") from None


def _polars(path: Path) -> Any:
    return import_extra("polars", "parquet", path)
