"""The probe on the worst traffic: what it loses, how big each part is, and how that grows.

    python -m benchmarks.probe [--share 0.01] [--no-place]

Needs a C++ compiler and, for the ECP5, the extra ``ecp5``. Worst traffic is frames of the least size back to back, each
with a SYN of a new flow. At 100 Mb/s and 1 Gb/s every byte of the wire, preambles and gaps among them, goes through tap
link and probe as they are on the board; at the rate of a backbone, words of eight bytes go into the
probe, which must take each when it comes. ``--share`` makes fewer frames than a million.
"""

import dataclasses
import random
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import compiler
from boards import BOARDS, colorlight_5a75b, icebreaker_rmii, rgmii
from boards.bench_shell import write_bench
from boards.device import Device, Family
from boards.ecp5 import ECP5, LFE5U_85F_8
from boards.ice40_shell import BAUD
from boards.routing import place_and_route
from boards.synthesis import synthesise, synthesise_alone
from boards.toolchain import tool_versions
from compiler.emit import rtlil_text
from compiler.features import CATALOGUE, UNIVERSAL, accumulators_of
from compiler.forest import Forest
from compiler.loading import REFERENCE
from hdl.entry_layout import EntryLayout
from hdl.flow_table_parameters import FlowTableParameters
from hdl.item import ItemKind, item_bytes
from hdl.pipelined_front import PipelinedFront
from hdl.probe import Probe, ProbeParameters
from hdl.probe_front import Pipeline
from hdl.tally import Counter
from sim.cxx import CxxCompiler
from sim.made_frames import tcp_frame
from sim.replay import read_probe

from .blocks import blocks_of
from .paced_probe import run_paced
from .tables import write_results
from .wire_probe import WireProbe, run_wire

FRAMES = 1_000_000
LINES = {"icebreaker_rmii": 100_000_000, "colorlight_5a75b": 1_000_000_000}
"""Boards and the bits a second of their wires."""
SLOTS = {"icebreaker_rmii": icebreaker_rmii.SLOTS, "colorlight_5a75b": colorlight_5a75b.SLOTS}
LINKS_HZ = {"colorlight_5a75b": rgmii.CLOCK_HZ}
"""Clocks of links that are not those of their probes."""
SEEDS = (1, 2, 3)
BACKBONE_FRAMES_PER_S = 6_250_000
BACKBONE_HZ = 125_000_000
SLOW_BACKBONE_HZ = 100_000_000
"""A clock that every speed grade reaches, at which it still has to be enough."""
TEN_GIGABIT_FRAMES_PER_S = 14_880_952
TEN_GIGABIT_HZ = 156_250_000
TRACKED_IN = 8
"""At the rate of a backbone one frame in so many is of a tracked flow."""

app = typer.Typer(add_completion=False)


def syn_frames(count: int, seed: int = 1) -> Iterator[bytes]:
    """Frames of the least size with FCS, each of another flow."""
    rng = random.Random(seed)
    for _ in range(count):
        frame, _ = tcp_frame(
            source=rng.randbytes(4),
            destination=b"\xc6\x33\x64\x19",
            source_port=rng.getrandbits(16),
            destination_port=25,
            flags=0x02,
        )
        frame = frame.ljust(60, b"\0")
        yield frame + zlib.crc32(frame).to_bytes(4, "little")


def fates(counters: dict[Counter, int], sent: int) -> dict[str, int]:
    """What became of the frames and records of a run."""
    frames = {c: n for c, n in counters.items() if c <= Counter.FRAMES_BAD_FCS}
    lost = sum(frames[c] for c in (Counter.FRAMES_NOT_READY, Counter.FRAMES_OVERRUN, Counter.FRAMES_BAD_FCS))
    return {
        "frames": sent,
        "frames lost": lost + sent - sum(frames.values()),
        "records short": counters[Counter.RECORDS_SHORT],
        "records lost": counters[Counter.RECORDS_OVERLOAD],
        "records exported": sum(n for c, n in counters.items() if c.name.startswith("RECORDS_"))
        - counters[Counter.RECORDS_SHORT]
        - counters[Counter.RECORDS_OVERLOAD],
    }


def reference_parameters(board_name: str) -> ProbeParameters:
    """The probe of a board with the forest that ships with the project."""
    with tempfile.TemporaryDirectory() as temporary:
        compiler.export(Forest.from_json(REFERENCE), Path(temporary) / "probe", board=board_name)
        return read_probe(Path(temporary) / "probe").parameters


def wire_probe(board_name: str, *, link_hz: int) -> WireProbe:
    """The probe of a board behind its link."""
    board = BOARDS[board_name]
    return WireProbe(
        parameters=reference_parameters(board_name),
        link_hz=link_hz,
        probe_hz=board.clock_hz,
        slots=SLOTS[board_name],
        cycles_per_byte=max(1, board.clock_hz * 10 // BAUD) if board.serial else 1,
    )


def wire(board_name: str, line_hz: int, count: int, console: Console) -> dict[str, object]:
    """A board on its wire."""
    board = BOARDS[board_name]
    link_hz = LINKS_HZ.get(board_name, board.clock_hz)
    byte_cycles = link_hz * 8 / line_hz
    probe = wire_probe(board_name, link_hz=link_hz)
    run = run_wire(probe, syn_frames(count), byte_cycles=byte_cycles, tell=lambda n: console.print(f"{board_name} {n}"))
    return {
        "design": board.title,
        "device": board.device.name,
        "frames/s": f"{line_hz / 8 / 84:.0f}",
        "clocks a frame": f"{84 * 8 * board.clock_hz / line_hz:.1f}",
        "at MHz": f"{board.clock_hz / 1e6:g}",
        **fates(dict(run.counters.counters), run.frames),
    }


def backbone_parameters(parameters: ProbeParameters) -> ProbeParameters:
    """The probe of the gigabit board, but for words of eight bytes and twice the flows."""
    table = dataclasses.replace(parameters.table, sets=256)
    return dataclasses.replace(parameters, table=table, pipeline=Pipeline(item_bytes=8, hashes=4))


def ten_gigabit_parameters(parameters: ProbeParameters, ways: int) -> ProbeParameters:
    """The same with hashes for every frame."""
    table = dataclasses.replace(parameters.table, ways=ways, sets=1024 // ways)
    return dataclasses.replace(parameters, table=table, pipeline=Pipeline(item_bytes=8, hashes=6))


def design_of(parameters: ProbeParameters) -> str:
    """What it is called in the tables."""
    return f"8 bytes a clock, {parameters.pipeline.hashes} hashes, {parameters.table.ways} ways"


def backbone(
    count: int, tracked_in: int, frames_per_s: int, clock_hz: int, parameters: ProbeParameters
) -> dict[str, object]:
    """Words of eight bytes that wait for nobody."""
    items = []
    for number, frame in enumerate(syn_frames(count, seed=2)):
        body = frame[:60]
        if number % tracked_in:
            body = body[:36] + (443).to_bytes(2, "big") + body[38:]
        items.append(item_bytes(ItemKind.FRAME, time_ms=number // 6250, wire_length=60, body=body))
    spacing = clock_hz / frames_per_s
    run = run_paced(parameters, items, spacing=spacing)
    return {
        "design": design_of(parameters),
        "frames/s": frames_per_s,
        "clocks a frame": f"{spacing:.1f}",
        "at MHz": f"{clock_hz / 1e6:g}",
        "tracked": f"1 in {tracked_in}",
        "clocks waited": run.waited,
        **fates(dict(run.counters.counters), count),
    }


def place(parameters: ProbeParameters, device: Device, clock_hz: float, console: Console) -> dict[str, object]:
    """The clock that place and route closes, median of the seeds and all of them."""
    with tempfile.TemporaryDirectory() as temporary:
        directory, probe = Path(temporary), Probe(parameters=parameters)
        write_bench(probe, "core", rtlil_text(Probe(parameters=parameters), "core"), directory, device.family)
        synthesise(directory, device.family)
        reached = []
        for seed in SEEDS:
            reached.append(place_and_route(directory, device, seed=seed, clock_hz=clock_hz).fmax_hz / 1e6)
            console.print(f"{device.name} seed {seed}: {reached[-1]:.1f} MHz")
    return {
        "design": design_of(parameters),
        "device": device.name,
        "asked for, MHz": f"{clock_hz / 1e6:g}",
        "median": f"{sorted(reached)[len(reached) // 2]:.1f}",
        "by seed": " ".join(f"{mhz:.1f}" for mhz in reached),
    }


def resources_of(component: object, family: Family) -> dict[str, int]:
    """What a component takes by itself."""
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "part.il"
        path.write_text(rtlil_text(component, "part"))
        used = synthesise_alone(path, "part", family)
    logic = used["lut4eq"] if "lut4eq" in used else used["lut4"]
    return {"LUT4": logic, "registers": used["ff"], "block RAM": used["ebr"]}


def growth_table() -> list[dict[str, object]]:
    """How a pipelined front grows with its table, its features and the width of its items."""
    rows = []
    everything = tuple(CATALOGUE)
    for flows, names, width, ways in (
        (256, UNIVERSAL, 1, 4),
        (512, UNIVERSAL, 1, 4),
        (1024, UNIVERSAL, 1, 4),
        (2048, UNIVERSAL, 1, 4),
        (512, UNIVERSAL, 1, 2),
        (512, UNIVERSAL[:12], 1, 4),
        (512, everything, 1, 4),
        (512, UNIVERSAL, 4, 4),
        (512, UNIVERSAL, 8, 4),
    ):
        layout = EntryLayout(accumulators_of(names))
        table = FlowTableParameters(sets=flows // ways, ways=ways, layout=layout, ports=(25, 587))
        hashes = 4 if width == 8 else 1
        front = PipelinedFront(pipeline=Pipeline(item_bytes=width, hashes=hashes), table=table)
        rows.append(
            {
                "flows": flows,
                "ways": ways,
                "features": len(names),
                "bytes a clock": width,
                "hashes": hashes,
                **resources_of(front, ECP5),
            }
        )
    return rows


@app.command()
def main(
    share: Annotated[float, typer.Option(help="Of a million frames.")] = 1.0,
    place_designs: Annotated[bool, typer.Option("--place/--no-place", help="Place and route too.")] = True,
) -> None:
    """Measure everything and write results/probe.md and results/probe.json."""
    console = Console(stderr=True)
    count = max(1000, int(FRAMES * share))
    worst = [wire(name, line_hz, count, console) for name, line_hz in LINES.items()]
    console.print(worst)
    parameters = backbone_parameters(reference_parameters("colorlight_5a75b"))
    clocks = (BACKBONE_HZ, SLOW_BACKBONE_HZ)
    fast = [backbone(count, TRACKED_IN, BACKBONE_FRAMES_PER_S, clock_hz, parameters) for clock_hz in clocks]
    for ways in (4, 2):
        wide = ten_gigabit_parameters(parameters, ways)
        fast.append(backbone(count, 1, TEN_GIGABIT_FRAMES_PER_S, TEN_GIGABIT_HZ, wide))
    console.print(fast)
    tables = {
        "Worst traffic on the boards": worst,
        "Eight bytes a clock": fast,
    }
    if place_designs:
        rows = [place(parameters, LFE5U_85F_8, BACKBONE_HZ, console)]
        rows.append(place(ten_gigabit_parameters(parameters, 2), LFE5U_85F_8, TEN_GIGABIT_HZ, console))
        tables["Place and route of the probe alone, MHz reached with three seeds"] = rows
    for name in LINES:
        title = f"Blocks of the {BOARDS[name].title}'s probe and link, reference forest"
        tables[title] = blocks_of(wire_probe(name, link_hz=BOARDS[name].clock_hz), BOARDS[name].device)
    tables["Growth of the pipelined front"] = growth_table()
    tables["Flows that fit"] = [{"board": board.title, "flows": board.table_entries} for board in BOARDS.values()]
    notes = {**tool_versions("NEXTPNR_ECP5"), "C++": CxxCompiler().version(), "frames": count}
    command = "python -m benchmarks.probe" + ("" if share == 1 else f" --share {share:g}")
    command += "" if place_designs else " --no-place"
    write_results("probe", command, notes, tables)


if __name__ == "__main__":
    app()
