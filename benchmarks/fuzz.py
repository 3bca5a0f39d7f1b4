"""Millions of hostile frames through compiled probes of every kind, held to their models.

    python -m benchmarks.fuzz [CAPTURE…] [--share 0.01] [--seed 1] [--probe colorlight_5a75b]

Needs a C++ compiler. The probes are those of the boards with the reference forest, that of the gigabit board with
pseudonyms that judges flows early, and one for a backbone, of eight bytes a clock; each in jobs of 100 000 frames, as
many at a time as there are processors. A twentieth as many frames go through each while bits of its table turn over. A
difference, a hang or a frame that is not accounted for ends it with the seed that shows it again. Results of probes
that are not run stay as long as their circuits are the same.
"""

import json
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console

import compiler
from boards import BOARDS
from boards.toolchain import tool_versions
from compiler.emit import rtlil_text, sha256
from compiler.forest import Forest
from compiler.loading import REFERENCE
from compiler.probe_options import NO_OPTIONS, ProbeOptions
from hdl.probe import Probe
from sim.capture import CapturedFrame, read_capture
from sim.compiled_probe import CompiledProbe
from sim.cxx import CxxCompiler
from sim.fuzzing import Fuzzed, fuzz
from sim.probe_check import CHECK_CAPTURE
from sim.replay import ExportedProbe, read_probe

from .probe import backbone_parameters
from .tables import RESULTS, write_results

TITLE = "Hostile frames, compiled probe against model"
EARLY, BACKBONE = "early", "backbone"
FRAMES = {
    "icebreaker": 2_500_000,
    "icebreaker_rmii": 1_000_000,
    "colorlight_5a75b": 1_000_000,
    EARLY: 250_000,
    BACKBONE: 500_000,
}
"""Of each probe, more than five million in all."""
PREFIX = 3
TITLES = {
    EARLY: f"Colorlight 5A-75B, --anonymise --early {PREFIX}",
    BACKBONE: "8 bytes a clock, 4 hashes",
} | {name: board.title for name, board in BOARDS.items()}
JOB_FRAMES = 100_000
UPSETS = 1000
"""Bits that turn over in a run of 20 000 frames."""
UPSET_IN = 20
"""Of so many frames one is followed by another while bits turn over."""


class Job(NamedTuple):
    """Frames of one seed through one probe."""

    probe: str
    frames: int
    seed: int
    upsets: int
    captures: tuple[Path, ...]


@cache
def probe_of(name: str) -> tuple[ExportedProbe, int]:
    """A probe with the reference forest, and the build that its records tell."""
    forest, options = Forest.from_json(REFERENCE), NO_OPTIONS
    if name == EARLY:
        forest, options = replace(forest, prefix=PREFIX), ProbeOptions(anonymise=True, early=PREFIX)
    with tempfile.TemporaryDirectory() as temporary:
        export = Path(temporary) / "probe"
        board = name if name in BOARDS else "colorlight_5a75b"
        build_id = compiler.export(forest, export, board=board, options=options).build_id
        probe = read_probe(export)
    if name == BACKBONE:
        probe = probe._replace(parameters=backbone_parameters(probe.parameters))
    return probe, int(build_id, 16)


@cache
def frames_of(capture: Path) -> list[CapturedFrame]:
    """Read once in a process."""
    return list(read_capture(capture))


def run(job: Job) -> tuple[Job, Fuzzed, float]:
    """What went through, and the processor's seconds."""
    (probe, build_id), captures = probe_of(job.probe), [frames_of(path) for path in job.captures]
    started = time.process_time()
    done = fuzz(probe, build_id, frames=job.frames, seed=job.seed, captures=captures, upsets=job.upsets)
    return job, done, time.process_time() - started


def jobs_of(name: str, frames: int, seed: int, captures: tuple[Path, ...]) -> list[Job]:
    """Jobs with seeds of their own; a run of 20 000 frames takes the next seed."""
    begins = range(0, frames, JOB_FRAMES)
    jobs = [Job(name, min(JOB_FRAMES, frames - begin), seed + begin, 0, captures) for begin in begins]
    return [*jobs, Job(name, max(1, frames // UPSET_IN), seed + frames, UPSETS, captures)]


def circuit_of(name: str) -> str:
    """What tells the circuit of one probe from that of another."""
    return sha256(rtlil_text(Probe(parameters=probe_of(name)[0].waiting), "probe"))[:8]


def earlier_rows() -> list[dict[str, object]]:
    """What the results say already."""
    path = RESULTS / "fuzz.json"
    return json.loads(path.read_text(encoding="utf-8"))["tables"][TITLE] if path.exists() else []


app = typer.Typer(add_completion=False)


@app.command()
def main(
    captures: Annotated[list[Path] | None, typer.Argument(help="Real traffic to bend.")] = None,
    share: Annotated[float, typer.Option(help="Of five million frames.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 1,
    probe: Annotated[list[str] | None, typer.Option(help="Only this one; may be given again.")] = None,
    workers: Annotated[int | None, typer.Option(help="Jobs at a time.", show_default="processors")] = None,
) -> None:
    """Fuzz every probe and write results/fuzz.md and results/fuzz.json."""
    console = Console(stderr=True)
    paths = tuple(captures or [CHECK_CAPTURE])
    names = probe or list(FRAMES)
    circuits = {name: circuit_of(name) for name in FRAMES}
    for name in names:
        CompiledProbe(probe_of(name)[0].waiting, say=console.print)
    jobs = [job for name in names for job in jobs_of(name, int(FRAMES[name] * share), seed, paths)]
    rows: dict[tuple[str, int], dict[str, object]] = {}
    with ProcessPoolExecutor(workers) as pool:
        for job, done, seconds in pool.map(run, jobs):
            row = rows.setdefault(
                (job.probe, job.upsets),
                {
                    "probe": TITLES[job.probe],
                    "circuit": circuits[job.probe],
                    "captures": len(paths),
                    "seed": seed,
                    "frames": 0,
                    "bits turned over": 0,
                    "items": 0,
                    "records": 0,
                    "clocks": 0,
                    "processor s": 0.0,
                },
            )
            row["frames"] += done.frames
            row["bits turned over"] += done.upsets
            row["items"] += done.items
            row["records"] += done.records
            row["clocks"] += done.cycles
            row["processor s"] = round(row["processor s"] + seconds, 1)
            console.print(f"{job.probe}: {row['frames']} frames, seed {job.seed}, {seconds:.0f} s")
    not_run = [circuit for name, circuit in circuits.items() if name not in names]
    kept = [row for row in earlier_rows() if row["circuit"] in not_run]
    order = list(circuits.values())
    table = sorted((*kept, *rows.values()), key=lambda row: order.index(row["circuit"]))
    notes = {**tool_versions(), "C++": CxxCompiler().version(), "cores": os.cpu_count()}
    notes["frames"] = sum(row["frames"] for row in table)
    write_results("fuzz", "python -m benchmarks.fuzz CAPTURE…", notes, {TITLE: table})


if __name__ == "__main__":
    app()
