"""``training watch``: what fit keeps of features, the index and its p, the alarm, and wrong input."""

import json
from decimal import Decimal
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from compiler.forest import Forest
from tests.training.cases import run_training
from training.drift.alarm import Alarm, compare, population_stability, trials
from training.drift.histograms import Histograms, histograms_of, histograms_path, read_histograms
from training.exported_flows import read_flows_to_judge
from training.flow_set import FlowSet, read_flow_set

PORTS = frozenset({25, 587})
ROUNDING = Decimal(12 * 64 * 2.0**-53)
"""Of an index of 12 bins: no logarithm is above 8, and what a bin adds is rounded six times."""


def made(counts) -> Histograms:
    """Of one feature, counts by sender."""
    counts = np.array(counts)
    edges = (tuple(range(counts.shape[1] - 1)),)
    return Histograms("x", ("sp",), edges, int(counts.sum()), len(counts), counts, counts.sum(axis=0))


def test_fit_keeps_histograms_beside_the_forest(flow_files, fitted):
    forest = Forest.from_json(fitted[0])
    flows = read_flow_set([flow_files[0]], forest.feature_names, PORTS, "forward")
    found = read_histograms(histograms_path(fitted[0]), forest)
    assert found.forest_id == forest.id
    assert (found.flows, found.senders) == (len(flows), flows.senders)
    assert len(found.counts) == flows.senders
    for at, (column, edges, part) in enumerate(zip(flows.X.T, found.edges, found.slices, strict=True)):
        bounds = [-1, *edges, np.inf]
        expected = [int(np.sum((column > low) & (column <= high))) for low, high in pairwise(bounds)]
        assert found.total[part].tolist() == expected, found.features[at]
        assert found.counts[:, part].sum(axis=0).tolist() == expected
    # Nobody is named, and the order is not that of addresses.
    said = histograms_path(fitted[0]).read_text()
    assert not any(sender in said for sender in flows.sender.tolist())
    assert found.counts.tolist() != found.counts_of(flows).tolist()
    assert sorted(found.counts.tolist()) == sorted(found.counts_of(flows).tolist())


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=12))
def test_population_stability(pairs):
    then, now = np.array(pairs).T
    index = population_stability(then, now)
    assert index >= 0
    assert index == population_stability(now, then)
    assert population_stability(then, then) == 0
    a, b = ([Decimal(2 * int(n) + 1) / (2 * int(sum(counts)) + len(counts)) for n in counts] for counts in (then, now))
    exact = sum((y - x) * (y / x).ln() for x, y in zip(a, b, strict=True))
    assert abs(Decimal(float(index)) - exact) <= ROUNDING


def test_what_moved_is_found():
    generator = np.random.default_rng(3)
    learnt = made(generator.multinomial(10, [0.25] * 4, 60))
    (same,) = compare(learnt, generator.multinomial(10, [0.25] * 4, 40))
    moved = generator.multinomial(10, [0.7, 0.1, 0.1, 0.1], 40)
    (other,) = compare(learnt, moved)
    assert same.p > 0.05
    assert not Alarm().raised_by([same])
    assert other.p == 0.001
    assert other.stability > 0.25
    assert other.moved == (None, 0, learnt.total[0] / learnt.total.sum(), moved[:, 0].sum() / moved.sum())
    assert Alarm().raised_by([other]) == [other]
    assert not Alarm(stability=10).raised_by([other])


def test_flows_of_one_sender_are_one_observation():
    # Each sender has flows of one bin: as many flows as you like, but few senders.
    generator = np.random.default_rng(5)
    alike = [1000 * np.eye(4, dtype=int)[generator.integers(4, size=size)] for size in (40, 20)]
    (found,) = compare(made(alike[0]), alike[1])
    assert found.stability > 0.05, "flows by themselves would be a sure sign"
    assert found.p > 0.05


def test_the_alarm_keeps_its_level_and_finds_what_is_there():
    generator = np.random.default_rng(7)
    clustered = generator.dirichlet([1] * 4, 200)
    now = np.array([generator.multinomial(10, shares) for shares in clustered])
    tried = trials(made(now), now, Alarm(stability=0, level=0.05), count=100)
    assert (tried.count, tried.senders) == (100, 100)
    # Binomial(100, .05) is above 12 once in a thousand times.
    assert tried.among_halves <= 12
    strayed = made([generator.multinomial(10, [0.97, 0.01, 0.01, 0.01]) for _ in range(200)])
    assert trials(strayed, now, Alarm(), count=20).against_learnt == 20


def test_exported_records_are_the_flows(flow_files, fitted, exported_file):
    forest = Forest.from_json(fitted[0])
    exported = read_flows_to_judge([exported_file], [forest], frozenset({"198.19.0.10"}))
    measured = read_flows_to_judge([flow_files[1]], [forest])
    rows = [
        sorted(zip(flows.sender.tolist(), np.floor(flows.start_s * 1000).tolist(), flows.X.tolist(), strict=True))
        for flows in (exported, measured)
    ]
    assert rows[0] == rows[1]
    assert set(exported.label.tolist()) == {""}


def test_watch(flow_files, fitted, exported_file, capsys):
    assert run_training("watch", fitted[0], flow_files[0]) == 0
    said = capsys.readouterr()
    assert "no alarm: no feature has an index of at least 0.1 with p at most 0.01" in said.out
    assert "has learnt from learn.csv: these flows cannot differ" in said.err
    codes = [
        run_training("watch", fitted[0], path, "--server", "198.19.0.10", "--try-out", 3, "--stability", 0)
        for path in (flow_files[1], exported_file)
    ]
    one, other = capsys.readouterr().out.split("features now")[1:]
    assert one == other
    assert codes[0] == codes[1]
    assert "alarm between halves of these senders" in one
    assert run_training("watch", fitted[0], exported_file, "--stability", 0, "--level", 1) == 1
    assert "\nalarm: " in capsys.readouterr().out


def test_watch_refuses(flow_files, fitted, exported_file, tmp_path, capsys):
    def refused(*arguments) -> str:
        assert run_training("watch", *arguments) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        return error

    forest = tmp_path / "forest.json"
    forest.write_bytes(fitted[0].read_bytes())
    beside = tmp_path / "forest.histograms.json"
    assert f"{beside}: is not there; `fit` writes it" in refused(forest, exported_file)
    beside.write_bytes(histograms_path(fitted[1]).read_bytes())
    ids = [Forest.from_json(path).id for path in fitted]
    assert f"{beside}: is of forest {ids[1]}, not of {ids[0]}" in refused(forest, exported_file)
    document = json.loads(histograms_path(fitted[0]).read_text())
    for change, message in (
        ({"version": 99}, "must be hedgerow-histograms of version 1"),
        ({"by_sender": [[1, 2]]}, "must hold edges and counts of"),
        ({"by_sender": "eggs"}, "must hold edges and counts of"),
        ({"features": []}, "must hold edges and counts of"),
    ):
        beside.write_text(json.dumps(document | change))
        assert message in refused(forest, exported_file)
    beside.write_text("{")
    assert "is no JSON" in refused(forest, exported_file)
    beside.write_bytes(histograms_path(fitted[0]).read_bytes())
    broken = tmp_path / "broken.ipfix"
    broken.write_bytes(exported_file.read_bytes()[:-3])
    assert f"{broken}: the message at byte " in refused(forest, broken)
    broken.write_bytes(b"")
    assert "must hold records of complete flows, but none of 0 is that" in refused(forest, broken)
    wide = tmp_path / "wide.json"
    options = ("--features", "sttl,spl", "--ports", "25,587", "--trees", 2, "-o", wide)
    assert run_training("fit", flow_files[0], *options) == 0
    capsys.readouterr()
    assert "records do not hold element 1013, which feature 'sttl' needs" in refused(wide, exported_file)
    records = tmp_path / "records.csv"
    records.write_text("start,verdict\n")
    assert f"{records}: column 'sender' is missing" in refused(forest, records)


def test_histograms_of_many_senders_are_of_a_thousand(fitted):
    forest = Forest.from_json(fitted[0])
    X = np.random.default_rng(1).integers(0, 255, (5000, len(forest.columns)))
    senders = np.array([f"s{at % 2500}" for at in range(5000)])
    found = histograms_of(forest, FlowSet("made", forest.feature_names, X, senders, senders, senders))
    assert found.counts.shape[0] == 1000
    assert found.total[found.slices[0]].sum() == found.flows == 5000
    assert found.senders == 2500
