"""The shift between two clocks, from pairs of which most are not of one event."""

import numpy as np
import pytest

from training.maillog import clocks
from training.maillog.clocks import clock_shift, split_zone

SHIFT_S = 7200.4


def times_of_one_client(sessions: int) -> tuple[dict, dict]:
    seen = np.sort(np.random.default_rng(7).uniform(0, 50_000, sessions))
    return {1: (np.floor(seen + SHIFT_S)).tolist()}, {1: seen.tolist()}


def test_a_busy_client():
    """Ten thousand sessions make a hundred million pairs, of which a part is enough."""
    logged, seen = times_of_one_client(10_000)
    shift = clock_shift(logged, seen, 54_000.0)
    assert abs(shift.median_s - SHIFT_S) < 2
    assert split_zone(shift.median_s)[0] == 7200


@pytest.mark.parametrize("most", [100, 1000, 10_000])
def test_pairs_are_bounded(monkeypatch, most):
    monkeypatch.setattr(clocks, "_MOST_PAIRS", most)
    logged, seen = times_of_one_client(1000)
    # Of each client one time is compared with all of its lines at least.
    assert len(clocks._differences(logged, seen, 54_000.0)) <= most + 1000


def test_every_client_counts_when_one_has_most_pairs(monkeypatch):
    monkeypatch.setattr(clocks, "_MOST_PAIRS", 20_000)
    logged, seen = times_of_one_client(1000)
    for client, start_s in enumerate(np.random.default_rng(8).uniform(0, 50_000, 200).tolist(), 2):
        logged[client], seen[client] = [float(np.floor(start_s + SHIFT_S))], [start_s]
    shift = clock_shift(logged, seen, 54_000.0)
    assert abs(shift.median_s - SHIFT_S) < 2
    assert shift.pairs >= 200


def test_no_pair():
    assert clock_shift({1: [5.0]}, {2: [5.0]}, 10.0) is None
    assert clock_shift({1: [5.0]}, {1: [50.0]}, 10.0) is None
