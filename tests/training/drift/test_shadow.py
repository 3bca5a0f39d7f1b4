"""``training shadow``: both verdicts of every flow, who is right, and wrong input."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from compiler.forest import Forest
from tests.training.cases import run_training
from training.drift.shadow import VERDICTS, Shadow, shadow_of
from training.flow_set import FlowSet, read_flow_set

PORTS = frozenset({25, 587})


@pytest.fixture(scope="module")
def found(flow_files, fitted):
    first, second = map(Forest.from_json, fitted)
    names = tuple(dict.fromkeys((*first.feature_names, *second.feature_names)))
    return shadow_of(first, second, read_flow_set([flow_files[1]], names, PORTS, "forward"))


def test_both_say_what_they_say_alone(found, fitted):
    for path, said in zip(fitted, (found.first, found.second), strict=True):
        forest = Forest.from_json(path)
        assert np.array_equal(said, forest.decide(found.flows.columns(forest.feature_names)))
    assert np.abs(found.scores).max() <= 1


def test_counts_senders_and_flows(found):
    counts = found.counts()
    assert counts.sum() == len(found.flows)
    assert counts[VERDICTS.index(1)].sum() == np.sum(found.first == 1)
    assert counts[:, VERDICTS.index(0)].sum() == np.sum(found.second == 0)
    different = int(found.different.sum())
    assert different == counts.sum() - np.trace(counts) > 0
    senders = found.senders()
    assert sum(row.different for row in senders) == different
    assert [row.different for row in senders] == sorted((row.different for row in senders), reverse=True)
    rows = found.furthest(different + 5)
    assert sorted(rows.tolist()) == np.flatnonzero(found.different).tolist()
    gaps = np.abs(found.scores[0] - found.scores[1])[rows]
    assert (np.diff(gaps) <= 0).all()


def test_who_is_right_is_counted_by_sender():
    sender = np.array(["a", "a", "a", "b", "b", "c", "d"])
    first = np.array([1, 1, 0, -1, 1, 1, 0])
    second = np.array([0, 0, 1, 1, 1, 0, -1])
    flows = FlowSet("made", ("sp",), np.zeros((7, 1), int), sender, np.full(7, "spam"), np.full(7, ""))
    shadow = Shadow(flows, first, second, np.zeros((2, 7)))
    spam = shadow.paired(spam=True)
    assert (spam.first_right, spam.second_right) == (3, 2)
    assert (spam.first_better, spam.second_better) == (2, 1), "a and c against b; d is equal"
    assert spam.p == binomtest(2, 3).pvalue
    ham = replace(shadow, flows=replace(flows, label=np.full(7, "ham")))
    legitimate = ham.paired(spam=False)
    assert (legitimate.first_right, legitimate.second_right) == (2, 3)
    assert (legitimate.first_better, legitimate.second_better) == (1, 2)
    assert ham.paired(spam=True).p == 1


def test_shadow(flow_files, fitted, exported_file, found, capsys):
    assert run_training("shadow", *fitted, flow_files[1], "--top", 3) == 0
    said = capsys.readouterr()
    assert f"{int(found.different.sum())} of {len(found.flows)} flows" in said.out
    assert "who is right where the two differ" in said.out
    assert "the second forest has learnt from test.csv, so it knows these flows" in said.err
    assert run_training("shadow", *fitted, exported_file, "--server", "198.19.0.10") == 0
    said = capsys.readouterr().out
    assert f"{int(found.different.sum())} of {len(found.flows)} flows" in said
    assert "who is right" not in said
    assert run_training("shadow", fitted[0], fitted[0], flow_files[1]) == 0
    assert f"0 of {len(found.flows)} flows, 0.0%, are called differently" in capsys.readouterr().out


def test_forests_for_other_flows_are_refused(flow_files, fitted, tmp_path, capsys):
    other = tmp_path / "other.json"
    for change, message in (
        ({"ports": (25,)}, "are for different flows: ports (25, 587) and (25,)"),
        ({"prefix": 8}, "are for different flows: prefix 0 and 8"),
        ({"orientation": "first"}, "are for different flows: orientation initiator and first"),
    ):
        replace(Forest.from_json(fitted[1]), **change).to_json(other)
        assert run_training("shadow", fitted[0], other, flow_files[1]) == 2
        assert message in capsys.readouterr().err
