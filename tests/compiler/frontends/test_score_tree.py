"""ScoreTree: thresholds of every kind on integers, and trees of any depth."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.errors import InputError
from compiler.frontends.score_tree import Score, ScoreTree, Split, at_most, below, grown, real
from hdl.tree import Node
from tests.forests import columns

THRESHOLDS = st.one_of(
    st.floats(-10, 2.0**25, width=32),
    st.integers(-3, 1 << 24).map(float),
    st.sampled_from([math.inf, -math.inf, 1e300]),
)


@given(threshold=THRESHOLDS, around=st.integers(-2, 2), anywhere=st.integers(0, (1 << 24) - 1))
def test_integer_thresholds_are_those_of_floats(threshold, around, anywhere):
    near = int(min(max(threshold, 0), 1 << 23)) + around
    for x in (max(near, 0), anywhere):
        # As the libraries compare: a float32 of x, which is exact, with a float32 or float64 threshold.
        assert (x <= at_most(threshold)) == (np.float32(x) <= np.float64(threshold))
        assert (x < threshold) == (x <= below(threshold))


def test_places_are_root_left_right():
    stored = {
        0: Split(0, 9, 3, 1),
        1: Score(Fraction(1)),
        2: Score(Fraction(2)),
        3: Split(1, 0, 2, 4),
        4: Score(Fraction(4)),
    }
    assert grown(stored.__getitem__, columns("maxpl", "syn")) == ScoreTree(
        (Node(0, 9, 1, 4), Node(1, 0, 2, 3), Score(Fraction(2)), Score(Fraction(4)), Score(Fraction(1)))
    )


def test_a_test_outside_the_feature_is_left_out():
    leaves = {at: Score(Fraction(at)) for at in (1, 2)}
    for threshold, kept in ((-1, 2), (-math.inf, 2), (2, 1), (math.inf, 1)):
        tree = grown({0: Split(0, threshold, 1, 2), **leaves}.__getitem__, columns("syn"))
        assert tree.nodes == (Score(Fraction(kept)),)


def test_a_tree_deeper_than_the_recursion_limit():
    depth = 5000

    def read(at):
        return Split(0, at, 2 * depth - at, at + 1) if at < depth else Score(Fraction(at))

    assert len(grown(read, columns("maxpl")).nodes) == 2 * depth + 1


BROKEN = {
    "a cycle": ([Split(0, 5, 1, 2), Split(0, 3, 0, 2), Score(Fraction(1))], "^tree must not meet node 0 twice$"),
    "a cycle of tests left out": ([Split(0, -1, 1, 0)], "^tree must not meet node 0 twice$"),
    "a shared node": ([Split(0, 5, 1, 1), Score(Fraction(1))], "^tree must not meet node 1 twice$"),
    "a missing node": (
        [Split(0, 5, 1, 2), Score(Fraction(1))],
        "^tree must not lead to node 2, which it does not hold$",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_tree_is_refused(name):
    stored, message = BROKEN[name]
    with pytest.raises(InputError, match=message):
        grown(stored.__getitem__, columns("maxpl"))


def test_nothing_is_at_most_what_is_not_a_number():
    assert at_most(math.nan) == below(math.nan) == -math.inf


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_scores_that_are_no_numbers_are_refused(value):
    with pytest.raises(InputError, match=f"^scores must be finite, not {value}$"):
        real(value)
