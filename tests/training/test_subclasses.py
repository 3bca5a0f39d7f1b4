"""``training subclasses``: clusters that are there are found, small ones folded, and rules say them."""

import numpy as np
import pytest

from compiler.errors import InputError
from compiler.forest import Forest
from tests.training.cases import run_training
from training.flow_set import FlowSet
from training.subclasses import find_subclasses, said_rules, separation


def made(sizes, *, senders=30):
    """Spam in clusters of these sizes, far from each other, and ham that is like the first."""
    generator = np.random.default_rng(3)
    middles = [(100 + 3000 * at, 40000 - 9000 * at) for at in range(len(sizes))]
    spam = np.concatenate([generator.normal(m, 40, (n, 2)) for m, n in zip(middles, sizes, strict=True)])
    ham = generator.normal((600, 44000), 60, (200, 2))
    X = np.round(np.abs(np.concatenate([spam, ham]))).astype(np.int64)
    labels = np.array(["spam"] * len(spam) + ["ham"] * len(ham))
    names = np.array([f"{label}{at % senders}" for at, label in enumerate(labels)])
    return FlowSet("made", ("maxpl", "stw"), X, names, labels, np.full(len(X), ""))


def test_clusters_are_found_and_numbered_by_size():
    found = find_subclasses(made([100, 300, 200]), seed=1, most=6)
    assert (found.chosen, found.count, found.folded) == (3, 3, [])
    assert np.bincount(found.cluster)[1:].tolist() == [300, 200, 100]
    errors = {tried.clusters: tried.error for tried in found.errors}
    assert errors[3] < 0.01 < errors[2]
    assert found.explained == 1.0
    rules = said_rules(found.rules, ("maxpl", "stw"))
    assert len(rules) == 3
    assert {rule.split(": ")[1] for rule in rules} == {"1 (300 flows)", "2 (200 flows)", "3 (100 flows)"}


def test_small_clusters_are_folded():
    found = find_subclasses(made([300, 295, 5]), seed=1, least_gain=0.0005, most=6)
    assert found.count < found.chosen
    assert all(share < 0.02 for share in found.folded)
    assert np.bincount(found.cluster)[1:].min() >= 0.02 * 600


def test_separation_counts_all_flows():
    flows = made([100, 300, 200])
    parted = separation(flows, find_subclasses(flows, seed=1, most=4), seed=1)
    assert parted.confusion.sum() == len(flows)
    assert parted.confusion.sum(axis=1).tolist() == [200, 300, 200, 100]
    assert parted.accuracy > 0.98
    assert parted.wrong.max() < 0.05


def test_few_senders():
    with pytest.raises(InputError, match="must hold spam of 10 senders at least, not of 3"):
        find_subclasses(made([50, 50], senders=3), seed=1)


def test_command(flow_files, tmp_path, capsys):
    out = tmp_path / "subclasses.json"
    options = ("--ports", "25,587", "--trees", 3, "--folds", 3, "--most", 5, "-o", out)
    assert run_training("subclasses", flow_files[0], *options) == 0
    said = capsys.readouterr().out
    for words in ("<- chosen", "rules, right about", "separation tree", "total accuracy", "subclasses, seed 1"):
        assert words in said
    forest = Forest.from_json(out)
    assert forest.classes[0] == "0"
    assert len(forest.classes) >= 3
