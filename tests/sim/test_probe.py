"""sim.probe: verdicts, their reasons, what is counted, and the same flows whatever the table."""

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.features import CATALOGUE, UNIVERSAL
from compiler.forest import Band, Column, Forest, Leaf, Node, Tree
from hdl.accumulator import PACKETS
from hdl.item import ItemKind
from hdl.verdict import Verdict, VerdictReason
from sim.capture import read_capture
from sim.items import Item, items_of
from sim.made_frames import random_frame, tcp_frame
from sim.probe import SoftwareProbe, feature_values

SLICE = Path(__file__).parents[2] / "training" / "data" / "test.pcap.gz"
CLIENT, SERVER = (b"\x0a\0\0\1", 1024), (b"\x0a\0\0\2", 25)
SYN, SYN_ACK, ACK = 0x02, 0x12, 0x10


def forest_of(names=UNIVERSAL, trees=None, **fields):
    columns = tuple(Column(f.name, f.bits, f.fraction, f.unit) for f in (CATALOGUE[name] for name in names))
    trees = trees or (Tree(3, (Node(names.index("maxpl"), 500, 1, 2), Leaf(1), Leaf(-1))),)
    return Forest(name="test", columns=columns, trees=trees, **fields)


def frame(sender, receiver, flags, *, time_ms=0, payload=0):
    data, wire_length = tcp_frame(
        source=sender[0],
        destination=receiver[0],
        source_port=sender[1],
        destination_port=receiver[1],
        flags=flags,
        payload=payload,
    )
    return Item(ItemKind.FRAME, time_ms, wire_length, data)


def only_record(forest, frames, **options):
    probe = SoftwareProbe(forest, **options)
    records = list(probe.run([*frames, Item(ItemKind.FLUSH, 0)]))
    assert probe.is_conserved()
    (record,) = records
    return record


OPENED = [frame(CLIENT, SERVER, SYN), frame(SERVER, CLIENT, SYN_ACK)]


@pytest.mark.parametrize(
    ("frames", "fields", "verdict", "reason"),
    [
        (OPENED, {}, Verdict.SPAM, VerdictReason.DECIDED),
        ([*OPENED, frame(CLIENT, SERVER, ACK, payload=900)], {}, Verdict.BACKGROUND, VerdictReason.DECIDED),
        (OPENED, {"band": Band(-3, 3)}, Verdict.UNCERTAIN, VerdictReason.BAND),
        (OPENED[:1] * 2, {}, Verdict.UNCERTAIN, VerdictReason.ONE_SIDED),
        (OPENED[1:] * 2, {}, Verdict.UNCERTAIN, VerdictReason.ONE_SIDED),
        ([frame(CLIENT, SERVER, ACK), frame(SERVER, CLIENT, ACK)], {}, Verdict.UNCERTAIN, VerdictReason.MIDFLOW),
        ([frame(CLIENT, SERVER, ACK)] * 2, {}, Verdict.UNCERTAIN, VerdictReason.MIDFLOW),
        (OPENED[:1] * 2, {"directions": "forward"}, Verdict.SPAM, VerdictReason.DECIDED),
        (OPENED[1:] * 2, {"directions": "forward"}, Verdict.UNCERTAIN, VerdictReason.ONE_SIDED),
        (OPENED[:1], {"min_packets": 1}, Verdict.UNCERTAIN, VerdictReason.ONE_SIDED),
    ],
)
def test_verdict_and_reason(frames, fields, verdict, reason):
    forest = forest_of(("maxpl", "sp"), **fields)
    record = only_record(forest, frames)
    assert (record.verdict, record.reason) == (verdict, reason)
    assert record.score == forest.score([record.features])[0]
    assert record.features == (record.flow.forward[CATALOGUE["maxpl"].needs[0]], record.flow.forward[PACKETS])


def test_short_records_are_only_counted():
    probe = SoftwareProbe(forest_of(min_packets=3))
    assert list(probe.run([*OPENED, Item(ItemKind.FLUSH, 0)])) == []
    counters = probe.counters
    assert (counters["records_unexported"], counters["frames_unexported"], counters["frames_exported"]) == (1, 2, 0)
    assert probe.is_conserved()


def test_bad_items_change_nothing():
    probe = SoftwareProbe(forest_of())
    assert list(probe.run([None, None])) == []
    assert probe.counters["bad_items"] == 2
    assert (probe.table.now, probe.counters["frames"]) == (0, 0)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), sets=st.sampled_from([None, 1, 2]))
def test_every_frame_is_accounted_for(seed, sets):
    rng = random.Random(seed)
    hosts = [(rng.randbytes(4), port) for port in (25, 1000) for _ in range(3)]
    items, time_ms = [], 0
    for _ in range(150):
        time_ms += rng.choice((0, 1, 200, 5000))
        if rng.random() < 0.3:
            data, wire_length = random_frame(rng)
            items.append(Item(ItemKind.FRAME, time_ms, wire_length, data))
        else:
            kind = rng.choice((SYN, SYN_ACK, ACK, ACK, 0x11, 0x04))
            items.append(
                frame(rng.choice(hosts), rng.choice(hosts), kind, time_ms=time_ms, payload=rng.randrange(1000))
            )
    probe = SoftwareProbe(forest_of(), sets=sets, ways=2, idle_ms=3000, active_ms=9000, linger_ms=500)
    seen = 0
    for part in (items[:50], items[50:]):
        records = list(probe.run(part))
        assert probe.is_conserved()
        seen += len(records)
    assert seen == probe.counters["records_exported"]
    assert probe.counters["frames"] == 150


def test_probe_of_the_slice():
    forest = forest_of(ports=(25, 587))
    runs = {}
    for name, options in {"unlimited": {}, "roomy": {"sets": 512}, "other key": {"sets": 512, "key": 99}}.items():
        probe = SoftwareProbe(forest, **options)
        runs[name] = list(probe.run(items_of(read_capture(SLICE), headers_only=name == "roomy")))
        assert probe.is_conserved()
        assert probe.counters["frames"] == probe.counters["frames_exported"] == 26961
    assert len(runs["unlimited"]) == 886
    assert {len(records) for records in runs.values()} == {886}

    def content(records):
        return sorted((r.flow.initiator, r.flow.first_ms, r.features, r.score, r.verdict, r.reason) for r in records)

    assert content(runs["unlimited"]) == content(runs["roomy"]) == content(runs["other key"])
    for record in runs["unlimited"]:
        assert record.features == feature_values(record.flow, forest.feature_names)
    scores = forest.score(np.array([record.features for record in runs["unlimited"]]))
    assert [record.score for record in runs["unlimited"]] == scores.tolist()
