"""Time and memory of the commands of training on many flow records.

    python -m benchmarks.training [--records 10M] [--part flows|fit|spammers ...]

Each part makes its own input, so many rows of it, from a fixed seed; each measurement is the command itself, in a
process of its own. Input for `flows` takes 2.5 kB a record on the disk, for the others 0.3 kB. Parts that are not asked
for keep the results that they have; other numbers than ten million have results of their own, training_100M.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from rich.console import Console

from sim.capture import read_capture

from .extraction import cpu_name, write_capture
from .tables import RESULTS, write_results

SERVER = "192.0.2.25"
_SEED = 1
_SENDERS = 1_000_000
_RECORDS = 10_000_000
_FACTORS = {"M": 1_000_000, "k": 1000}
_TREES = 60
_SAMPLE = Path(__file__).parents[1] / "training" / "data"
_PORTS = "25,587"

Row = dict[str, object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=_number, default=_RECORDS, help="such as 100M or 200k")
    parser.add_argument("--part", action="append", choices=PARTS, help="once for each; default: all")
    given = parser.parse_args()
    parts, records = given.part or list(PARTS), given.records
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as directory:
        tables = {f"python -m training {part}": PARTS[part](Path(directory), records, console) for part in parts}
    notes = {"cpu": cpu_name(), "cores": len(os.sched_getaffinity(0)), "Python": platform.python_version()}
    notes |= {name: metadata.version(name) for name in ("numpy", "scikit-learn", "polars", "duckdb")}
    name, command = "training", "python -m benchmarks.training"
    if records != _RECORDS:
        name, command = f"training_{_said(records)}", f"{command} --records {_said(records)}"
    write_results(name, command, notes, _written(name) | tables)


def _written(name: str) -> dict[str, list[Row]]:
    """The tables that are there, of which those of other parts stay."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text())["tables"] if path.exists() else {}


def _number(text: str) -> int:
    """10M is ten million."""
    digits, factor = (text[:-1], _FACTORS[text[-1]]) if text[-1:] in _FACTORS else (text, 1)
    return int(digits) * factor


def _said(number: int) -> str:
    return next((f"{number // factor}{name}" for name, factor in _FACTORS.items() if number % factor == 0), str(number))


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


def _flows(directory: Path, records: int, console: Console) -> list[Row]:
    """Flows of a capture: the sample of the project again and again, between other addresses."""
    capture, rows = directory / "mail.pcap", []
    of_sample = _flows_of_sample(directory)
    write_capture(capture, -(-records * _packets_of(_SAMPLE / "learn.pcap.gz") // of_sample))
    for suffix in ("csv", "parquet"):
        out = directory / f"flows.{suffix}"
        said, seconds, peak_bytes = measured("flows", capture, "--ports", _PORTS, "-o", out)
        flows = int(said.split(": ")[-1].split(" flows")[0])
        rows.append(
            {
                "to": suffix,
                "capture, MB": round(capture.stat().st_size / 1e6),
                "file, MB": round(out.stat().st_size / 1e6),
                "flows": flows,
                **_cost(flows, seconds, peak_bytes),
            }
        )
        console.print(rows[-1])
        out.unlink()
    capture.unlink()
    return rows


def _fit(directory: Path, records: int, console: Console) -> list[Row]:
    """Sixty trees on flows of the sample again and again, of other senders, their lengths moved by up to 5 %."""
    rows = []
    for suffix in ("parquet", "csv"):
        path = directory / f"flows.{suffix}"
        senders = write_flows(path, records, directory)
        options = ("--ports", _PORTS, "--trees", _TREES, "-o", directory / "forest.json")
        _, seconds, peak_bytes = measured("fit", path, *options)
        rows.append(
            {
                "file": suffix,
                "file, MB": round(path.stat().st_size / 1e6),
                "trees": _TREES,
                "flows": records,
                "senders": senders,
                **_cost(records, seconds, peak_bytes),
            }
        )
        console.print(rows[-1])
        path.unlink()
    return rows


def _cost(records: int, seconds: float, peak_bytes: int) -> Row:
    return {
        "seconds": round(seconds, 1),
        "records/s": round(records / seconds),
        "peak memory, MB": round(peak_bytes / 1e6),
    }


def _spammers(directory: Path, records: int, console: Console) -> list[Row]:
    """Records of a million senders, some of whom send most, as Parquet and as CSV."""
    rows = []
    for suffix in ("parquet", "csv"):
        path = directory / f"records.{suffix}"
        write_records(path, records)
        for memory_mb in (256, 1024):
            row: Row = {
                "file": suffix,
                "file, MB": round(path.stat().st_size / 1e6),
                "records": records,
                "senders": _SENDERS,
                "--memory, MB": memory_mb,
            }
            try:
                _, seconds, peak_bytes = measured("spammers", path, "--server", SERVER, "--memory", memory_mb)
                row |= _cost(records, seconds, peak_bytes)
            except subprocess.CalledProcessError:
                row |= {"seconds": "too little memory", "records/s": "–", "peak memory, MB": "–"}
            rows.append(row)
            console.print(row)
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


def write_flows(path: Path, records: int, directory: Path) -> int:
    """Flows as ``training flows`` writes them, of the sample again and again; returns the number of senders."""
    import duckdb

    sample = directory / "sample.csv"
    of_sample = _flows_of_sample(directory)
    form = "FORMAT parquet" if path.suffix == ".parquet" else "FORMAT csv, HEADER"
    with duckdb.connect() as connection:
        connection.execute(f"SELECT setseed({_SEED / 10}); SET threads = 1")
        found = connection.read_csv(str(sample), all_varchar=True)
        changed = {
            "t_start": "printf('%.6f', t_start::DOUBLE + 1000 * turn)",
            **dict.fromkeys(("client_ip", "sender"), "concat('10.', turn // 250, '.', turn % 250, '.', {} )"),
            **dict.fromkeys(("server_ip", "label"), "{}"),
            "sublabel": "coalesce(sublabel, '')",
            **dict.fromkeys(("spl2", "maxpl", "spps"), "CAST(floor({}::BIGINT * (0.95 + 0.1 * random())) AS BIGINT)"),
        }
        for name in ("client_ip", "sender"):
            changed[name] = changed[name].format(f"hash({name}) % 250")
        selected = [f"{changed.get(name, '{}::BIGINT').format(name)} AS {name}" for name in found.columns]
        connection.execute(
            f"""COPY (SELECT {", ".join(selected)} FROM range({records // of_sample + 1}) turns(turn), found
            LIMIT {records}) TO '{path}' ({form})"""
        )
        reader = connection.read_parquet if path.suffix == ".parquet" else connection.read_csv
        reader(str(path)).create_view("written")
        return connection.execute("SELECT count(DISTINCT sender) FROM written").fetchone()[0]


def _flows_of_sample(directory: Path) -> int:
    """Make the flows of the sample; returns how many they are."""
    capture, labels = _SAMPLE / "learn.pcap.gz", _SAMPLE / "learn.labels.csv.gz"
    options = ("--labels", labels, "--server", "198.19.0.10", "--ports", _PORTS, "-o", directory / "sample.csv")
    said, *_ = measured("flows", capture, *options)
    return int(said.split(": ")[-1].split(" flows")[0])


def _packets_of(capture: Path) -> int:
    return sum(1 for _ in read_capture(capture))


PARTS: dict[str, Callable[[Path, int, Console], list[Row]]] = {"flows": _flows, "fit": _fit, "spammers": _spammers}
"""What makes the rows about each command."""


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        _measure(sys.argv[2:])
    else:
        main()
