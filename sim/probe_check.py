"""check_probe: the whole probe of an export, simulated on a real capture and held to the software model."""

from collections import Counter as Tally
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from compiler.errors import CheckFailed, InputError
from compiler.forest import Forest
from compiler.manifest import read_manifest, record
from hdl.item import FrameOutcome

from .capture import CapturedFrame, read_capture
from .damage import damaged
from .export_records import ExportedCounters, ExportedRecord, ExportStream
from .headers import decode_frame
from .identity import endpoints_of
from .ipfix_writer import probe_counters
from .items import epoch_of, items_of
from .load_check import with_loads
from .probe import ProbeRecord
from .replay import TEST_KEY, read_probe, software_probe
from .simulated_probe import simulate_probe
from .testbench import SIMULATORS

__all__ = ["CHECK_CAPTURE", "FLOWS", "ProbeSimulated", "check_probe", "flows_with_fewest_frames"]

CHECK_CAPTURE = Path(__file__).parents[1] / "training" / "data" / "test.pcap.gz"
"""Real mail traffic that the check replays unless it is given other."""

FLOWS = 120
"""How many flows of it."""

DAMAGED_SHARE = 3
"""Of so many flows one comes again, damaged."""

_PAUSE_NS = 300 * 10**9
"""Before they come again: longer than the idle timeout."""

_GAP_TICKS = 2


@dataclass(frozen=True)
class ProbeSimulated:
    """What a simulation has shown.

    Attributes
    ----------
    flows, frames: what was replayed; a flow that comes again counts once
    records, mismatches: of the software model, and those that the circuit gave otherwise, elsewhere or not at all
    counters_equal: whether the last counters that the circuit sent are those of the model
    cycles: clocks that were simulated
    loads, refusals: table images that were taken in the middle of it, and those that were refused
    """

    flows: int
    frames: int
    records: int
    mismatches: int
    counters_equal: bool
    cycles: int
    loads: int = 0
    refusals: int = 0


def flows_with_fewest_frames(frames: Sequence[CapturedFrame], count: int) -> list[CapturedFrame]:
    """The frames of so many flows, those with the fewest frames, in the order of the capture."""
    flow_of: list[object] = []
    for frame in frames:
        outcome, packet = decode_frame(frame.data, frame.wire_length, None)
        flow_of.append(endpoints_of(packet)[0] if outcome is FrameOutcome.USED else None)
    sizes = Tally(flow for flow in flow_of if flow is not None)
    chosen = {flow for flow, _ in sorted(sizes.items(), key=lambda entry: entry[1])[:count]}
    return [frame for frame, flow in zip(frames, flow_of, strict=True) if flow in chosen]


def check_probe(
    directory: str | Path,
    *,
    capture: str | Path = CHECK_CAPTURE,
    flows: int = FLOWS,
    seed: int = 1,
    engine: str = "amaranth",
    tell: Callable[[int, int], None] = lambda *_: None,
    say: Callable[[str], None] = lambda _: None,
) -> ProbeSimulated:
    """Replay flows of a capture through circuit and model, write the result into the manifest, raise on a difference.

    Then a part of them comes again, damaged. Frames are cut after their headers; bytes come and are taken with random
    gaps, and the link waits, as one that a host feeds. A probe that can be loaded is offered a damaged table image and
    a good one meanwhile. ``engine`` is one of :data:`~sim.testbench.SIMULATORS`; ``say`` as in
    :func:`~sim.compiling.compile_circuit`.
    """
    if engine not in SIMULATORS:
        raise InputError(f"--engine: must be one of {', '.join(SIMULATORS)}, not {engine!r}")
    probe = read_probe(Path(directory))
    captured = list(read_capture(Path(capture)))
    frames = flows_with_fewest_frames(captured, flows)
    if not frames:
        raise InputError(f"{capture}: has no TCP flows to replay")
    again = flows_with_fewest_frames(captured, max(flows // DAMAGED_SHARE, 1))
    frames += damaged(again, later_ns=frames[-1].time_ns - again[0].time_ns + _PAUSE_NS, seed=seed)
    epoch_ms = epoch_of(frames[0])
    items = list(items_of(frames, epoch_ms=epoch_ms, gap_ticks=_GAP_TICKS, headers_only=True, name=str(capture)))

    others: tuple[Forest, ...] = ()
    if probe.walker is not None:
        items, loaded = with_loads(items, probe.forest, probe.walker, seed=seed)
        others = (loaded,)
    model = software_probe(probe, TEST_KEY, others)
    expected = list(model.run(items))
    run = simulate_probe(
        probe.waiting,
        items,
        key=TEST_KEY,
        epoch_ms=epoch_ms,
        seed=seed,
        tell=tell,
        engine=engine,
        say=say,
    )
    stream = ExportStream()
    sent = list(stream.feed(run.sent))
    records = [entry for entry in sent if isinstance(entry, ExportedRecord)]
    counters = [entry for entry in sent if isinstance(entry, ExportedCounters)]
    unreadable = stream.bad_frames + stream.missing + sum(stream.undecodable.values())

    build_id = int(read_manifest(directory).build_id, 16)
    wanted = [as_exported(entry, epoch_ms, build_id) for entry in expected]
    mismatches = unreadable + abs(len(records) - len(wanted))
    mismatches += sum(got != want for got, want in zip(records, wanted, strict=False))
    result = ProbeSimulated(
        flows=len({endpoints_of(packet)[0] for packet in _packets(frames)}),
        frames=len(frames),
        records=len(wanted),
        mismatches=mismatches,
        counters_equal=bool(counters)
        and dict(counters[-1].counters) == probe_counters(model)
        and counters[-1].forest_id == int(model.forest.id, 16),
        cycles=run.cycles,
        loads=len(others),
        refusals=0 if model.loading is None else model.loading.refused,
    )
    record(
        directory,
        "replayed",
        {
            "engine": "cxxrtl" if engine == "compiled" else engine,
            "capture": Path(capture).name,
            "flows": result.flows,
            "frames": result.frames,
            "records": result.records,
            "mismatches": result.mismatches,
            "counters_equal": result.counters_equal,
            "cycles": result.cycles,
            "seed": seed,
            **({} if probe.walker is None else {"loads": result.loads, "refusals": result.refusals}),
        },
    )
    if result.mismatches or not result.counters_equal:
        raise CheckFailed(
            f"{directory}: {result.mismatches} of {result.records} records differ from the model's"
            + ("" if result.counters_equal else ", and so do the counters")
        )
    return result


def _packets(frames: Sequence[CapturedFrame]) -> Iterator:
    for frame in frames:
        outcome, packet = decode_frame(frame.data, frame.wire_length, None)
        if outcome is FrameOutcome.USED:
            yield packet


def as_exported(entry: ProbeRecord, epoch_ms: int, build_id: int) -> ExportedRecord:
    """The record as it should come out of the circuit."""
    flow = entry.flow
    return ExportedRecord(
        version=flow.version,
        initiator=flow.initiator,
        responder=flow.responder,
        first_ms=epoch_ms + flow.first_ms,
        last_ms=epoch_ms + flow.last_ms,
        end_reason=flow.end_reason,
        biflow_direction=int(flow.syn),
        forward=flow.forward,
        response=flow.response,
        verdict=entry.verdict,
        reason=entry.reason,
        score=entry.score,
        forest_id=int(entry.forest.id, 16),
        build_id=build_id,
        monitor_only=entry.forest.monitor_only,
        early=flow.early,
    )
