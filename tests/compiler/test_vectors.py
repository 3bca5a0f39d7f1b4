"""Test vectors: both sides of every threshold, half at random, repeatable, and right."""

import numpy as np
from hypothesis import given, settings

from compiler.vectors import make_vectors, read_vectors, write_vectors
from tests.forests import forests, grown_forest


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


def test_answers_are_those_of_the_forest():
    forest = grown_forest()
    vectors = make_vectors(forest, 1)
    assert np.array_equal(vectors.scores, forest.score(vectors.rows))
    assert np.array_equal(vectors.verdicts, forest.decide(vectors.rows))
    assert set(vectors.verdicts.tolist()) == {-1, 0, 1}


def test_the_seed_decides():
    forest = grown_forest()
    assert np.array_equal(make_vectors(forest, 1).rows, make_vectors(forest, 1).rows)
    assert not np.array_equal(make_vectors(forest, 1).rows, make_vectors(forest, 2).rows)


def test_a_large_forest_has_a_limited_number():
    assert len(make_vectors(grown_forest(trees=80, depth=8), 1)) == 11_000


def test_file_round_trip(tmp_path):
    forest = grown_forest()
    vectors = make_vectors(forest, 1)
    write_vectors(tmp_path / "v.csv", forest, vectors)
    again = read_vectors(tmp_path / "v.csv")
    assert np.array_equal(again.rows, vectors.rows)
    assert np.array_equal(again.scores, vectors.scores)
    assert np.array_equal(again.verdicts, vectors.verdicts)
    header = (tmp_path / "v.csv").read_text().splitlines()[0]
    assert header.split(",") == [*forest.feature_names, "score", "verdict"]
