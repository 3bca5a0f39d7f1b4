"""Test vectors: both sides of every threshold, half at random, repeatable, and right."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from compiler.forest import Band
from compiler.vectors import make_vectors, read_vectors, write_vectors
from tests.forests import forests, grown_class_forest, grown_forest


@settings(max_examples=20)
@given(forest=forests(catalogue=True))
def test_both_sides_of_every_threshold(forest):
    vectors = make_vectors(forest, 1)
    assert len(vectors) >= 2000
    for feature, thresholds in enumerate(forest.thresholds()):
        greatest = (1 << forest.columns[feature].bits) - 1
        assert {min(t + above, greatest) for t in thresholds for above in (0, 1)} <= set(vectors.rows[1000:, feature])


def test_half_lie_at_thresholds():
    forest = grown_forest()
    vectors = make_vectors(forest, 1)
    for feature, thresholds in enumerate(forest.thresholds()):
        edges = {t + above for t in thresholds for above in (0, 1)}
        if thresholds:
            assert set(vectors.rows[1000:, feature].tolist()) <= edges


@pytest.mark.parametrize("trees", [1, 3, 12])
def test_the_nearest_scores_at_the_band_are_there(trees):
    """A circuit with a band that is off by one answers one of the vectors otherwise, unless no flow can tell."""
    forest = grown_forest(names=("maxpl", "sp", "mintw"), trees=trees, depth=3)
    # One value of every feature between any two thresholds.
    between = [sorted({0, *(threshold + 1 for threshold in found)}) for found in forest.thresholds()]
    reachable = forest.score(np.array(list(itertools.product(*between))))
    for lo in np.quantile(reachable, [0.1, 0.5, 0.8]).astype(int).tolist():
        banded = replace(forest, band=Band(lo, lo + 5))
        scores = set(make_vectors(banded, 1).scores[2000:].tolist())
        assert {max(reachable[reachable <= lo + 5]), min(reachable[reachable >= lo])} <= scores
        assert min(reachable[reachable > lo + 5], default=max(scores)) in scores
        assert max(reachable[reachable < lo], default=max(scores)) in scores


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_every_class_is_there_next_to_another(classes):
    """A circuit that lets another class win a tie, or is off by one, answers one of the vectors otherwise."""
    forest = grown_class_forest(classes, names=("maxpl", "sp", "mintw"), trees=3, depth=3)
    between = [sorted({0, *(threshold + 1 for threshold in found)}) for found in forest.thresholds()]
    scores = forest.score(np.array(list(itertools.product(*between))))
    found = forest.score(make_vectors(forest, 1).rows[2000:])
    for index in range(classes):
        assert leads(found, index).min() == leads(scores, index).min()


def leads(scores, index):
    """How far a class is above the next, in the rows in which it wins."""
    won = scores[scores.argmax(axis=1) == index]
    return won[:, index] - np.delete(won, index, axis=1).max(axis=1)


def test_answers_are_those_of_the_forest():
    forest = grown_forest()
    vectors = make_vectors(forest, 1)
    assert np.array_equal(vectors.scores, forest.score(vectors.rows))
    assert np.array_equal(vectors.decisions, forest.decide(vectors.rows))
    assert set(vectors.decisions.tolist()) == {-1, 0, 1}


def test_the_seed_decides():
    forest = grown_forest()
    assert np.array_equal(make_vectors(forest, 1).rows, make_vectors(forest, 1).rows)
    assert not np.array_equal(make_vectors(forest, 1).rows, make_vectors(forest, 2).rows)


def test_a_large_forest_has_a_limited_number():
    assert len(make_vectors(grown_forest(trees=80, depth=8), 1)) == 11_032


def test_file_round_trip(tmp_path):
    forest = grown_forest()
    vectors = make_vectors(forest, 1)
    write_vectors(tmp_path / "v.csv", forest, vectors)
    again = read_vectors(tmp_path / "v.csv")
    assert np.array_equal(again.rows, vectors.rows)
    assert np.array_equal(again.scores, vectors.scores)
    assert np.array_equal(again.decisions, vectors.decisions)
    header = (tmp_path / "v.csv").read_text().splitlines()[0]
    assert header.split(",") == [*forest.feature_names, "score", "verdict"]
