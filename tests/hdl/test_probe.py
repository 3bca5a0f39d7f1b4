"""The whole probe against the software probe, on items of every kind, right and wrong."""

import dataclasses
import random

import pytest

from boards import BOARDS
from compiler.errors import InputError
from compiler.features import UNIVERSAL
from compiler.plan import plan_forest
from compiler.probe_options import NO_OPTIONS, ProbeOptions
from compiler.probe_plan import probe_parameters
from hdl.item import ItemKind, item_bytes
from hdl.probe_front import Pipeline
from hdl.tally import Counter
from hdl.verdict import Verdict, VerdictReason
from sim.export_records import ExportedCounters, ExportedRecord, ExportStream
from sim.identity import Pseudonym, pseudonym_of
from sim.ipfix_writer import probe_counters
from sim.items import Item, parse_item, setup_item
from sim.made_frames import random_frame
from sim.probe import SoftwareProbe
from sim.probe_check import as_exported
from sim.simulated_probe import simulate_probe
from tests.forests import grown_forest
from tests.hdl.table_events import random_items

EPOCH_MS = 1_700_000_000_000
KEY = 0x0123456789ABCDEF
BUILD = "0badcafe"


def probe_of(forest, options=NO_OPTIONS, **changes):
    """A probe whose table is small."""
    board = BOARDS["icebreaker"]
    plan = plan_forest(forest, board.device, board.clock_hz)
    parameters = probe_parameters(forest, board, plan, BUILD, options)
    table = dataclasses.replace(parameters.table, sets=2, ways=2, idle_ms=1000, active_ms=4000, linger_ms=300)
    return dataclasses.replace(parameters, table=table, **changes)


def _hostile_items(rng, count):
    """Flows that meet and time out, with bent frames, ticks with and without a time and bad items among them."""
    for item in random_items(rng, count, hosts=1, step_ms=100):
        match rng.randrange(12):
            case 0:
                yield rng.randbytes(rng.randint(1, 70))
            case 1:
                frame, wire_length = random_frame(rng)
                yield item_bytes(ItemKind.FRAME, time_ms=item.time_ms, wire_length=wire_length, body=frame)
            case 2:
                seconds = (EPOCH_MS + item.time_ms) // 1000
                yield item_bytes(ItemKind.TICK, time_ms=item.time_ms, body=seconds.to_bytes(4, "big"))
            case _:
                yield item.to_bytes()


def _run(parameters, items, seed, key=KEY, **options):
    run = simulate_probe(parameters, items, key=key, epoch_ms=EPOCH_MS, seed=seed, **options)
    stream = ExportStream()
    sent = list(stream.feed(run.sent))
    assert (stream.bad_frames, stream.missing, stream.undecodable) == (0, 0, {})
    records = [entry for entry in sent if isinstance(entry, ExportedRecord)]
    counters = [entry for entry in sent if isinstance(entry, ExportedCounters)]
    return records, counters[-1]


def _first_tick():
    return item_bytes(ItemKind.TICK, body=(EPOCH_MS // 1000).to_bytes(4, "big"))


PIPELINES = (None, Pipeline(), Pipeline(hashes=3))
ANONYMISING = Pipeline(item_bytes=4, anonymising_hashes=3)


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize(
    ("seed", "directions", "reasons"),
    [
        (1, "both", {VerdictReason.BAND, VerdictReason.DECIDED, VerdictReason.ONE_SIDED, VerdictReason.MIDFLOW}),
        (2, "forward", {VerdictReason.DECIDED, VerdictReason.MIDFLOW}),
    ],
)
def test_circuit_equals_model(seed, directions, reasons, pipeline):
    rng = random.Random(seed)
    names = UNIVERSAL if directions == "both" else UNIVERSAL[:12]
    forest = grown_forest(names=names, directions=directions, seed=seed)
    items = [_first_tick(), *_hostile_items(rng, 300), Item(ItemKind.FLUSH, 0).to_bytes()]
    model = SoftwareProbe(forest, sets=2, ways=2, idle_ms=1000, active_ms=4000, linger_ms=300, key=KEY)
    expected = list(model.run(parse_item(item) for item in items))

    records, counters = _run(probe_of(forest, pipeline=pipeline), items, seed)

    build_id = int(BUILD, 16)
    assert records == [as_exported(entry, EPOCH_MS, build_id) for entry in expected]
    assert counters.counters == probe_counters(model)
    assert counters.fill == 0
    assert model.is_conserved()
    assert {record.reason for record in records} >= reasons


@pytest.mark.parametrize("item_bytes", [1, 4, 8])
@pytest.mark.parametrize("paused", [False, True])
def test_wide_items(item_bytes, paused):
    rng = random.Random(11)
    forest = grown_forest(names=UNIVERSAL, seed=11)
    items = [_first_tick(), *_hostile_items(rng, 3000), Item(ItemKind.FLUSH, 0).to_bytes()]
    model = SoftwareProbe(forest, sets=2, ways=2, idle_ms=1000, active_ms=4000, linger_ms=300, key=KEY)
    expected = [as_exported(entry, EPOCH_MS, int(BUILD, 16)) for entry in model.run(map(parse_item, items))]

    # The circuits that tests/sim/test_fuzzing.py takes: each is compiled once.
    parameters = probe_of(forest, pipeline=Pipeline(item_bytes, 2), wait=True)
    records, counters = _run(parameters, items, 11 if paused else None, engine="compiled")

    assert records == expected
    assert counters.counters == probe_counters(model)


@pytest.mark.parametrize(
    ("engine", "short_records", "pipeline"),
    [
        ("amaranth", False, None),
        ("amaranth", True, None),
        ("compiled", False, None),
        ("amaranth", True, Pipeline()),
    ],
)
def test_no_address_leaves_an_anonymising_probe(engine, short_records, pipeline):
    rng = random.Random(12)
    forest = grown_forest(names=("maxpl", "rsp", "spl2"))
    items = [_first_tick(), *_hostile_items(rng, 150), Item(ItemKind.FLUSH, 0).to_bytes()]
    table = {"sets": 2, "ways": 2, "idle_ms": 1000, "active_ms": 4000, "linger_ms": 300, "key": KEY}
    model = SoftwareProbe(forest, anonymised=True, short_records=short_records, **table)
    expected = list(model.run(parse_item(item) for item in items))
    options = ProbeOptions(anonymise=True, short_records=short_records)

    records, counters = _run(probe_of(forest, options, pipeline=pipeline), items, 12, engine=engine)

    assert records == [as_exported(entry, EPOCH_MS, int(BUILD, 16)) for entry in expected]
    assert counters.counters == probe_counters(model)
    assert model.is_conserved()
    others = list(SoftwareProbe(forest, short_records=short_records, **table).run(parse_item(item) for item in items))
    for record, entry in zip(records, others, strict=True):
        flow = entry.flow
        assert isinstance(record.initiator.address, Pseudonym)
        assert record.initiator.address == pseudonym_of(flow.version, flow.initiator.address, KEY)
        assert record.responder.address == pseudonym_of(flow.version, flow.responder.address, KEY)
        assert (record.version, entry.score, entry.verdict) == (flow.version, record.score, record.verdict)


@pytest.mark.parametrize(("min_packets", "pipeline"), [(2, None), (3, None), (3, Pipeline())])
def test_short_records_leave_when_asked_for(min_packets, pipeline):
    rng = random.Random(8)
    forest = grown_forest(names=("maxpl", "rsp"), min_packets=min_packets)
    items = [_first_tick(), *_hostile_items(rng, 150), Item(ItemKind.FLUSH, 0).to_bytes()]
    table = {"sets": 2, "ways": 2, "idle_ms": 1000, "active_ms": 4000, "linger_ms": 300, "key": KEY}
    model = SoftwareProbe(forest, short_records=True, **table)
    expected = list(model.run(parse_item(item) for item in items))

    records, counters = _run(probe_of(forest, ProbeOptions(short_records=True), pipeline=pipeline), items, 8)

    assert records == [as_exported(entry, EPOCH_MS, int(BUILD, 16)) for entry in expected]
    assert counters.counters == probe_counters(model)
    short = [record for record in records if record.packets < min_packets]
    assert {(record.verdict, record.reason, record.score) for record in short} == {
        (Verdict.UNCERTAIN, VerdictReason.SHORT, 0)
    }
    assert counters.counters[Counter.RECORDS_SHORT] == len(short) < len(records)
    assert counters.counters[Counter.FRAMES_SHORT] == 0
    assert counters.counters[Counter.FRAMES_EXPORTED] == counters.counters[Counter.FRAMES_USED]
    others = SoftwareProbe(forest, **table).run(parse_item(item) for item in items)
    assert [entry for entry in expected if entry.reason is not VerdictReason.SHORT] == list(others)


@pytest.mark.parametrize(
    ("engine", "options", "pipeline"),
    [
        ("amaranth", {}, None),
        ("amaranth", {"short_records": True, "anonymise": True}, None),
        ("compiled", {}, None),
        ("amaranth", {}, Pipeline(hashes=2)),
        ("compiled", {"short_records": True, "anonymise": True}, ANONYMISING),
    ],
)
def test_flows_are_judged_early_and_exported_at_their_end(engine, options, pipeline):
    rng = random.Random(14)
    forest = grown_forest(names=("maxpl", "rsp", "duration"), prefix=3)
    items = [_first_tick(), *_hostile_items(rng, 200), Item(ItemKind.FLUSH, 0).to_bytes()]
    model = SoftwareProbe(
        forest,
        sets=2,
        ways=2,
        idle_ms=1000,
        active_ms=4000,
        linger_ms=300,
        key=KEY,
        short_records=options.get("short_records", False),
        anonymised=options.get("anonymise", False),
    )
    expected = list(model.run(parse_item(item) for item in items))

    parameters = probe_of(forest, ProbeOptions(early=3, **options), pipeline=pipeline)
    records, counters = _run(parameters, items, 14, engine=engine)

    assert records == [as_exported(entry, EPOCH_MS, int(BUILD, 16)) for entry in expected]
    assert counters.counters == probe_counters(model)
    assert model.is_conserved()
    early = [record for record in records if record.early]
    unjudged = [record for record in records if record.reason is VerdictReason.EARLY]
    assert {record.packets for record in early} == {3}
    assert min(record.packets for record in unjudged) == 3
    assert {(record.verdict, record.score) for record in unjudged} == {(Verdict.UNCERTAIN, 0)}
    # Every flow that is judged early ends once, and what it ends with is not judged again.
    assert 0 < len(early) == len(unjudged) == counters.counters[Counter.RECORDS_EARLY]
    assert any(not record.early and record.reason is not VerdictReason.EARLY for record in records)
    frames = sum(record.packets for record in records if not record.early)
    assert frames == counters.counters[Counter.FRAMES_EXPORTED]


@pytest.mark.parametrize(
    ("prefix", "early", "message"),
    [
        (0, 3, "forest 'grown': judges whole flows; export it without --early$"),
        (3, 0, "forest 'grown': judges the first 3 packets of flows; export it with --early 3$"),
        (3, 4, "forest 'grown': judges the first 3 packets of flows; export it with --early 3$"),
    ],
)
def test_a_forest_for_another_prefix_is_refused(prefix, early, message):
    with pytest.raises(InputError, match=message):
        probe_of(grown_forest(names=("maxpl",), prefix=prefix), ProbeOptions(early=early))


def test_overload_drops_whole_records_and_counts_them():
    rng = random.Random(3)
    forest = grown_forest(names=("maxpl", "rsp"))
    items = [_first_tick(), *(item.to_bytes() for item in random_items(rng, 200))]
    model = SoftwareProbe(forest, sets=2, ways=2, idle_ms=1000, active_ms=4000, linger_ms=300, key=KEY)
    build_id = int(BUILD, 16)
    expected = [as_exported(entry, EPOCH_MS, build_id) for entry in model.run(map(parse_item, items))]

    parameters = probe_of(forest, wait=False, record_slots=2)
    records, counters = _run(parameters, items, 3, stall_output=0.95)

    counts = counters.counters
    assert counts[Counter.RECORDS_OVERLOAD] > 0
    assert len(records) + counts[Counter.RECORDS_OVERLOAD] == len(expected)
    remaining = iter(expected)
    assert all(record in remaining for record in records), "records that leave keep their order"
    dropped = counts[Counter.FRAMES_OVERLOAD] + counts[Counter.FRAMES_SHORT]
    assert counts[Counter.FRAMES_USED] == counts[Counter.FRAMES_EXPORTED] + dropped
    assert counts[Counter.FRAMES_EXPORTED] == sum(record.packets for record in records)


def test_without_a_tick_nothing_waits_for_ever():
    rng = random.Random(7)
    forest = grown_forest(names=("maxpl", "rsp"))
    model = SoftwareProbe(forest, sets=2, ways=2, idle_ms=1000, active_ms=4000, linger_ms=300, key=KEY)
    run = [item for item in random_items(rng, 80, hosts=1, step_ms=100) if item.kind is ItemKind.FRAME]
    # More records than the buffer has room for, and a set-up behind them.
    items = [*run, setup_item(KEY, EPOCH_MS), *run, Item(ItemKind.FLUSH, 0)]
    build_id = int(BUILD, 16)
    expected = [as_exported(entry, EPOCH_MS, build_id) for entry in model.run(items)]

    records, counters = _run(probe_of(forest, record_slots=4), [item.to_bytes() for item in items], 7)

    assert len(expected) > 4
    assert records == expected
    assert counters.counters == probe_counters(model)


def test_before_the_set_up_frames_are_counted_not_ready():
    rng = random.Random(4)
    parameters = probe_of(grown_forest(names=("maxpl",)))
    frames = [item.to_bytes() for item in random_items(rng, 20) if item.kind is ItemKind.FRAME]
    cut = setup_item(KEY, EPOCH_MS).to_bytes()[:-1]
    items = [cut, *frames, setup_item(KEY, EPOCH_MS).to_bytes(), _first_tick(), Item(ItemKind.FLUSH, 0).to_bytes()]

    records, counters = _run(parameters, items, 4, key=None)

    assert records == []
    counts = counters.counters
    assert counts[Counter.FRAMES_NOT_READY] == len(frames)
    assert (counts[Counter.FRAMES_USED], counts[Counter.BAD_ITEMS]) == (0, 1)


@pytest.mark.parametrize("item_bytes", [1, 4, 8])
def test_a_set_up_waits_for_its_own_flush(item_bytes):
    """Another one, which is still under way, says nothing of what lies between the two."""
    rng = random.Random(9)
    forest = grown_forest(names=UNIVERSAL, seed=11)
    model = SoftwareProbe(forest, sets=2, ways=2, idle_ms=1000, active_ms=4000, linger_ms=300, key=KEY)
    run = [item for item in random_items(rng, 60, hosts=1, step_ms=100) if item.kind is ItemKind.FRAME]
    # Frames of no flow follow the last record until it has left: the set-up then waits for the table alone.
    late_ms = 1_000_000
    no_flow = Item(ItemKind.FRAME, late_ms, 60, bytes(60))
    flushes = [Item(ItemKind.FLUSH, late_ms), no_flow, Item(ItemKind.FLUSH, late_ms + 1)]
    set_up = setup_item(KEY, EPOCH_MS)._replace(time_ms=late_ms + 1)
    items = [*run, *flushes[:1], *[no_flow] * 2000, *flushes, set_up, *run, Item(ItemKind.FLUSH, 0)]
    expected = [as_exported(entry, EPOCH_MS, int(BUILD, 16)) for entry in model.run(items)]

    parameters = probe_of(forest, pipeline=Pipeline(item_bytes, 2), wait=True)
    records, counters = _run(parameters, [item.to_bytes() for item in items], None, engine="compiled")

    assert records == expected
    assert counters.counters == probe_counters(model)


def test_another_set_up_ends_the_run_before_it():
    rng = random.Random(6)
    forest = grown_forest(names=("maxpl", "rsp"))
    later_ms = EPOCH_MS + 5_000_000
    model = SoftwareProbe(forest, sets=2, ways=2, idle_ms=1000, active_ms=4000, linger_ms=300, key=KEY)
    build_id = int(BUILD, 16)
    items, expected = [_first_tick()], []
    list(model.run([parse_item(_first_tick())]))
    for epoch_ms in (EPOCH_MS, later_ms):
        # The last item of random ones is a flush, which is left to the set-up that follows.
        run = [item for item in random_items(rng, 120, hosts=1, step_ms=100) if item.kind is not ItemKind.FLUSH]
        setup = setup_item(KEY + 1, later_ms) if epoch_ms == EPOCH_MS else Item(ItemKind.FLUSH, 0)
        tick = Item(ItemKind.TICK, 0, body=(later_ms // 1000).to_bytes(4, "big"))
        items += [*(item.to_bytes() for item in run), setup.to_bytes(), tick.to_bytes()]
        expected += [as_exported(entry, epoch_ms, build_id) for entry in model.run([*run, setup, tick])]

    records, counters = _run(probe_of(forest), items, 6)

    assert len(records) > 10
    assert records == expected
    assert counters.counters == probe_counters(model)
