"""Packets a second from capture to flow records: the vectorised path, the event-exact model and nfstream; and memory.

    python -m benchmarks.extraction [PACKETS]

The capture is the sample of this project again and again, each time later and between other addresses: two million
packets, then PACKETS (ten million). Every measurement is a process of its own; those that are set side by side are
held on one core and take turns. nfstream (extra ``benchmark``) measures packet lengths of IP and their statistics,
without looking into payloads.
"""

import gzip
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from rich.console import Console

from compiler.features import CATALOGUE, accumulators_of
from hdl.item import ItemKind
from sim.capture import read_capture
from sim.extraction import extract_flows
from sim.flow_table import FlowTable
from sim.frame_block import FRAME_PADDING
from sim.headers import decode_frame
from sim.record_chain import record_starts, words_at
from sim.table_parameters import TableParameters

from .tables import write_results

SAMPLE = Path(__file__).parents[1] / "training" / "data" / "learn.pcap.gz"
PORTS = frozenset({25, 587})
PARAMETERS = TableParameters(ports=PORTS, accumulators=accumulators_of(tuple(CATALOGUE)))
ROUNDS = 5
SIDE_BY_SIDE, OF_MODEL = 2_000_000, 100_000
"""Packets; the model, ten times slower than the slowest other, gets fewer."""

_FILE_HEADER, _RECORD_HEADER = 24, 16
_ADDRESSES = (26, 30)
"""Of IPv4 in an Ethernet frame without tag, which all of the sample are."""
_ADDRESSES_OF_SAMPLE = 17
"""Bits: it has one network of so many."""


def main() -> None:
    packets = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as directory:
        small, few, large = (Path(directory) / name for name in ("side_by_side.pcap", "model.pcap", "large.pcap"))
        write_capture(small, SIDE_BY_SIDE)
        write_capture(few, OF_MODEL)
        cases = {"vectorised": ("vectorised", small), "event-exact model": ("model", few)}
        if find_spec("nfstream") is None:
            console.print("nfstream is not installed and left out: pip install -e '.[benchmark]'")
        else:
            cases["nfstream"] = ("nfstream", small)
        side_by_side = _side_by_side(cases, console)
        write_capture(large, packets)
        memory = [
            _row_of_large("flows as arrays", measured("vectorised", large)),
            _row_of_large("python -m training flows, to CSV", measured("command", large)),
        ]
        memory[0] |= {"file, MB": round(large.stat().st_size / 1e6)}
        memory[1] |= {"file, MB": round(large.stat().st_size / 1e6)}
    notes = {"cpu": cpu_name(), "Python": platform.python_version(), "numpy": np.__version__}
    if "nfstream" in cases:
        notes["nfstream"] = metadata.version("nfstream")
    tables = {
        f"One core, side by side, median of {ROUNDS}": side_by_side,
        f"A capture of {packets / 1e6:g} million packets": memory,
    }
    write_results("extraction", "python -m benchmarks.extraction", notes, tables)


def _side_by_side(cases: dict[str, tuple[str, Path]], console: Console) -> list[dict[str, object]]:
    rates: dict[str, list[float]] = {name: [] for name in cases}
    flows = {}
    for _ in range(ROUNDS):
        for name, (way, path) in cases.items():
            result = measured(way, path, one_core=True)
            rates[name].append(result["packets"] / result["seconds"])
            flows[name] = (result["packets"], result["flows"])
            console.print(f"{name}: {rates[name][-1]:.0f} packets/s")
    fastest = statistics.median(rates["vectorised"])
    return [
        {
            "extractor": name,
            "packets": flows[name][0],
            "flows": flows[name][1],
            "packets/s, median": round(statistics.median(found)),
            "lowest": round(min(found)),
            "highest": round(max(found)),
            "vectorised is faster by": f"{fastest / statistics.median(found):.1f}",
        }
        for name, found in rates.items()
    ]


def _row_of_large(way: str, result: dict[str, float]) -> dict[str, object]:
    return {
        "way": way,
        "flows": result["flows"],
        "seconds": round(result["seconds"], 1),
        "packets/s": round(result["packets"] / result["seconds"]),
        "peak memory, MB": round(result["peak_bytes"] / 1e6),
    }


def write_capture(path: Path, packets: int) -> None:
    """So many packets: the sample again and again, each time behind the last and between other addresses."""
    content = gzip.decompress(SAMPLE.read_bytes())
    data = np.frombuffer(content[_FILE_HEADER:] + bytes(FRAME_PADDING), np.uint8)
    end = len(content) - _FILE_HEADER
    starts = record_starts(data, end, "<")
    seconds = words_at(data, 0, "<")[starts]
    lasts_s = int(seconds.max() - seconds.min()) + 1
    with path.open("wb") as file:
        file.write(content[:_FILE_HEADER])
        for turn in range(-(-packets // len(starts))):
            count = min(packets - turn * len(starts), len(starts))
            shifted = data.copy()
            words_at(shifted, 0, "<")[starts] += np.uint32(turn * lasts_s)
            for offset in _ADDRESSES:
                words_at(shifted, _RECORD_HEADER + offset, ">")[starts] += np.uint32(turn << _ADDRESSES_OF_SAMPLE)
            file.write(shifted[: end if count == len(starts) else int(starts[count])].data)


def measured(way: str, path: Path, *, one_core: bool = False) -> dict[str, float]:
    """Packets, flows, seconds and peak bytes of one way through a capture, in a process of its own."""
    said = subprocess.run(
        [sys.executable, "-m", "benchmarks.extraction", "measure", way, path, str(int(one_core))],
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    return json.loads(said.splitlines()[-1])


def _measure(way: str, path: Path, one_core: bool) -> None:
    if one_core and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    packets, flows, seconds = WAYS[way](path)
    # Of Linux in units of 1024 bytes. What a command that was started needed counts like what this process needs.
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) * 1024
    print(json.dumps({"packets": packets, "flows": flows, "seconds": seconds, "peak_bytes": peak}))


def _vectorised(path: Path) -> tuple[int, int, float]:
    started = time.perf_counter()
    extraction = extract_flows([path], PARAMETERS)
    for feature in CATALOGUE.values():
        feature.values(extraction.flows.forward, extraction.flows.response, extraction.flows.duration_ms)
    return extraction.outcomes.total(), len(extraction.flows), time.perf_counter() - started


def _model(path: Path) -> tuple[int, int, float]:
    started = time.perf_counter()
    table, records = FlowTable(PARAMETERS), []
    for frame in read_capture(path):
        outcome, packet = decode_frame(frame.data, frame.wire_length, PORTS)
        records += table.item(ItemKind.FRAME, frame.time_ns // 1_000_000, outcome, packet)
    records += table.item(ItemKind.FLUSH, 0)
    for record in records:
        for feature in CATALOGUE.values():
            feature.value(record.forward, record.response, record.duration_ms)
    return table.outcomes.total(), len(records), time.perf_counter() - started


def _nfstream(path: Path) -> tuple[int, int, float]:
    from nfstream import NFStreamer

    started = time.perf_counter()
    streamer = NFStreamer(
        source=str(path), accounting_mode=1, statistical_analysis=True, n_dissections=0, n_meters=1, idle_timeout=120
    )
    counts = [flow.bidirectional_packets for flow in streamer]
    return sum(counts), len(counts), time.perf_counter() - started


def _command(path: Path) -> tuple[int, int, float]:
    out = path.with_suffix(".csv")
    started = time.perf_counter()
    command = [sys.executable, "-m", "training", "flows", path, "--ports", "25,587", "-o", out]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    seconds = time.perf_counter() - started
    words = said.split()
    return int(words[-2]), int(words[1]), seconds


WAYS: dict[str, Callable[[Path], tuple[int, int, float]]] = {
    "vectorised": _vectorised,
    "model": _model,
    "nfstream": _nfstream,
    "command": _command,
}


def cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.processor())


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        _measure(sys.argv[2], Path(sys.argv[3]), sys.argv[4] == "1")
    else:
        main()
