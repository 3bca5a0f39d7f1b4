"""ArgMax equals its model, ties included, and keeps its stated latency."""

import random

import numpy as np
import pytest
from amaranth.hdl import signed, unsigned
from hypothesis import given, settings
from hypothesis import strategies as st

from hdl.arg_max import ArgMax
from sim.testbench import simulate


@settings(max_examples=40)
@given(
    count=st.integers(1, 9), width=st.integers(1, 9), is_signed=st.booleans(), registered=st.booleans(), data=st.data()
)
def test_equals_model(count, width, is_signed, registered, data):
    lowest = -(1 << width - 1) if is_signed else 0
    # Few values, so that ties are many.
    near = st.integers(lowest, lowest + min(2, (1 << width) - 1))
    anywhere = st.integers(lowest, lowest + (1 << width) - 1)
    rows = data.draw(st.lists(st.lists(st.one_of(near, anywhere), min_size=count, max_size=count), max_size=12))
    dut = ArgMax(count=count, shape=signed(width) if is_signed else unsigned(width), registered=registered)

    async def run(ctx):
        ctx.set(dut.enable, 1)
        for cycle in range(len(rows) + dut.latency):
            if cycle < len(rows):
                for index, score in enumerate(rows[cycle]):
                    ctx.set(getattr(dut, f"score_{index}"), score)
            if cycle >= dut.latency:
                assert (ctx.get(dut.best), ctx.get(dut.index)) == ArgMax.model(rows[cycle - dut.latency])
            if registered:
                await ctx.tick()
            else:
                await ctx.delay(1e-6)

    simulate(wrapped(dut), run, limit_cycles=len(rows) + dut.latency + 2)


def wrapped(dut):
    """In a module with a clock, which a search without registers has not."""
    from amaranth.hdl import Module, Signal

    m = Module()
    m.submodules.dut = dut
    m.d.sync += Signal().eq(0)
    return m


def test_model_is_that_of_numpy():
    rng = random.Random(1)
    for _ in range(200):
        scores = [rng.randint(-3, 3) for _ in range(rng.randint(1, 8))]
        assert ArgMax.model(scores) == (np.max(scores), np.argmax(scores))


@pytest.mark.parametrize(("count", "latency"), [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (8, 2), (9, 3)])
def test_latency_is_a_clock_for_every_level_but_the_last(count, latency):
    assert ArgMax.latency_of(count, True) == latency
    assert ArgMax.latency_of(count, False) == 0


def test_no_scores_are_refused():
    with pytest.raises(ValueError, match="^Scores must be at least one, not 0$"):
        ArgMax(count=0, shape=signed(4))
