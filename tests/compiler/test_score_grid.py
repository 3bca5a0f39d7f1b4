"""The grid of scores holds every sum, and its distance is never more than the true one."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from compiler.score_grid import score_grid

VOTES = st.lists(st.sets(st.integers(-12, 12), min_size=1, max_size=3), min_size=1, max_size=4)


@given(votes=VOTES, score=st.integers(-30, 30))
def test_every_sum_lies_on_the_grid(votes, score):
    grid = score_grid(votes)
    for sums in map(sum, itertools.product(*votes)):
        assert grid.distance(sums) == 0
        assert grid.distance(score) <= abs(score - sums)


def test_an_odd_number_of_odd_votes_is_never_0():
    assert score_grid([{-1, 1}] * 3).distance(0) == 1
    assert score_grid([{-1, 1}] * 4).distance(0) == 0


def test_a_constant_score():
    assert score_grid([{5}, {-2}]).distance(0) == 3
