"""``python -m sim check | replay | feed | listen``: an export held to its model, captures through it, boards."""

import contextlib
from collections import Counter as Tally
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from compiler.atomic import replacing
from compiler.cli import new_app, note, progress, run, warn
from compiler.manifest import read_manifest
from hdl.verdict import Verdict

from .capture import read_capture
from .cxx import CxxCompiler
from .feed import PACES, SPEED_HZ, FeedParameters, feed_capture
from .feed_key import parse_key
from .forest_check import check_forest
from .fuzzing import fuzz
from .gate_check import check_gates
from .items import TICK_MS
from .listen import ListenParameters, listen
from .load import Load
from .probe_check import CHECK_CAPTURE, FLOWS, check_probe
from .replay import ENGINES, TEST_KEY, read_probe, replay
from .testbench import SIMULATORS

app = new_app("Captures through the probe: in software, in simulation, on a board.")

_STEP = 100
"""Items between two signs of life."""

OtherForest = Annotated[
    Path | None,
    typer.Option("--forest", help="Load this forest into the probe, which was exported with --loadable."),
]
LoadAfter = Annotated[int, typer.Option(min=0, help="With --forest: so many frames come before it.")]


@app.callback()
def main() -> None:
    """Captures through the probe: in software, in simulation, on a board."""


@contextlib.contextmanager
def telling(doing: str, what: str = "items") -> Iterator[Callable[..., None]]:
    """Show on a terminal how many items are done, of how many if that is known; write nothing into a pipe."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda *_: None
        return
    with console.status(doing) as status:

        def tell(items: int, of: int | None = None) -> None:
            if items % _STEP == 0:
                status.update(f"{doing}: {items}{'' if of is None else f' of {of}'} {what}")

        yield tell


@app.command("replay")
def replay_command(
    capture: Annotated[Path, typer.Argument(help="pcap or pcapng file, gzipped or not.")],
    export: Annotated[Path, typer.Option(help="Directory that `python -m compiler export` wrote.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write, .csv, .parquet or .ipfix.")],
    engine: Annotated[str, typer.Option(metavar="|".join(ENGINES), help="What runs.")] = "model",
    key: Annotated[
        str, typer.Option(help="Secret key of the hash, 16 hexadecimal digits; the default is known to all.")
    ] = f"{TEST_KEY:016x}",
    headers_only: Annotated[
        bool,
        typer.Option("--headers-only/--whole", help="Cut frames after their headers; no record changes by it."),
    ] = True,
    tick_ms: Annotated[int, typer.Option(min=1, max=60_000, help="Tick period in milliseconds.")] = TICK_MS,
    limit: Annotated[int | None, typer.Option(min=1, help="Replay so many frames only.")] = None,
    forest: OtherForest = None,
    load_after: LoadAfter = 0,
    vcd: Annotated[Path | None, typer.Option(help="Write the waveforms of a simulation here.")] = None,
    collector: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Send the records to an IPFIX collector too, over UDP.")
    ] = None,
) -> None:
    """Send a capture through the probe and write the records that leave it.

    The engine model is the software probe. The others are the circuit itself, simulated clock by clock: compiled to
    machine code, tens of thousands of frames a second, or by Amaranth, two thousand a minute. compiled needs a C++
    compiler (what CXX names, g++ or clang++, or the extra `compiled`), and takes some ten seconds once for each probe.

    Examples:

        python -m sim replay capture.pcap.gz --export probe -o records.csv

        python -m sim replay capture.pcap.gz --export probe --engine compiled -o records.csv

        python -m sim replay capture.pcap.gz --export probe --engine amaranth --limit 200 -o records.ipfix

        python -m sim replay capture.pcap.gz --export probe --forest new.json --load-after 10000 -o records.csv

        python -m sim replay capture.pcap.gz --export probe --collector 127.0.0.1:9995 -o records.csv
    """
    with contextlib.ExitStack() as stack:
        tell = stack.enter_context(telling(f"replaying {capture.name}"))
        waveforms = None if vcd is None else stack.enter_context(replacing(vcd))
        replayed = replay(
            capture,
            export,
            out,
            engine=engine,
            key=parse_key(key, "--key"),
            headers_only=headers_only,
            tick_ms=tick_ms,
            limit=limit,
            load=None if forest is None else Load(forest, load_after),
            vcd=waveforms,
            collector=collector,
            on_cut=warn,
            tell=tell,
            say=note,
        )
    print(f"{out}: {summary(replayed.records, replayed.frames)}")
    if replayed.monitor_only:
        print("monitor only: no band met the budget of false alarms; look at its verdicts, do not act on them")


@app.command("feed")
def feed_command(
    capture: Annotated[Path, typer.Argument(help="pcap or pcapng file, gzipped or not.")],
    device: Annotated[str, typer.Option(help="SPI port: /dev/spidev0.0, or ftdi://ftdi:232h/1 for a cable.")],
    speed_hz: Annotated[int, typer.Option(min=1000, help="SPI clock, a quarter of the board's.")] = SPEED_HZ,
    pace: Annotated[
        str, typer.Option(metavar="|".join(PACES), help="real: as the capture was taken; fast: as the board can.")
    ] = "fast",
    key_file: Annotated[
        Path | None,
        typer.Option(help="Secret key, 16 hexadecimal digits; made when it does not exist. Default: a random key."),
    ] = None,
    tick_ms: Annotated[int, typer.Option(min=1, max=60_000, help="Tick period in milliseconds.")] = TICK_MS,
    limit: Annotated[int | None, typer.Option(min=1, help="Feed so many frames only.")] = None,
    forest: OtherForest = None,
    load_after: LoadAfter = 0,
    records: Annotated[str | None, typer.Option(help="Serial port that records come back on.")] = None,
    export: Annotated[Path | None, typer.Option(help="The export that the board holds; --records needs it.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="File for records instead of lines: .csv, .parquet or .ipfix."),
    ] = None,
) -> None:
    """Send the headers of a capture to a board, and read its records.

    Times are those of the capture whatever the pace. Without --key-file the key is random and nobody keeps it.

    Examples:

        python -m sim feed capture.pcap.gz --device /dev/spidev0.0

        python -m sim feed capture.pcap.gz --device ftdi://ftdi:232h/1 --records /dev/ttyUSB1 --export probe -o r.csv

        python -m sim feed capture.pcap.gz --device /dev/spidev0.0 --export probe --forest new.json
    """
    load = None if forest is None else Load(forest, load_after)
    parameters = FeedParameters(device, speed_hz, pace, key_file, tick_ms, limit, records, export, out, load)
    with telling(f"feeding {capture.name}") as tell:
        fed = feed_capture(capture, parameters, say=print, tell=tell, on_cut=warn)
    print(f"{capture}: {fed.items} items of {fed.frames} frames taken, {fed.refused} refusals")
    for reason, count in fed.losses.items():
        warn(f"{records}: {count} {reason}")
    if records is not None:
        print(f"{out or records}: {summary(fed.records, fed.frames)}")


@app.command("listen")
def listen_command(
    device: Annotated[
        str, typer.Option(help="udp://ADDRESS[:PORT] of a board on Ethernet, or its serial port: /dev/ttyUSB1.")
    ],
    export: Annotated[Path, typer.Option(help="The export that the board holds.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="File for records instead of lines: .csv, .parquet or .ipfix."),
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(help="Secret key, 16 hexadecimal digits; made when it does not exist. Default: a random key."),
    ] = None,
    forest: OtherForest = None,
    seconds: Annotated[float | None, typer.Option(min=0, help="How long; by default until Ctrl-C.")] = None,
) -> None:
    """Set up a board that listens to a wire by itself, and read its records.

    The time begins with the set-up. At the end, or after Ctrl-C, the board's table is emptied and those records are
    read too. The secret key goes to the board in the clear, so keep that link to yourself. With --forest the board is
    loaded with another forest first, while it goes on; chunks that are lost are sent again.

    Examples:

        python -m sim listen --device udp://192.168.1.50 --export probe -o records.csv

        python -m sim listen --device /dev/ttyUSB1 --export probe --key-file key --seconds 3600 -o records.parquet

        python -m sim listen --device udp://192.168.1.50 --export probe --forest new.json -o records.csv
    """
    with telling(f"listening to {device}") as tell:
        heard = listen(ListenParameters(device, export, out, key_file, forest, seconds), say=print, tell=tell)
    for reason, count in heard.losses.items():
        warn(f"{device}: {count} {reason}")
    frames = 0 if heard.counters is None else heard.counters.frames
    print(f"{out or device}: {summary(heard.records, frames)}")


@app.command("fuzz")
def fuzz_command(
    export: Annotated[Path, typer.Argument(help="Directory that `python -m compiler export` wrote.")],
    frames: Annotated[int, typer.Option(min=1, help="How many.")] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 1,
    capture: Annotated[
        list[Path] | None, typer.Option(help="Real traffic to bend.", show_default="training/data/test.pcap.gz")
    ] = None,
    upsets: Annotated[
        int, typer.Option(min=0, metavar="N", help="Before every run another, in which N bits of the table turn over.")
    ] = 0,
) -> None:
    """Send hostile traffic through the compiled circuit of an export and hold it to its model.

    Captures that are bent, cut, spliced, doubled and out of order, frames built of random headers, noise, floods of
    frames of the least size, oversize frames, times that jump and run backwards, items that are none. Records and
    counters must be the model's, nothing may hang, and a good flow at the end of each run of 20000 frames must be
    taken. Exit code 1 when anything differs, with the seed that shows it again. With --upsets single bits of the
    table's memories turn over at random moments; the probe must not hang, and from the next set-up on be as its model.
    One that was exported with --loadable is sent images of forests too, good and bad.

    Examples:

        python -m sim fuzz probe

        python -m sim fuzz probe --frames 200000 --upsets 1000

        python -m sim fuzz probe --frames 1000000 --seed 7 --capture mail.pcap --capture other.pcapng
    """
    captures = [list(read_capture(path)) for path in capture or [CHECK_CAPTURE]]
    build_id = int(read_manifest(export).build_id, 16)
    with telling("fuzzing", "frames") as tell:
        done = fuzz(
            read_probe(export),
            build_id,
            frames=frames,
            seed=seed,
            captures=captures,
            upsets=upsets,
            tell=tell,
            say=note,
        )
    turned = f" after {done.upsets} bits of the table had turned over" if upsets else ""
    if done.loads:
        print(f"tables: {done.loads} images of forests loaded meanwhile, {done.refusals} refused")
    print(f"{export}: {done.frames} frames, {done.records} records, {done.cycles} clocks, nothing differs{turned}")


@app.command("check")
def check_command(
    export: Annotated[Path, typer.Argument(help="Directory that `python -m compiler export` wrote.")],
    capture: Annotated[
        Path, typer.Option(help="Real traffic to replay.", show_default="training/data/test.pcap.gz")
    ] = CHECK_CAPTURE,
    flows: Annotated[int, typer.Option(min=1, help="Flows of it, those with the fewest frames.")] = FLOWS,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the gaps between bytes.")] = 1,
    engine: Annotated[str, typer.Option(metavar="|".join(SIMULATORS), help="What simulates the probe.")] = "amaranth",
    gates: Annotated[
        bool, typer.Option("--gates", help="Synthesise the forest too, and simulate its gates with the same vectors.")
    ] = False,
) -> None:
    """Hold the circuit of an export to its model and write what was seen into its manifest.

    The forest gets its test vectors, one every clock, and each answer is compared in the clock in which it is due. The
    whole probe gets real traffic with random gaps; its records must be those of the software probe, in the same order.
    One that was exported with --loadable is loaded with another forest meanwhile, and offered a damaged one.
    Exit code 1 when anything differs.

    --gates and --engine compiled need a C++ compiler: what CXX names, g++ or clang++, or the extra `compiled`.

    Examples:

        python -m sim check probe

        python -m sim check probe --engine compiled --capture capture.pcap.gz --flows 5000

        python -m sim check core --gates
    """
    if gates or engine == "compiled":
        # Better to know before the other checks that it is missing.
        CxxCompiler()
    forest = check_forest(export)
    print(f"forest: {forest.vectors} vectors in {forest.cycles} cycles, {forest.mismatches} mismatches")
    if gates:
        with progress("checking gates") as tell:
            after = check_gates(export, tell=tell)
        print(
            f"gates: {after.vectors} vectors in {after.cycles} cycles, {after.mismatches} mismatches, "
            f"{sum(after.cells.values())} cells after synthesis"
        )
    if read_manifest(export).top != "probe":
        return
    with telling("simulating the probe") as tell:
        probe = check_probe(export, capture=capture, flows=flows, seed=seed, engine=engine, tell=tell, say=note)
    print(
        f"probe: {probe.records} records of {probe.flows} flows, {probe.frames} frames in {probe.cycles} cycles, "
        f"seed {seed}, {probe.mismatches} mismatches, counters equal"
    )
    if probe.loads:
        print(f"tables: another forest loaded in the middle of it, {probe.refusals} damaged image refused")


def summary(records: Tally[Verdict], frames: int) -> str:
    """One line: how many records of how many frames, and their verdicts."""
    verdicts = ", ".join(f"{records[verdict]} {verdict.name.lower()}" for verdict in Verdict)
    return f"{records.total()} records from {frames} frames: {verdicts}"


if __name__ == "__main__":
    run(app)
