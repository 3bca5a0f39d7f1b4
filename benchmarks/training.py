"""Time and memory of the commands of training on many flow records.

    python -m benchmarks.training [RECORDS]

Each part makes its own input, RECORDS (ten million) rows of it, from a fixed seed; each measurement is the command
itself, in a process of its own.
"""

import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
from rich.console import Console

from .extraction import cpu_name
from .tables import write_results

SERVER = "192.0.2.25"
_SEED = 1
_SENDERS = 1_000_000

Row = dict[str, object]


def main() -> None:
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as directory:
        tables = {title: part(Path(directory), records, console) for title, part in PARTS.items()}
    notes = {"cpu": cpu_name(), "Python": platform.python_version(), "numpy": np.__version__}
    notes["duckdb"] = metadata.version("duckdb")
    write_results("training", "python -m benchmarks.training", notes, tables)


def measured(*arguments: object) -> tuple[str, float, int]:
    """What a command of training says, its seconds and its peak bytes, in a process of its own."""
    said = subprocess.run(
        [sys.executable, "-m", "benchmarks.training", "measure", *map(str, arguments)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    result = json.loads(said.splitlines()[-1])
    return result["said"], result["seconds"], result["peak_bytes"]


def _measure(arguments: list[str]) -> None:
    started = time.perf_counter()
    said = subprocess.run(
        [sys.executable, "-m", "training", *arguments],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ).stdout
    seconds = time.perf_counter() - started
    # Of Linux in units of 1024 bytes.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    print(json.dumps({"said": said, "seconds": seconds, "peak_bytes": peak}))


def _spammers(directory: Path, records: int, console: Console) -> list[Row]:
    """Records of a million senders, some of whom send most, as Parquet and as CSV."""
    rows = []
    for suffix in ("parquet", "csv"):
        path = directory / f"records.{suffix}"
        write_records(path, records)
        for memory_mb in (256, 1024):
            _, seconds, peak_bytes = measured("spammers", path, "--server", SERVER, "--memory", memory_mb)
            rows.append(
                {
                    "file": suffix,
                    "file, MB": round(path.stat().st_size / 1e6),
                    "records": records,
                    "senders": _SENDERS,
                    "--memory, MB": memory_mb,
                    "seconds": round(seconds, 1),
                    "records/s": round(records / seconds),
                    "peak memory, MB": round(peak_bytes / 1e6),
                }
            )
            console.print(rows[-1])
        path.unlink()
    return rows


def write_records(path: Path, records: int) -> None:
    """Records as ``sim replay`` writes them, of a million senders of whom few send most."""
    import duckdb

    form = "FORMAT parquet" if path.suffix == ".parquet" else "FORMAT csv, HEADER"
    drawn = f"SELECT i, CAST(floor({_SENDERS} * pow(random(), 3)) AS BIGINT) AS rank FROM range({records}) r(i)"
    judged = f"""SELECT i, rank, TIMESTAMP '2026-11-23' + to_milliseconds(i // 200) AS seen,
        rank % 9 = 0 AND random() < 0.9 AS spam FROM ({drawn})"""
    with duckdb.connect() as connection:
        connection.execute(f"SELECT setseed({_SEED / 10}); SET threads = 1; SET preserve_insertion_order = false")
        connection.execute(
            f"""COPY (SELECT strftime(seen, '%Y-%m-%dT%H:%M:%S.%gZ') AS start, start AS "end",
            concat('10.', rank // 65536, '.', rank // 256 % 256, '.', rank % 256) AS client_ip,
            1024 + i % 60000 AS client_port, '{SERVER}' AS server_ip, 25 AS server_port, 9 AS packets, 900 AS octets,
            8 AS response_packets, 800 AS response_octets, 'end' AS end_reason, 1 AS biflow_direction,
            CASE WHEN spam THEN 'spam' ELSE 'background' END AS verdict, 'decided' AS reason,
            CASE WHEN spam THEN 900 ELSE -900 END AS score, '0000000a' AS forest_id, '0000000b' AS build_id,
            0 AS monitor_only, 0 AS anonymised, 0 AS early
            FROM ({judged})) TO '{path}' ({form})"""
        )


PARTS: dict[str, Callable[[Path, int, Console], list[Row]]] = {
    "python -m training spammers": _spammers,
}
"""Tables by their titles, each by what makes it."""


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        _measure(sys.argv[2:])
    else:
        main()
