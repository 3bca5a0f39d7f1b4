"""Millions of hostile frames through compiled probes of every kind, held to their models.

    python -m benchmarks.fuzz [CAPTURE…] [--share 0.01] [--seed 1] [--probe colorlight_5a75b]

Needs a C++ compiler. The probes are those of the boards with the reference forest and one for a backbone, of eight
bytes a clock; each in jobs of 100 000 frames, as many at a time as there are processors. A twentieth as many frames go
through each while bits of its table turn over. A difference, a hang or a frame that is not accounted for ends it with
the seed that shows it again.
"""

import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console

import compiler
from boards import BOARDS
from boards.toolchain import tool_versions
from compiler.forest import Forest
from compiler.loading import REFERENCE
from sim.capture import CapturedFrame, read_capture
from sim.compiled_probe import CompiledProbe
from sim.cxx import CxxCompiler
from sim.fuzzing import Fuzzed, fuzz
from sim.probe_check import CHECK_CAPTURE
from sim.replay import ExportedProbe, read_probe

from .probe import backbone_parameters
from .tables import write_results

BACKBONE = "backbone"
FRAMES = {"icebreaker": 2_500_000, "icebreaker_rmii": 1_000_000, "colorlight_5a75b": 1_000_000, BACKBONE: 500_000}
"""Of each probe, five million in all."""
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
    """The probe of a board with the reference forest, or that of a backbone, and the build that its records tell."""
    with tempfile.TemporaryDirectory() as temporary:
        export = Path(temporary) / "probe"
        board = "colorlight_5a75b" if name == BACKBONE else name
        build_id = compiler.export(Forest.from_json(REFERENCE), export, board=board).build_id
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
    jobs = [job for name in names for job in jobs_of(name, int(FRAMES[name] * share), seed, paths)]
    for name in names:
        CompiledProbe(probe_of(name)[0].waiting, say=console.print)
    started, rows = time.monotonic(), {}
    with ProcessPoolExecutor(workers) as pool:
        for job, done, seconds in pool.map(run, jobs):
            key = job.probe, job.upsets
            row = rows.setdefault(
                key,
                {
                    "probe": BOARDS[job.probe].title if job.probe in BOARDS else "8 bytes a clock, 4 hashes",
                    "frames": 0,
                    "of them after bits turned over": 0,
                    "bits turned over": 0,
                    "items": 0,
                    "records": 0,
                    "clocks": 0,
                    "processor s": 0.0,
                },
            )
            row["frames"] += done.frames
            row["of them after bits turned over"] += done.frames if job.upsets else 0
            row["bits turned over"] += done.upsets
            row["items"] += done.items
            row["records"] += done.records
            row["clocks"] += done.cycles
            row["processor s"] = round(row["processor s"] + seconds, 1)
            console.print(f"{job.probe}: {row['frames']} frames, seed {job.seed}, {seconds:.0f} s")
    notes = {**tool_versions(), "C++": CxxCompiler().version(), "cores": os.cpu_count(), "captures": len(paths)}
    notes |= {"seed": seed, "frames": sum(row["frames"] for row in rows.values())}
    notes["seconds"] = round(time.monotonic() - started)
    options = (" CAPTURE…" if captures else "") + ("" if share == 1 else f" --share {share:g}")
    options += "".join(f" --probe {name}" for name in probe or ())
    tables = {"Hostile frames, compiled probe against model": list(rows.values())}
    write_results("fuzz", f"python -m benchmarks.fuzz{options} --seed {seed}", notes, tables)


if __name__ == "__main__":
    app()
