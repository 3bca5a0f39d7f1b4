"""Spam caught at a rate of false alarms, and its interval over senders."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.detection import Resamples, Roc, detection_at, threshold_at

SCORES = st.lists(st.integers(-9, 9), min_size=1, max_size=40)


def test_on_the_line_of_the_roc_curve():
    spam, legitimate = np.array([9, 8, 7, 1]), np.array([8, 5, 4, 3, 2, 1, 0, -1, -2, -3])
    # Above 8 lies one of four; at 8 another one, with the first of ten false alarms.
    assert detection_at(spam, legitimate, 0) == 0.25
    assert detection_at(spam, legitimate, 500) == 0.375
    assert detection_at(spam, legitimate, 1000) == 0.75
    assert detection_at(spam, legitimate, 10_000) == 1.0


@given(SCORES, SCORES, st.floats(0, 10_000))
def test_detection_grows_with_the_rate(spam, legitimate, rate):
    spam, legitimate = np.array(spam), np.array(legitimate)
    here = detection_at(spam, legitimate, rate)
    assert 0 <= here <= 1
    assert detection_at(spam, legitimate, min(10_000, rate + 500)) >= here - 1e-9
    end = threshold_at(legitimate, rate)
    assert np.sum(legitimate > end) <= len(legitimate) * rate / 10_000
    assert np.mean(spam > end) <= here + 1e-9


@given(SCORES, SCORES, st.integers(1, 3))
def test_weights_are_copies(spam, legitimate, times):
    spam, legitimate = np.array(spam), np.array(legitimate)
    weights = 1 + np.arange(len(spam)) % times
    weighted = Roc(spam, legitimate).caught(700, weights, np.full(len(legitimate), times))
    assert weighted == detection_at(np.repeat(spam, weights), legitimate, 700)


def test_samples_are_of_senders():
    senders = np.repeat(["a", "b", "c"], [1, 5, 9])
    resamples = Resamples(senders, samples=50, seed=3)
    for weights in resamples.weights:
        per_sender = [set(weights[senders == name].tolist()) for name in "abc"]
        assert all(len(same) == 1 for same in per_sender)
        assert sum(same.pop() for same in per_sender) == 3
    interval = resamples.interval(lambda weights: float(weights.sum()))
    assert interval.value == 15
    assert 3 <= interval.low < interval.high <= 27
