"""ScoreModel: exact votes where there are any, a bound that holds, and ties on the side they belong to."""

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.errors import InputError
from compiler.frontends.score_model import ScoreModel, is_dyadic, sum_error
from compiler.frontends.score_tree import Score, ScoreTree
from hdl.tree import Leaf, Node
from tests.forests import columns

COLUMNS = columns("syn", "fin", "psh", "rst")


def stump(feature: int, low, high) -> ScoreTree:
    return ScoreTree((Node(feature, 0, 1, 2), Score(Fraction(low)), Score(Fraction(high))))


def forest_of(model: ScoreModel, **options):
    return model.forest("model", COLUMNS, {}, **options)


def each_input(model: ScoreModel):
    """Every row of four bits, with the real score of the stumps."""
    for row in itertools.product((0, 1), repeat=4):
        leaves = [tree.nodes[1 + row[tree.nodes[0].feature]].value for tree in model.trees]
        yield row, model.constant + sum(leaves)


def votes(*pairs, **others) -> ScoreModel:
    return ScoreModel(trees=tuple(stump(at, low, high) for at, (low, high) in enumerate(pairs)), **others)


REAL = st.one_of(
    st.fractions(-3, 3, max_denominator=9),
    st.floats(-5, 5).map(Fraction),
    st.sampled_from([Fraction(0), Fraction(1), Fraction(-1), Fraction(1, 1 << 17)]),
)
MODELS = st.builds(
    lambda pairs, constant, tie: votes(*pairs, constant=constant, tie=tie),
    st.lists(st.tuples(REAL, REAL), min_size=1, max_size=4),
    REAL,
    st.sampled_from([-1, 1]),
)


@given(model=MODELS, fraction_bits=st.integers(0, 16))
def test_every_decision_outside_the_bound_is_the_models(model, fraction_bits):
    forest = forest_of(model, fraction_bits=fraction_bits)
    error = Fraction(forest.score_error)
    for row, real in each_input(model):
        (score,) = forest.score([row]).tolist()
        (verdict,) = forest.decide([row]).tolist()
        assert verdict != 0
        if error:
            assert abs(Fraction(score, 1 << forest.score_fraction) - real) <= error
        if abs(real) > error or not error:
            assert verdict == ((real > 0) - (real < 0) or model.tie)


@given(model=MODELS)
def test_scores_of_small_common_steps_are_exact(model):
    scores = {model.constant}.union(*(tree.scores for tree in model.trees))
    if math.lcm(*(score.denominator for score in scores)) < 1 << 12:
        assert forest_of(model).score_error == 0.0


def test_pure_votes_stay_plus_and_minus_1():
    forest = forest_of(votes((-1, 1), (1, -1), (-1, 1)))
    assert [(tree.weight, tree.leaf_values) for tree in forest.trees] == [(1, {-1, 1})] * 3
    assert (forest.score_fraction, forest.score_error) == (0, 0.0)


def test_common_factors_go():
    forest = forest_of(votes((Fraction(1, 3), -1), (Fraction(2, 3), 0), (1, 1)))
    assert forest.score([[0, 0, 0, 0], [1, 1, 1, 1]]).tolist() == [2 * 6 - 1, 2 * 0 - 1]


@pytest.mark.parametrize("tie", [-1, 1])
def test_a_tie_goes_where_the_library_says(tie):
    forest = forest_of(votes((-1, 1), (-1, 1), tie=tie))
    assert forest.decide([[0, 0, 0, 0], [0, 1, 0, 0], [1, 1, 0, 0]]).tolist() == [-1, tie, 1]
    assert forest.trees[-1].nodes == (Leaf(tie),)
    assert forest.verify() == [f"forest 'model': feature {name!r} is in no node" for name in ("psh", "rst")]


@pytest.mark.parametrize("tie", [-1, 1])
def test_no_score_at_all_is_a_tie(tie):
    forest = forest_of(ScoreModel(trees=(ScoreTree((Score(Fraction(0)),)),), tie=tie))
    assert forest.decide([[0, 0, 0, 0]]).tolist() == [tie]


def test_a_constant_alone():
    forest = forest_of(ScoreModel(trees=(), constant=Fraction(-1, 7)))
    assert forest.decide([[0, 0, 0, 0]]).tolist() == [-1]


def test_noise_matters_where_a_tie_can_be():
    noise = Fraction(1, 1 << 40)
    never = forest_of(votes((-1, 1), (-1, 1), (-1, 1), noise=noise))
    assert 0 < never.score_error < 1e-11
    assert not any("decisions can differ" in warning for warning in never.verify())
    sometimes = forest_of(votes((-1, 1), (-1, 1), noise=noise))
    assert any("decisions can differ" in warning for warning in sometimes.verify())


def test_a_wide_sum_leaves_fewer_fraction_bits():
    forest = forest_of(votes((-math.pi * 1e6, math.e * 1e6), (-1, math.pi)))
    assert forest.score_fraction == 9
    assert -(2**31) < forest.score_range[0] < -(2**30)


def test_a_sum_that_is_too_wide_is_refused():
    with pytest.raises(InputError, match=r"^scores must fit a signed integer of 32 bits, but reach 3.14159e\+09$"):
        forest_of(votes((-math.pi * 1e9, 1)))


@pytest.mark.parametrize("bits", [-1, 31])
def test_fraction_bits_outside_the_score_are_refused(bits):
    with pytest.raises(InputError, match=f"^fraction_bits must be from 0 to 30, not {bits}$"):
        forest_of(votes((-1, 1)), fraction_bits=bits)


def test_tiny_scores_take_all_the_bits_they_may():
    forest = forest_of(votes((-math.pi * 1e-6, math.e * 1e-6)), fraction_bits=30)
    assert forest.score_fraction == 30


@given(terms=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_the_error_of_a_sum_is_bounded(terms):
    exact = list(map(Fraction, terms))
    assert abs(Fraction(sum(terms)) - sum(exact)) <= sum_error(len(terms), sum(map(abs, exact)))


def test_what_floating_point_adds_exactly():
    assert is_dyadic([Fraction(3, 4), Fraction(-2), Fraction(0)])
    assert not is_dyadic([Fraction(1, 3)])
    assert not is_dyadic([Fraction(1, 1 << 30)])
    assert not is_dyadic([Fraction(1 << 30)])
