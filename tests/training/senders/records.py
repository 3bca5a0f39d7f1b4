"""Records for tests, in the files that `sim replay` writes."""

import csv
from collections.abc import Iterable
from pathlib import Path

from hdl.accumulator import OCTETS, PACKETS
from hdl.verdict import EndReason, Verdict, VerdictReason
from sim.export_records import ExportedRecord
from sim.identity import Endpoint, Pseudonym
from sim.record_file import writing_records
from training.maillog.sessions import number_of

__all__ = ["SERVER", "START_MS", "record", "table", "write_records"]

SERVER = "192.0.2.25"
START_MS = 1_795_446_000_000
_COUNTS = {PACKETS: 5, OCTETS: 500}


def record(client: str, verdict: int, second: float = 0, *, port: int = 40_000, server: str = SERVER, **changes):
    """A record of a flow; a client of 16 hexadecimal digits is a pseudonym."""
    address = Pseudonym(int(client, 16)) if len(client) == 16 and ":" not in client else number_of(client)
    first_ms = START_MS + round(1000 * second)
    reason = VerdictReason.DECIDED if verdict else VerdictReason.BAND
    fields = {
        "version": 6 if ":" in client else 4,
        "initiator": Endpoint(address, port),
        "responder": Endpoint(number_of(server), 25),
        "first_ms": first_ms,
        "last_ms": first_ms + 500,
        "end_reason": EndReason.END,
        "biflow_direction": 1,
        "forward": _COUNTS,
        "response": _COUNTS,
        "verdict": Verdict(verdict),
        "reason": reason,
        "score": 100 * verdict,
        "forest_id": 1,
        "build_id": 2,
    }
    return ExportedRecord(**fields | changes)


def write_records(path: Path, records: Iterable[ExportedRecord]) -> Path:
    with writing_records(path) as writer:
        for each in records:
            writer.record(each)
    return path


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
