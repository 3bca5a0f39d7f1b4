"""Explore: plans of all architectures, the front among them, and the picture."""

import pytest

from boards.ecp5 import LFE5U_85F
from boards.ice40 import UP5K
from compiler.explore import explore, place, plot
from compiler.plan import ARCHITECTURES
from tests.forests import grown_forest


@pytest.fixture(scope="module")
def points():
    return explore(grown_forest(trees=9, depth=4), LFE5U_85F)


def test_all_architectures_are_considered(points):
    assert {point.plan.architecture for point in points} == set(ARCHITECTURES)


def test_the_front_is_what_no_other_beats(points):
    fitting = [point for point in points if point.plan.estimate.fits(LFE5U_85F)]
    for point in fitting:
        beaten = any(
            other.flows_per_s >= point.flows_per_s and other.logic_cells < point.logic_cells for other in fitting
        )
        if point.best:
            assert not beaten
        elif not beaten:
            # Something on the front is as good.
            assert any(
                other.best and other.flows_per_s >= point.flows_per_s and other.logic_cells <= point.logic_cells
                for other in fitting
            )


def test_estimates_are_near_what_place_and_route_finds():
    points = place(explore(grown_forest(trees=6, depth=3), UP5K), UP5K)
    placed = [point for point in points if point.placed]
    assert {point.plan.architecture for point in placed} == {"unrolled", "walker"}
    for point in placed:
        assert point.placed.block_rams == point.plan.estimate.block_rams
        assert 0.5 < point.placed.clock_hz / point.plan.estimate.clock_hz < 2


def test_the_picture(points, tmp_path):
    plot(points, LFE5U_85F, "a forest", tmp_path / "front")
    assert (tmp_path / "front").read_bytes().startswith(b"\x89PNG")
