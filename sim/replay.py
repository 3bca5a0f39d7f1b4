"""Replay: a capture through the probe of an export, in software or in simulation, and its records into a file."""

import contextlib
import dataclasses
import itertools
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from compiler.errors import CheckFailed, InputError
from compiler.exporting import board_named
from compiler.forest import Forest
from compiler.probe_options import ProbeOptions
from compiler.probe_plan import probe_parameters
from hdl.cobs import cobs_encode
from hdl.item import ItemKind
from hdl.probe import ProbeParameters
from hdl.verdict import Verdict
from hdl.walker_parameters import WalkerParameters

from .capture import CapturedFrame, Cut, read_capture
from .collector_link import CollectorLink
from .compiled_probe import CompiledProbe
from .cxx import CxxCompiler
from .export_records import ExportedCounters, ExportedRecord, ExportStream
from .forest_check import ForestCheck
from .ipfix_writer import IpfixWriter, probe_messages
from .items import TICK_MS, Item, epoch_of, items_of
from .load import Load
from .probe import SoftwareProbe
from .record_file import check_record_target, writing_records
from .simulated_probe import simulate_probe
from .table_loading import TableLoading

__all__ = [
    *("ENGINES", "TEST_KEY", "CaptureItems", "ExportedProbe", "Replayed"),
    *("capture_items", "read_probe", "replay", "software_probe"),
]

ENGINES = ("model", "amaranth", "compiled")
"""What a capture can go through: the software probe, or the circuit in one of two simulators."""

TEST_KEY = 0x0706050403020100
"""Secret key of replays that are given none: known to all, so that two replays of a capture are the same."""


class ExportedProbe(NamedTuple):
    """What an export says about its probe.

    ``walker``: of one that takes table images the parameters of its walker, else None.
    """

    forest: Forest
    parameters: ProbeParameters
    walker: WalkerParameters | None = None

    @property
    def waiting(self) -> ProbeParameters:
        """The parameters of the probe in simulation, where items come without the gaps of a wire.

        Whatever the link of its board does, it waits for records to leave: so none is lost.
        """
        return dataclasses.replace(self.parameters, wait=True)


class CaptureItems(NamedTuple):
    """A capture as items, and the epoch that their times are counted from."""

    epoch_ms: int
    items: Iterator[Item]


@dataclasses.dataclass
class Replayed:
    """What a replay gave.

    Attributes
    ----------
    monitor_only: of the forest, or of one of them
    records: by verdict
    counters: those that the probe sent last
    """

    monitor_only: bool
    records: Tally[Verdict] = dataclasses.field(default_factory=Tally)
    counters: ExportedCounters | None = None

    @property
    def frames(self) -> int:
        """Frames that the probe has counted."""
        return 0 if self.counters is None else self.counters.frames


def read_probe(directory: Path) -> ExportedProbe:
    """The probe that an export holds."""
    export = ForestCheck(directory)
    manifest = export.manifest
    if manifest.top != "probe":
        raise InputError(f"{directory}: holds a {manifest.top}, no probe; export with --top probe")
    board = board_named(manifest.board["name"])
    parameters = probe_parameters(export.forest, board, export.plan, manifest.build_id, ProbeOptions(**manifest.probe))
    return ExportedProbe(export.forest, parameters, export.plan.parameters if export.plan.loadable else None)


def capture_items(
    path: Path,
    *,
    limit: int | None = None,
    headers_only: bool,
    tick_ms: int = TICK_MS,
    on_cut: Callable[[Cut], None] | None = None,
) -> CaptureItems:
    """The items of the first ``limit`` frames of a capture."""
    frames = itertools.islice(read_capture(path, on_cut), limit)
    first = next(frames, None)
    if first is None:
        raise InputError(f"{path}: holds no frames")
    epoch_ms = epoch_of(first)
    whole: Iterable[CapturedFrame] = itertools.chain([first], frames)
    items = items_of(whole, epoch_ms=epoch_ms, tick_ms=tick_ms, headers_only=headers_only, name=str(path))
    return CaptureItems(epoch_ms, items)


def software_probe(probe: ExportedProbe, key: int, others: Sequence[Forest] = ()) -> SoftwareProbe:
    """The model of the probe; ``others`` are the forests that it may be loaded with."""
    table = probe.parameters.table
    return SoftwareProbe(
        probe.forest,
        sets=table.sets,
        ways=table.ways,
        idle_ms=table.idle_ms,
        active_ms=table.active_ms,
        linger_ms=table.linger_ms,
        short_records=probe.parameters.short_records,
        anonymised=table.layout.anonymised,
        checksum=probe.parameters.checksum,
        key=key,
        loading=None if probe.walker is None else TableLoading(probe.walker, [probe.forest, *others]),
    )


def software_line(
    probe: ExportedProbe,
    capture: CaptureItems,
    key: int,
    tell: Callable[[int], None],
    others: Sequence[Forest] = (),
) -> Iterator[bytes]:
    """What the software probe would send over its serial line."""
    model = software_probe(probe, key, others)
    writer = IpfixWriter(probe.parameters.export, probe.parameters.table.layout, capture.epoch_ms)
    items = _counting(capture.items, tell)
    return map(cobs_encode, probe_messages(model, writer, items))


def simulated_line(
    probe: ExportedProbe, capture: CaptureItems, key: int, tell: Callable[..., None], vcd: Path | None
) -> Iterator[bytes]:
    """What the circuit sends over its serial line, in Amaranth's simulator."""
    waveforms = None if vcd is None else str(vcd)
    run = simulate_probe(probe.waiting, capture.items, key=key, epoch_ms=capture.epoch_ms, tell=tell, vcd=waveforms)
    yield run.sent


def compiled_line(
    probe: ExportedProbe,
    capture: CaptureItems,
    key: int,
    tell: Callable[[int], None],
    say: Callable[[str], None],
    vcd: Path | None,
) -> Iterator[bytes]:
    """What the circuit sends over its serial line, as machine code."""
    circuit = CompiledProbe(probe.waiting, say=say)
    return circuit.run(capture.items, key=key, epoch_ms=capture.epoch_ms, tell=tell, vcd=vcd)


def replay(
    capture: Path,
    export: Path,
    out: Path,
    *,
    engine: str,
    key: int = TEST_KEY,
    headers_only: bool = True,
    tick_ms: int = TICK_MS,
    limit: int | None = None,
    load: Load | None = None,
    vcd: Path | None = None,
    collector: str | None = None,
    on_cut: Callable[[Cut], None] | None = None,
    tell: Callable[..., None] = lambda *_: None,
    say: Callable[[str], None] = lambda _: None,
) -> Replayed:
    """Replay a capture and write the records that the probe sends.

    Parameters
    ----------
    engine: one of :data:`ENGINES`
    load: another forest, and when the probe is loaded with it
    vcd: file for the waveforms of a simulation
    collector: ``HOST:PORT`` that messages go to over UDP besides
    on_cut: see :func:`read_capture`
    tell: called with the number of items so far, and by the engine amaranth with that of all
    say: see :func:`~sim.compiling.compile_circuit`
    """
    if engine not in ENGINES:
        raise InputError(f"--engine: must be one of {', '.join(ENGINES)}, not {engine!r}")
    if vcd is not None and engine == "model":
        raise InputError("--vcd: the engine model has no waveforms")
    check_record_target(out)
    if engine == "compiled":
        # Better to know before the work that it cannot be done.
        CxxCompiler()
    probe = read_probe(export)
    taken = capture_items(capture, limit=limit, headers_only=headers_only, tick_ms=tick_ms, on_cut=on_cut)
    kinds: Tally[ItemKind] = Tally()
    taken = taken._replace(items=_tallying(taken.items, kinds))
    others: tuple[Forest, ...] = ()
    if load is not None:
        loaded = load.read(export)
        taken, others = taken._replace(items=loaded.among(taken.items)), (loaded.forest,)
    if engine == "model":
        line = software_line(probe, taken, key, tell, others)
    elif engine == "amaranth":
        line = simulated_line(probe, taken, key, tell, vcd)
    else:
        line = compiled_line(probe, taken, key, tell, say, vcd)

    replayed = Replayed(any(forest.monitor_only for forest in (probe.forest, *others)))
    with contextlib.ExitStack() as stack:
        # Known to be none before anything is written.
        target = None if collector is None else stack.enter_context(CollectorLink(collector))
        writer = stack.enter_context(writing_records(out))

        def take(message: bytes) -> None:
            writer.message(message)
            if target is not None:
                target.send(message)

        stream = ExportStream(take)
        for sent in line:
            for entry in stream.feed(sent):
                if isinstance(entry, ExportedRecord):
                    replayed.records[entry.verdict] += 1
                    writer.record(entry)
                else:
                    replayed.counters = entry
        if stream.bad_frames or stream.missing or stream.undecodable:
            raise CheckFailed(
                f"{export}: of what the probe sent, {stream.bad_frames} messages cannot be read, "
                f"{stream.missing} records are missing, {sum(stream.undecodable.values())} make no sense"
            )
        if replayed.frames != kinds[ItemKind.FRAME]:
            raise CheckFailed(f"{export}: {kinds[ItemKind.FRAME]} frames went in, {replayed.frames} were counted")
    return replayed


def _tallying(items: Iterable[Item], kinds: Tally[ItemKind]) -> Iterator[Item]:
    for item in items:
        kinds[item.kind] += 1
        yield item


def _counting(items: Iterable[Item], tell: Callable[[int], None]) -> Iterator[Item]:
    for number, item in enumerate(items, 1):
        yield item
        tell(number)
