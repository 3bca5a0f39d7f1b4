"""The whole probe in compiled simulation: clocks a second, and the records that are not the model's.

    python -m benchmarks.replay CAPTURE…

The captures go through the probe of the reference forest on an iCEBreaker: as long as they were on the wire, with zeros
for bytes that were not captured; as they are; cut after the headers and with at most 64 ticks in a gap, as `sim replay`
sends them; and so with random pauses between bytes at both ends. Seconds are those that one processor is busy with the
circuit and its items, without those of the C++ compiler. A capture is named by its folder.
"""

import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from amaranth.hdl import UnusedElaboratable
from rich.console import Console

import compiler
from boards.toolchain import tool_versions
from compiler.forest import Forest
from compiler.loading import REFERENCE
from hdl.item import ItemKind
from sim.capture import read_capture
from sim.compiled_probe import CompiledProbe
from sim.compiled_streams import Pauses
from sim.cxx import CxxCompiler
from sim.export_records import ExportedCounters, ExportedRecord, ExportStream
from sim.items import GAP_TICKS, Item, epoch_of, items_of
from sim.replay import TEST_KEY, CaptureItems, ExportedProbe, read_probe, software_line
from sim.simulated_probe import simulate_probe

from .tables import write_results

AMARANTH_ITEMS = 1000
"""So many go through Amaranth's simulator, to compare the speed."""


class Way(NamedTuple):
    """How a capture is replayed."""

    name: str
    headers_only: bool
    gap_ticks: int
    padded: bool = False
    pauses: Pauses | None = None


SENT = Way("cut, gaps squeezed", headers_only=True, gap_ticks=GAP_TICKS)
"""As ``sim replay`` does it."""

WAYS = (
    Way("as long as on the wire", headers_only=False, gap_ticks=1 << 32, padded=True),
    Way("as it is", headers_only=False, gap_ticks=1 << 32),
    SENT,
    SENT._replace(name="the same, with pauses", pauses=Pauses(1, 0.05, 0.2)),
)


def main() -> None:
    # Which circuit a plan takes is found by making all of them.
    warnings.simplefilter("ignore", UnusedElaboratable)
    console = Console(stderr=True)
    captures = [Path(name) for name in sys.argv[1:]]
    if not captures:
        sys.exit("usage: python -m benchmarks.replay CAPTURE…")
    whole, commands = [], []
    with tempfile.TemporaryDirectory() as temporary:
        export = Path(temporary) / "probe"
        compiler.export(Forest.from_json(REFERENCE), export, board="icebreaker")
        probe = read_probe(export)
        for capture in captures:
            for way in WAYS:
                whole.append(_replayed(probe, capture, way))
                console.print(whole[-1])
            for engine in ("model", "compiled"):
                commands.append(_command(export, capture, engine))
                console.print(commands[-1])
        speeds = [_amaranth(probe, captures[0])]
    notes = {**tool_versions(), "C++": CxxCompiler().version(), "cores": os.cpu_count()}
    tables = {
        "Compiled circuit against the model": whole,
        "python -m sim replay, seconds of the whole command": commands,
        "For comparison": speeds,
    }
    write_results("replay", "python -m benchmarks.replay main/headers.pcap.gz skew/headers.pcap.gz", notes, tables)


def _items(capture: Path, way: Way) -> tuple[int, list[Item]]:
    frames = list(read_capture(capture))
    if way.padded:
        frames = [frame._replace(data=frame.data.ljust(frame.wire_length, b"\0")) for frame in frames]
    epoch_ms = epoch_of(frames[0])
    options = {"gap_ticks": way.gap_ticks, "headers_only": way.headers_only, "name": str(capture)}
    return epoch_ms, list(items_of(frames, epoch_ms=epoch_ms, **options))


def _replayed(probe: ExportedProbe, capture: Path, way: Way) -> dict[str, object]:
    epoch_ms, items = _items(capture, way)
    wanted, counted = _said(software_line(probe, CaptureItems(epoch_ms, iter(items)), TEST_KEY, lambda _: None))
    circuit = CompiledProbe(probe.parameters)
    started = time.process_time()
    line = list(circuit.run(items, key=TEST_KEY, epoch_ms=epoch_ms, pauses=way.pauses))
    seconds = time.process_time() - started
    records, counters = _said(line)
    differences = abs(len(records) - len(wanted)) + sum(a != b for a, b in zip(records, wanted, strict=False))
    return {
        "capture": capture.parent.name,
        "replayed": way.name,
        "frames": sum(item.kind is ItemKind.FRAME for item in items),
        "ticks": sum(item.kind is ItemKind.TICK for item in items),
        "bytes": sum(len(item.to_bytes()) for item in items),
        "records": len(records),
        "differences": differences,
        "counters": "equal" if counters == counted else "not equal",
        "cycles": circuit.cycles,
        "seconds": f"{seconds:.1f}",
        "cycles/s": round(circuit.cycles / seconds),
    }


def _said(line: Iterable[bytes]) -> tuple[list[ExportedRecord], ExportedCounters | None]:
    """The records that came over a serial line, and the last counters; what cannot be read is an error."""
    stream, records, counters = ExportStream(), [], None
    for sent in line:
        for entry in stream.feed(sent):
            if isinstance(entry, ExportedRecord):
                records.append(entry)
            else:
                counters = entry
    if stream.bad_frames or stream.missing or stream.undecodable:
        raise RuntimeError(f"Messages cannot be read: {stream.bad_frames} {stream.missing} {stream.undecodable}")
    return records, counters


def _command(export: Path, capture: Path, engine: str) -> dict[str, object]:
    out = export.with_name(f"{engine}.csv")
    command = [sys.executable, "-m", "sim", "replay", capture, "--export", export, "--engine", engine, "-o", out]
    started = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - started
    same = out.read_bytes() == export.with_name("model.csv").read_bytes()
    return {
        "capture": capture.parent.name,
        "engine": engine,
        "seconds": f"{seconds:.1f}",
        "file": "the same as the model's" if same else "not the model's",
    }


def _amaranth(probe: ExportedProbe, capture: Path) -> dict[str, object]:
    epoch_ms, items = _items(capture, SENT)
    items = [*items[:AMARANTH_ITEMS], items[-1]]
    started = time.process_time()
    run = simulate_probe(probe.parameters, items, key=TEST_KEY, epoch_ms=epoch_ms)
    seconds = time.process_time() - started
    return {
        "engine": "amaranth",
        "items": len(items),
        "cycles": run.cycles,
        "seconds": f"{seconds:.1f}",
        "cycles/s": round(run.cycles / seconds),
    }


if __name__ == "__main__":
    main()
