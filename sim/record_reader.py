"""Files of IPFIX messages (RFC 5655) as flow records: what ``replay``, ``feed`` and ``listen`` keep as .ipfix."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from compiler.errors import InputError

from .export_records import ExportedRecord, exported
from .ipfix_messages import MESSAGE_HEADER_BYTES, Collector

__all__ = ["read_ipfix_records"]


def read_ipfix_records(path: Path, unread: Counter[str] | None = None) -> Iterator[ExportedRecord]:
    """The flow records of a file, in its order.

    Parameters
    ----------
    unread: counts sets and records of data that cannot be read, by reason, and records that were ``missing``
    """
    unread = Counter() if unread is None else unread
    collector, at = Collector(), 0
    with path.open("rb") as file:
        while header := file.read(MESSAGE_HEADER_BYTES):
            length = int.from_bytes(header[2:4], "big")
            body = file.read(max(0, length - MESSAGE_HEADER_BYTES))
            try:
                message = collector.read(header + body)
            except ValueError as error:
                raise InputError(f"{path}: the message at byte {at} is no IPFIX: {error}") from None
            at += length
            if message.missing:
                unread["missing"] += message.missing
            for undecodable in message.undecodable:
                unread[f"template {undecodable.template}: {undecodable.reason}"] += 1
            for data in message.records:
                try:
                    record = exported(data)
                except ValueError as error:
                    unread[str(error)] += 1
                    continue
                if isinstance(record, ExportedRecord):
                    yield record
