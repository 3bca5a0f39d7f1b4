"""Variance and Squarer against plain integers."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdl.squarer import Squarer
from hdl.variance import Variance
from sim.testbench import Stalls, simulate, stream_get, stream_put

BITS = 24


def _sums(numbers: list[int]) -> dict[str, int]:
    return {"squares": sum(n * n for n in numbers), "total": sum(numbers), "count": len(numbers)}


def _extremes() -> list[dict[str, int]]:
    """The largest sums there are, and those of the largest variance."""
    count, longest = 0xFFFF, 0xFFFF
    half = count // 2
    return [
        {"squares": count * longest * longest, "total": count * longest, "count": count},
        {"squares": half * longest * longest, "total": half * longest, "count": count},
        {"squares": 0, "total": 0, "count": 0},
        {"squares": 0, "total": 0, "count": count},
        # Around what the feature holds: 8192² / 4 = 2^24.
        _sums([0, 8192]),
        _sums([0, 8191]),
        _sums([0, 8192, 8192]),
    ]


def _run(cases: list[dict[str, int]], bits: int = BITS) -> list[int]:
    dut, got = Variance(bits=bits), []

    async def feed(ctx):
        await stream_put(ctx, dut.i, cases, Stalls(1))

    async def collect(ctx):
        stalls = Stalls(2)
        got.extend([await stream_get(ctx, dut.o, stalls) for _ in cases])

    simulate(dut, feed, collect, limit_cycles=300 * len(cases) + 100)
    return got


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.one_of(st.integers(0, 65535), st.integers(40, 1500)), max_size=30), min_size=1, max_size=4))
def test_circuit_equals_model(lists):
    cases = [_sums(numbers) for numbers in lists]
    expected = []
    for numbers, sums in zip(lists, cases, strict=True):
        exact = (len(numbers) * sums["squares"] - sums["total"] ** 2) // len(numbers) ** 2 if numbers else 0
        expected.append(min(exact, (1 << BITS) - 1))
        assert Variance(bits=BITS).model(**sums) == expected[-1]
    assert _run(cases) == expected


@pytest.mark.parametrize("bits", [8, BITS, 40])
def test_extremes(bits):
    cases = _extremes()
    assert _run(cases, bits) == [Variance(bits=bits).model(**sums) for sums in cases]


def test_latency_is_what_is_said():
    dut = Variance(bits=BITS)

    async def run(ctx):
        ctx.set(dut.i.payload, _sums([40, 1500]))
        ctx.set(dut.i.valid, 1)
        cycles = 0
        while not ctx.get(dut.o.valid):
            await ctx.tick()
            cycles += 1
        assert cycles == 193

    simulate(dut, run, limit_cycles=300)


def test_squares():
    dut, rng = Squarer(width=16), random.Random(3)

    async def run(ctx):
        for number in (0, 1, 0xFFFF, 0x8000, *(rng.getrandbits(16) for _ in range(20))):
            ctx.set(dut.i, number)
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            ctx.set(dut.i, rng.getrandbits(16))
            await ctx.tick().repeat(16 + rng.randrange(3))
            assert ctx.get(dut.o) == Squarer.model(number)

    simulate(dut, run, limit_cycles=1000)


@pytest.mark.parametrize("bits", [0, 64])
def test_wrong_bits(bits):
    with pytest.raises(ValueError, match=f"Bits must be 1 to 63, not {bits}"):
        Variance(bits=bits)
    with pytest.raises(ValueError, match="Width must be at least 1, not 0"):
        Squarer(width=0)
