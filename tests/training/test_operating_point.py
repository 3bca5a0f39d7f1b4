"""The bound of false alarms over senders, and the band chosen by it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.forest import Band
from training.operating_point import choose_band, count_false_alarms


def names(sizes):
    return np.repeat(np.arange(len(sizes)), sizes).astype(str)


@pytest.mark.parametrize("size", [1, 7])
def test_no_alarm_bounds_senders_not_flows(size):
    counted = count_false_alarms(np.zeros(100 * size, bool), names([size] * 100))
    assert (counted.alarms, counted.flows, counted.senders) == (0, 100 * size, 100)
    assert counted.effective_flows == 100
    # Clopper and Pearson without an event: 1 - 0.05 ** (1 / n).
    assert counted.bound == pytest.approx(10_000 * (1 - 0.05**0.01))


def test_without_alarms_one_large_sender_tells_little():
    counted = count_false_alarms(np.zeros(199, bool), names([100] + [1] * 99))
    assert counted.senders == 100
    assert counted.effective_flows == 199**2 / (100**2 + 99)


def test_alarms_of_one_sender_count_less_than_those_of_several():
    senders = names([10] * 100)
    spread, heaped = np.zeros(1000, bool), np.zeros(1000, bool)
    spread[::100] = heaped[:10] = True
    of_several, of_one = count_false_alarms(spread, senders), count_false_alarms(heaped, senders)
    assert of_several.effective_flows == 1000
    # Over senders the variance is 100 / 99 · (9.9² + 99 · 0.1²) = 100, of independent flows 1000 · 0.01 · 0.99 = 9.9.
    assert of_one.effective_flows == pytest.approx(1000 / (100 / 9.9))
    assert of_one.rate == of_several.rate < of_several.bound < of_one.bound


@pytest.mark.parametrize("alike", [0.01, 0.3])
def test_bound_holds_as_often_as_it_says(alike):
    """Flows of a sender are alarms with a probability of its own, of mean 1 % and this intra-class correlation."""
    generator = np.random.default_rng(7)
    sizes = generator.integers(1, 18, size=185)
    a, b = 0.01 * (1 / alike - 1), 0.99 * (1 / alike - 1)
    held = []
    for _ in range(400):
        alarms = generator.random(sizes.sum()) < np.repeat(generator.beta(a, b, size=185), sizes)
        held.append(count_false_alarms(alarms, np.repeat(np.arange(185), sizes)).bound >= 100)
    assert np.mean(held) >= 0.9


def test_nothing_known_without_legitimate_flows():
    assert count_false_alarms(np.zeros(0, bool), np.array([], str)).bound == 10_000
    assert count_false_alarms(np.ones(5, bool), names([5])).bound == 10_000


@given(st.lists(st.integers(1, 9), min_size=1, max_size=30), st.data())
def test_bound_is_above_the_rate(sizes, data):
    alarms = np.array(data.draw(st.lists(st.booleans(), min_size=sum(sizes), max_size=sum(sizes))))
    counted = count_false_alarms(alarms, names(sizes))
    assert counted.rate == alarms.sum() / len(alarms) * 10_000
    assert counted.rate <= counted.bound <= 10_000
    assert 0 < counted.effective_flows <= counted.flows + 1e-9


def test_smallest_band_within_the_budget():
    legitimate = np.array([-50] * 490 + [10] * 5 + [20] * 5)
    spam = np.array([30, 15, -5, 40])
    chosen = [choose_band(legitimate, names([1] * 500), spam, budget) for budget in (60, 190, 1000)]
    assert [point.band for point in chosen] == [Band(0, 20), Band(0, 20), Band(0, 0)]
    assert all(point.within_budget and point.false_alarms.bound <= point.budget for point in chosen)
    assert [point.caught for point in chosen] == [0.5, 0.5, 0.75]
    assert [point.false_alarms.alarms for point in chosen] == [0, 0, 10]


def test_monitor_only_when_no_band_will_do():
    # Thirty senders cannot show a rate below 1 %.
    legitimate, spam = np.array([-50] * 25 + [10] * 5), np.array([30, 5, 30, -5])
    point = choose_band(legitimate, names([1] * 30), spam, 100)
    assert (point.within_budget, point.band, point.caught) == (False, Band(0, 10), 0.5)
    # A band that lost more than half of the spam would be of no use even to look at.
    point = choose_band(legitimate, names([1] * 30), np.array([30, 5, 5, -5]), 100)
    assert (point.within_budget, point.band) == (False, Band(0, 0))


def test_band_that_catches_nothing_is_not_within_any_budget():
    point = choose_band(np.full(1000, -5), names([1] * 1000), np.full(10, -1), 100)
    assert (point.within_budget, point.band, point.caught) == (False, Band(0, 0), 0.0)


@given(
    st.lists(st.integers(-20, 20), min_size=1, max_size=60),
    st.lists(st.integers(-20, 20), min_size=1, max_size=60),
    st.floats(0, 10_000),
)
def test_band_is_always_one_of_a_forest(legitimate, spam, budget):
    point = choose_band(np.array(legitimate), names([1] * len(legitimate)), np.array(spam), budget)
    assert point.band.lo == 0 <= point.band.hi
    assert not point.within_budget or point.false_alarms.bound <= budget
    assert point.caught == np.mean(np.array(spam) > point.band.hi)
