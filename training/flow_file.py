"""Files of flows: one row a flow, as CSV or Parquet. Text columns describe the flow, every other one is an integer."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from compiler.atomic import check_file_target, replacing
from compiler.errors import InputError
from compiler.extras import import_extra
from compiler.features import CATALOGUE, REFERENCE_COLUMNS
from sim.identity import address_text

from .labels import LabelTable, read_rows
from .measure import MeasuredCapture

__all__ = [
    "FLOW_COLUMNS",
    "RAW_COLUMNS",
    "check_target",
    "flow_rows",
    "raw_rows",
    "read_flow_rows",
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

RAW_COLUMNS = (
    *("file", "src", "sport", "dst", "dport", "first_ts"),
    *REFERENCE_COLUMNS,
    *("r" + name for name in REFERENCE_COLUMNS),
)
"""Columns of a file of raw accumulators."""


def flow_rows(
    capture: MeasuredCapture, labels: LabelTable | None = None, servers: frozenset[str] = frozenset()
) -> Iterable[tuple]:
    """Rows of FLOW_COLUMNS.

    The client is the initiator. The sender, whom the flow is put down to, is the client; but the other side of a flow
    that one of our own ``servers`` opened, or that is labelled outgoing.
    """
    for start_ns, flow in capture.flows:
        start_s = start_ns / 1e9
        label = labels.find(flow, start_s) if labels is not None else None
        client = address_text(flow.version, flow.initiator.address)
        server = address_text(flow.version, flow.responder.address)
        outgoing = client in servers or (label is not None and label.label == "outgoing")
        yield (
            _timestamp(start_ns),
            *(client, flow.initiator.port, server, flow.responder.port),
            server if outgoing else client,
            *((label.label, label.sublabel) if label is not None else ("", "")),
            *(int(flow.syn), flow.packets),
            *(feature.value(flow.forward, flow.response, flow.duration_ms) for feature in CATALOGUE.values()),
        )


def raw_rows(capture: MeasuredCapture) -> Iterable[tuple]:
    """Rows of RAW_COLUMNS."""
    for start_ns, flow in capture.flows:
        yield (
            capture.name,
            *(address_text(flow.version, flow.initiator.address), flow.initiator.port),
            *(address_text(flow.version, flow.responder.address), flow.responder.port),
            _timestamp(start_ns),
            *(flow.forward[accumulator] for accumulator in REFERENCE_COLUMNS.values()),
            *(flow.response[accumulator] for accumulator in REFERENCE_COLUMNS.values()),
        )


def _timestamp(time_ns: int) -> str:
    seconds, rest = divmod(time_ns // 1000, 1_000_000)
    return f"{seconds}.{rest:06}"


def check_target(path: Path) -> None:
    """Refuse what cannot be written before any work is done."""
    check_file_target(path, (".csv", ".parquet"))
    if path.suffix == ".parquet":
        _polars(path)


def write_rows(path: Path, columns: tuple[str, ...], rows: list[tuple]) -> None:
    """Write a whole file or none."""
    check_target(path)
    with replacing(path) as fresh:
        if path.suffix == ".parquet":
            _polars(path).DataFrame(rows, schema=list(columns), orient="row").write_parquet(fresh)
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
    polars = _polars(path)
    try:
        frame = polars.read_parquet(path)
    except polars.exceptions.PolarsError as error:
        raise InputError(f"{path}: is not a readable Parquet file: {error}") from None
    for name in required:
        if name not in frame.columns:
            raise InputError(f"{path}: column {name!r} is missing")
    for number, row in enumerate(frame.iter_rows(named=True), 1):
        yield f"{path}: row {number}", row


def _polars(path: Path) -> Any:
    return import_extra("polars", "parquet", path)
