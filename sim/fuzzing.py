"""fuzz: a compiled probe on hostile items, held to its model run by run; and while bits of its table turn over."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from compiler.errors import CheckFailed
from compiler.forest import Forest
from hdl.item import FrameOutcome, ItemKind, item_bytes
from hdl.tally import Counter

from .capture import CapturedFrame
from .compiled_probe import CompiledProbe
from .compiled_streams import Pauses
from .export_records import ExportedCounters, ExportedRecord, ExportStream
from .hostile_items import EPOCH_MS, HostileItems
from .ipfix_writer import probe_counters
from .items import Item, parse_item, setup_item
from .load_check import fitting, image_of
from .made_frames import tcp_frame
from .probe import SoftwareProbe
from .probe_check import as_exported
from .replay import ExportedProbe, software_probe
from .upsets import Upsets

__all__ = ["FUZZ_RUN", "Fuzzed", "fuzz"]

FUZZ_RUN = 20_000
"""Frames between two set-ups from nothing: a difference is found in a run that can be repeated by itself."""

_SENTINEL_HOSTS = bytes([203, 0, 113, 1]), bytes([203, 0, 113, 2])

_TABLE = "front table "
"""In the paths of the memories of the flow table, and of no other."""

_FRAME_CYCLES = 30
"""Less than any frame takes: bits that turn over do so before the frames of a run have all gone in."""

_Counts = Mapping[Counter, int]


@dataclass
class Fuzzed:
    """What has been fuzzed without a difference.

    ``loads`` and ``refusals`` count images of forests, those that were used and those that were not.
    """

    frames: int = 0
    items: int = 0
    records: int = 0
    cycles: int = 0
    upsets: int = 0
    loads: int = 0
    refusals: int = 0


def fuzz(
    probe: ExportedProbe,
    build_id: int,
    *,
    frames: int,
    seed: int,
    captures: Sequence[Sequence[CapturedFrame]],
    upsets: int = 0,
    tell: Callable[[int, int], None] = lambda *_: None,
    say: Callable[[str], None] = lambda _: None,
) -> Fuzzed:
    """Send hostile items through a compiled probe; raise where it is not as its model.

    Every run ends with a good flow and a flush. Its records, counters and conservation are looked at: nothing may
    differ, nothing may hang, and the good flow must have been taken. A probe that can be loaded gets images of its own
    forest and of another one, good and bad.

    Parameters
    ----------
    build_id: that its records carry
    frames: how many, in runs of :data:`FUZZ_RUN`
    seed: of everything random; a run has the seed ``seed + number``
    captures: real traffic to be bent
    upsets: before every run there is another, of as many frames, in which so many bits of the table turn over
    tell: called with the frames that are done and of how many
    say: see :func:`~sim.compiling.compile_circuit`
    """
    done, circuit = Fuzzed(), CompiledProbe(probe.waiting, say=say)
    for number, begin in enumerate(range(0, frames, FUZZ_RUN)):
        count = min(FUZZ_RUN, frames - begin)
        run = _Run(probe, circuit.renewed(), build_id, seed + number, count, captures)
        if upsets:
            done.upsets += run.upset(upsets)
        run.hold(done)
        tell(done.frames, frames)
    return done


class _Run:
    """A probe and its model from reset on."""

    def __init__(
        self,
        probe: ExportedProbe,
        circuit: CompiledProbe,
        build_id: int,
        seed: int,
        frames: int,
        captures: Sequence[Sequence[CapturedFrame]],
    ):
        self._probe, self._circuit, self._build_id = probe, circuit, build_id
        self._seed, self._frames, self._captures = seed, frames, captures
        self._where = f"fuzz, seed {seed}, {frames} frames"
        self._key = random.Random(seed).getrandbits(64)
        self._images: list[bytes] = []
        others: list[Forest] = []
        if probe.walker is not None:
            other, image = fitting(probe.forest, probe.walker)
            others, self._images = [other], [image, image_of(probe.forest, probe.walker)]
        self._model: SoftwareProbe = software_probe(probe, self._key, others)
        self._stream = ExportStream()
        self._before: _Counts = dict.fromkeys(Counter, 0)
        self._model_before: _Counts = dict(self._before)

    def hold(self, done: Fuzzed) -> None:
        """Hostile items and a good flow, held to the model."""
        items = [*self._hostile(self._seed), *_good_flow(self._probe)]
        modelled = self._model.run([setup_item(self._key, EPOCH_MS), *map(parse_item, items)])
        wanted = [as_exported(entry, EPOCH_MS, self._build_id) for entry in modelled]
        records, counts = self._send(items)
        for number, (got, want) in enumerate(zip(records, wanted, strict=False)):
            if got != want:
                raise CheckFailed(f"{self._where}: record {number} is {got}, not {want}")
        if len(records) != len(wanted):
            raise CheckFailed(f"{self._where}: {len(records)} records, not {len(wanted)}")
        self._compare(counts)
        if not self._model.is_conserved():
            raise CheckFailed(f"{self._where}: the model has lost frames")
        if not records or records[-1].packets < self._probe.forest.min_packets:
            raise CheckFailed(f"{self._where}: the good flow at the end was not taken")
        done.frames += self._frames
        done.items += len(items)
        done.records += len(records)
        done.cycles += self._circuit.cycles
        if self._model.loading is not None:
            done.loads += self._model.loading.ended - self._model.loading.refused
            done.refusals += self._model.loading.refused

    def upset(self, count: int) -> int:
        """Hostile items while bits of the table turn over, and a flush: no more is asked than that it does not hang.

        What frames were is told before the table, so those counters are still the model's. Gives how many bits were.
        """
        items = [*self._hostile(self._seed + (1 << 32)), Item(ItemKind.FLUSH, 0).to_bytes()]
        for _ in self._model.run([setup_item(self._key, EPOCH_MS), *map(parse_item, items)]):
            pass
        memories = [name for name in self._circuit.circuit.memories if _TABLE in name]
        mean = max(1, self._frames * _FRAME_CYCLES // count)
        upsets = Upsets(self._circuit.circuit, memories, count=count, mean_cycles=mean, seed=self._seed)
        _, counts = self._send(items, upsets)
        self._compare(counts, [Counter(outcome) for outcome in FrameOutcome])
        self._before, self._model_before = counts, probe_counters(self._model)
        return upsets.done

    def _hostile(self, seed: int) -> Iterator[bytes]:
        ports, idle_ms = self._probe.forest.ports or (), self._probe.parameters.table.idle_ms
        hostile = HostileItems(seed, self._captures, ports=ports, idle_ms=idle_ms, images=self._images)
        return hostile.frames(self._frames)

    def _send(self, items: Sequence[bytes], upsets: Upsets | None = None) -> tuple[list[ExportedRecord], _Counts]:
        """The records, and the counters behind them."""
        # Every other run is one without any pause.
        pauses = Pauses(self._seed, 0.02, 0.1) if self._seed % 2 else None
        stream, records, counters = self._stream, [], None
        try:
            sent_all = self._circuit.run(items, key=self._key, epoch_ms=EPOCH_MS, pauses=pauses, between=upsets)
            for sent in sent_all:
                for entry in stream.feed(sent):
                    if isinstance(entry, ExportedRecord):
                        records.append(entry)
                    elif isinstance(entry, ExportedCounters):
                        counters = entry
        except TimeoutError as error:
            raise CheckFailed(f"{self._where}: the probe hangs: {error}") from None
        if upsets is not None:
            # Readers refuse a record that begins after its end, as one whose times have been hit may.
            stream.undecodable.clear()
        if stream.bad_frames or stream.missing or stream.undecodable:
            raise CheckFailed(f"{self._where}: messages cannot be read")
        if counters is None:
            raise CheckFailed(f"{self._where}: no counters came")
        if counters.fill:
            raise CheckFailed(f"{self._where}: {counters.fill} entries are said to be in use after a flush")
        return records, counters.counters

    def _compare(self, counts: _Counts, which: Iterable[Counter] | None = None) -> None:
        """Hold what has been counted since bits turned over to what the model has."""
        model = probe_counters(self._model)
        for counter in model.keys() | counts.keys() if which is None else which:
            got, want = counts[counter] - self._before[counter], model[counter] - self._model_before[counter]
            if got != want:
                raise CheckFailed(f"{self._where}: the counter {counter.name.lower()} is {got}, not {want}")


def _good_flow(probe: ExportedProbe) -> Iterator[bytes]:
    """A flow that must be taken whatever came before it, and a flush before and behind it."""
    port, packets = (probe.forest.ports or (25,))[0], probe.forest.min_packets + 2
    yield Item(ItemKind.FLUSH, 0).to_bytes()
    for number in range(packets):
        there = number % 2 == 0
        source, destination = _SENTINEL_HOSTS if there else reversed(_SENTINEL_HOSTS)
        frame, wire_length = tcp_frame(
            source=source,
            destination=destination,
            source_port=40_000 if there else port,
            destination_port=port if there else 40_000,
            flags=(0x02, 0x12, 0x10)[min(number, 2)],
        )
        yield item_bytes(ItemKind.FRAME, wire_length=wire_length, body=frame)
    yield Item(ItemKind.FLUSH, 0).to_bytes()
