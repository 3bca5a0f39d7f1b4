"""A probe that is loaded while it runs, against its model: good images and bad ones, single and double tables."""

import dataclasses
import random

import pytest

from boards import BOARDS
from compiler.forest import Band
from compiler.plan import plan_forest
from compiler.probe_plan import probe_parameters
from hdl.item import ItemKind, item_bytes
from hdl.probe_front import Pipeline
from hdl.tally import Counter
from hdl.verdict import VerdictReason
from sim.export_records import ExportedCounters, ExportedRecord, ExportStream
from sim.hostile_items import chunks_of_image
from sim.ipfix_writer import probe_counters
from sim.items import Item, parse_item
from sim.load_check import image_of, mirrored
from sim.probe import SoftwareProbe
from sim.probe_check import as_exported
from sim.simulated_probe import simulate_probe
from sim.table_loading import TableLoading, chunk_items
from tests.forests import grown_forest
from tests.hdl.test_flow_table import random_items

EPOCH_MS = 1_700_000_000_000
KEY = 0x0123456789ABCDEF
BUILD = 0x0BADCAFE
FOREST = dataclasses.replace(grown_forest(names=("maxpl", "rsp"), trees=3, depth=2), band=Band(-3000, -2900))
OTHER = mirrored(FOREST)
TABLE = {"sets": 2, "ways": 2, "idle_ms": 1000, "active_ms": 4000, "linger_ms": 300}


def a_probe(*, double, pipeline=None):
    """Parameters of the probe and of its walker."""
    board = BOARDS["icebreaker"]
    plan = plan_forest(FOREST, board.device, board.clock_hz, loadable=True)
    plan = dataclasses.replace(plan, parameters=dataclasses.replace(plan.parameters, double=double))
    parameters = probe_parameters(FOREST, board, plan, f"{BUILD:08x}")
    table = dataclasses.replace(parameters.table, **TABLE)
    parameters = dataclasses.replace(parameters, table=table, pipeline=pipeline)
    return parameters, plan.parameters


def run(parameters, walker, items, seed):
    """What comes out of the circuit, what of the model, and the model."""
    model = SoftwareProbe(FOREST, **TABLE, key=KEY, loading=TableLoading(walker, [FOREST, OTHER]))
    wanted = [as_exported(entry, EPOCH_MS, BUILD) for entry in model.run(map(parse_item, items))]
    sent = simulate_probe(parameters, items, key=KEY, epoch_ms=EPOCH_MS, seed=seed).sent
    stream = ExportStream()
    said = list(stream.feed(sent))
    assert (stream.bad_frames, stream.missing, stream.undecodable) == (0, 0, {})
    return said, wanted, model


def traffic(rng, count):
    tick = item_bytes(ItemKind.TICK, body=(EPOCH_MS // 1000).to_bytes(4, "big"))
    run = [item for item in random_items(rng, count, hosts=1, step_ms=100) if item.kind is not ItemKind.FLUSH]
    return [tick, *(item.to_bytes() for item in run), Item(ItemKind.FLUSH, 0).to_bytes()]


def chunks_of_all_kinds(rng, walker):
    """Chunks, right and wrong, in the order in which they are to come."""
    images = [image_of(forest, walker) for forest in (FOREST, OTHER)]
    for _ in range(9):
        yield from chunks_of_image(rng, images)


def among(rng, items, chunks):
    """The items, the chunks among them; the first and the last item stay where they are."""
    places = sorted(rng.randrange(1, len(items)) for _ in chunks)
    for place, chunk in reversed(list(zip(places, chunks, strict=True))):
        items.insert(place, chunk)
    return items


@pytest.mark.parametrize(
    ("double", "seed", "pipeline"),
    [(False, 1, None), (True, 2, None), (False, 3, Pipeline(hashes=2))],
)
def test_circuit_equals_model_whatever_chunks_come(double, seed, pipeline):
    rng = random.Random(seed)
    parameters, walker = a_probe(double=double, pipeline=pipeline)
    items = among(rng, traffic(rng, 130), list(chunks_of_all_kinds(rng, walker)))
    said, wanted, model = run(parameters, walker, items, seed)
    records = [entry for entry in said if isinstance(entry, ExportedRecord)]
    counters = [entry for entry in said if isinstance(entry, ExportedCounters)][-1]
    assert records == wanted
    assert counters.counters == probe_counters(model)
    assert counters.forest_id == int(model.forest.id, 16)
    assert model.is_conserved()
    unclassified = [record for record in records if record.reason is VerdictReason.OVERLOAD]
    assert counters.counters[Counter.RECORDS_UNCLASSIFIED] == len(unclassified)
    assert bool(unclassified) is not double
    assert counters.counters[Counter.TABLES_REFUSED] > 2
    assert {record.forest_id for record in records} == {int(forest.id, 16) for forest in (FOREST, OTHER)}
    # No frame is lost by it.
    counts = counters.counters
    assert counts[Counter.FRAMES_USED] == counts[Counter.FRAMES_EXPORTED] + counts[Counter.FRAMES_SHORT]
    assert counts[Counter.FRAMES_EXPORTED] == sum(record.packets for record in records)


def test_records_change_between_two_items():
    """Of each forest the records are those of a probe that never had another one."""
    rng = random.Random(5)
    parameters, walker = a_probe(double=False)
    items = traffic(rng, 90)
    alone = {}
    for forest in (FOREST, OTHER):
        model = SoftwareProbe(forest, **TABLE, key=KEY)
        alone[forest.id] = [as_exported(entry, EPOCH_MS, BUILD) for entry in model.run(map(parse_item, items))]
    half = len(items) // 2
    before = len(list(SoftwareProbe(FOREST, **TABLE, key=KEY).run(map(parse_item, items[:half]))))
    items[half:half] = [chunk.to_bytes() for chunk in chunk_items(image_of(OTHER, walker))]

    said, wanted, _ = run(parameters, walker, items, 5)
    records = [entry for entry in said if isinstance(entry, ExportedRecord)]

    assert records == wanted == alone[FOREST.id][:before] + alone[OTHER.id][before:]
    assert [record.score for record in records[before:]] != [r.score for r in alone[FOREST.id][before:]]
    assert {record.monitor_only for record in records[before:]} == {OTHER.monitor_only}
    # The probe announces itself at once, and tells which forest it has then.
    told = [entry.forest_id if isinstance(entry, ExportedCounters) else None for entry in said]
    switch = told.index(int(OTHER.id, 16))
    assert sum(entry is None for entry in told[:switch]) == before
