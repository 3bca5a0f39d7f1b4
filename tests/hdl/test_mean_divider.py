"""MeanDivider against its model: every count's edges, random sums, and the cycles it states."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdl.mean_divider import MeanDivider
from sim.testbench import Stalls, simulate, stream_get, stream_put

_MAX_PART = 0xFFFF


def cases(rng, count):
    yield from [(0, 0), (0, 1), (_MAX_PART, 1), (1, 0xFFFF), (0xFFFE, 0xFFFF), (_MAX_PART * 0xFFFF, 0xFFFF)]
    for _ in range(count):
        parts = rng.choice((1, 2, 3, rng.randint(1, 40), rng.randint(1, 0xFFFF)))
        total = rng.randint(0, parts * rng.choice((1, 1500, _MAX_PART)))
        # Right at a quotient and one below it.
        yield total, parts
        yield max(total // parts * parts - 1, 0), parts


@pytest.mark.parametrize("fraction", [0, 2, 5])
def test_circuit_equals_model(fraction):
    rng = random.Random(fraction)
    dut = MeanDivider(fraction=fraction)
    wanted = list(cases(rng, 60))
    seen = []

    async def put(ctx):
        await stream_put(ctx, dut.i, ({"total": t, "count": c} for t, c in wanted), Stalls(1, 0.2))

    async def get(ctx):
        stalls = Stalls(2, 0.3)
        while len(seen) < len(wanted):
            seen.append(await stream_get(ctx, dut.o, stalls))

    simulate(dut, put, get, limit_cycles=60 * len(wanted))
    assert seen == [dut.model(total, count) for total, count in wanted]


@given(st.integers(0, 2**16 - 1), st.data())
def test_model_is_the_floor_of_the_quotient(count, data):
    fraction = data.draw(st.integers(0, 6))
    total = data.draw(st.integers(0, count * _MAX_PART))
    mean = MeanDivider(fraction=fraction).model(total, count)
    assert 0 <= mean < 1 << 16 + fraction
    if count:
        assert mean * count <= total << fraction < (mean + 1) * count
    else:
        assert mean == 0


@pytest.mark.parametrize("fraction", [0, 2])
def test_latency(fraction):
    dut = MeanDivider(fraction=fraction)

    async def run(ctx):
        for _ in range(3):
            ctx.set(dut.i.payload, {"total": 1_000_000, "count": 777})
            ctx.set(dut.i.valid, 1)
            for _ in range(17 + fraction):
                assert not ctx.get(dut.o.valid)
                await ctx.tick()
            assert ctx.get(dut.o.valid)
            assert ctx.get(dut.o.payload) == dut.model(1_000_000, 777)
            assert not ctx.get(dut.i.ready)
            ctx.set(dut.o.ready, 1)
            assert ctx.get(dut.i.ready)
            await ctx.tick()
            ctx.set(dut.o.ready, 0)
            ctx.set(dut.i.valid, 0)
            await ctx.tick()

    simulate(dut, run, limit_cycles=200)


def test_fraction_is_checked():
    with pytest.raises(ValueError, match="Fraction must be 0 or more bits, not -1"):
        MeanDivider(fraction=-1)
