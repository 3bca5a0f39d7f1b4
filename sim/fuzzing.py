"""fuzz: a compiled probe on hostile items, held to its model run by run."""

import dataclasses
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from compiler.errors import CheckFailed
from hdl.item import ItemKind, item_bytes

from .capture import CapturedFrame
from .compiled_probe import CompiledProbe
from .compiled_streams import Pauses
from .export_records import ExportedCounters, ExportedRecord, ExportStream
from .hostile_items import EPOCH_MS, HostileItems
from .ipfix_writer import probe_counters
from .items import Item, parse_item
from .made_frames import tcp_frame
from .probe_check import as_exported
from .replay import ExportedProbe, software_probe

__all__ = ["FUZZ_RUN", "Fuzzed", "fuzz"]

FUZZ_RUN = 20_000
"""Frames between two set-ups from nothing: a difference is found in a run that can be repeated by itself."""

_SENTINEL_HOSTS = bytes([203, 0, 113, 1]), bytes([203, 0, 113, 2])


@dataclass
class Fuzzed:
    """What has been fuzzed without a difference."""

    frames: int = 0
    items: int = 0
    records: int = 0
    cycles: int = 0


def fuzz(
    probe: ExportedProbe,
    build_id: int,
    *,
    frames: int,
    seed: int,
    captures: Sequence[Sequence[CapturedFrame]],
    tell: Callable[[int, int], None] = lambda *_: None,
    say: Callable[[str], None] = lambda _: None,
) -> Fuzzed:
    """Send hostile items through a compiled probe; raise where it is not as its model.

    Every run ends with a good flow and a flush. Its records, counters and conservation are looked at: nothing may
    differ, nothing may hang, and the good flow must have been taken.

    Parameters
    ----------
    build_id: that its records carry
    frames: how many, in runs of :data:`FUZZ_RUN`
    seed: of everything random; a run has the seed ``seed + number``
    captures: real traffic to be bent
    tell: called with the frames that are done and of how many
    say: see :func:`~sim.compiling.compile_circuit`
    """
    probe = probe._replace(parameters=dataclasses.replace(probe.parameters, wait=True))
    done = Fuzzed()
    for number, begin in enumerate(range(0, frames, FUZZ_RUN)):
        count = min(FUZZ_RUN, frames - begin)
        _run(probe, build_id, seed + number, count, captures, done, say)
        tell(done.frames, frames)
    return done


def _run(
    probe: ExportedProbe,
    build_id: int,
    seed: int,
    frames: int,
    captures: Sequence[Sequence[CapturedFrame]],
    done: Fuzzed,
    say: Callable[[str], None],
) -> None:
    where, table = f"fuzz, seed {seed}, {frames} frames", probe.parameters.table
    hostile = HostileItems(seed, captures, ports=probe.forest.ports or (), idle_ms=table.idle_ms)
    items = [*hostile.frames(frames), *_good_flow(probe)]
    key = random.Random(seed).getrandbits(64)

    model = software_probe(probe, key)
    wanted = [as_exported(entry, EPOCH_MS, build_id) for entry in model.run(map(parse_item, items))]

    circuit = CompiledProbe(probe.parameters, say=say)
    # Every other run is one without any pause.
    pauses = Pauses(seed, 0.02, 0.1) if seed % 2 else None
    stream, records, counters = ExportStream(), [], None
    try:
        for sent in circuit.run(items, key=key, epoch_ms=EPOCH_MS, pauses=pauses):
            for entry in stream.feed(sent):
                if isinstance(entry, ExportedRecord):
                    records.append(entry)
                elif isinstance(entry, ExportedCounters):
                    counters = entry
    except TimeoutError as error:
        raise CheckFailed(f"{where}: the probe hangs: {error}") from None
    if stream.bad_frames or stream.missing or stream.undecodable:
        raise CheckFailed(f"{where}: messages cannot be read")
    for number, (got, want) in enumerate(zip(records, wanted, strict=False)):
        if got != want:
            raise CheckFailed(f"{where}: record {number} is {got}, not {want}")
    if len(records) != len(wanted):
        raise CheckFailed(f"{where}: {len(records)} records, not {len(wanted)}")
    if not model.is_conserved() or counters is None or dict(counters.counters) != probe_counters(model):
        raise CheckFailed(f"{where}: the counters are {counters}, not {probe_counters(model)}")
    if not records or records[-1].packets < probe.forest.min_packets:
        raise CheckFailed(f"{where}: the good flow at the end was not taken")
    done.frames += frames
    done.items += len(items)
    done.records += len(records)
    done.cycles += circuit.cycles


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
