"""Records for tests, in the files that `sim replay` writes, and what `training spammers` says of them."""

import csv
import re
from collections.abc import Iterable
from pathlib import Path

from hdl.accumulator import OCTETS, PACKETS
from hdl.verdict import EndReason, Verdict, VerdictReason
from sim.export_records import ExportedRecord
from sim.identity import Endpoint, Pseudonym
from sim.record_file import writing_records
from tests.training.cases import run_training
from training.maillog.sessions import number_of

__all__ = ["HEADER", "ROW", "SERVER", "START_MS", "figure", "many", "record", "spammers", "table", "write_records"]

SERVER = "192.0.2.25"
START_MS = 1_795_446_000_000
HEADER = (
    "start,end,client_ip,client_port,server_ip,server_port,packets,octets,response_packets,response_octets,end_reason,"
    "biflow_direction,verdict,reason,score,forest_id,build_id,monitor_only,anonymised,early\n"
)
ROW = (
    "2026-11-23T15:00:00.000Z,2026-11-23T15:00:00.500Z,198.51.100.7,4000,192.0.2.25,25,5,500,5,500,end,1,spam,decided,"
    "100,00000001,00000002,0,0,0\n"
)
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


def many(client: str, verdicts: list[int], second: float = 0, **changes) -> list:
    """Records of one client, a second apart."""
    return [record(client, verdict, second + at, port=1000 + at, **changes) for at, verdict in enumerate(verdicts)]


def spammers(*arguments) -> int:
    """The exit code of the command."""
    return run_training("spammers", *arguments)


def figure(said: str, name: str) -> str:
    """What stands beside a name in the tables that the command prints."""
    return re.search(rf"│ {re.escape(name)} +│ +(\S.*?) │", said)[1]
