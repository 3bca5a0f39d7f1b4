"""ClockCrossing between clocks that are faster, slower and nearly the same."""

import random

import pytest

from hdl.clock_crossing import ClockCrossing
from sim.testbench import Stalls, simulate, stream_get


@pytest.mark.parametrize("link_period", [0.4, 0.8, 0.99, 1.7])
@pytest.mark.parametrize("stall", [(0.0, 0.0), (0.5, 0.0), (0.0, 0.7), (0.4, 0.4)])
def test_everything_crosses_in_its_order(link_period, stall):
    dut = ClockCrossing(12, i_domain="link", o_domain="sync")
    rng = random.Random(7)
    payloads = [rng.getrandbits(12) for _ in range(300)]

    async def put(ctx):
        for payload in payloads:
            while rng.random() < stall[0]:
                await ctx.tick("link")
            ctx.set(dut.i.payload, payload)
            ctx.set(dut.i.valid, 1)
            await ctx.tick("link").until(dut.i.ready)
            ctx.set(dut.i.valid, 0)

    async def get(ctx):
        stalls = Stalls(3, stall[1])
        for payload in payloads:
            assert await stream_get(ctx, dut.o, stalls) == payload

    simulate(dut, put, get, limit_cycles=5000, clocks={"link": link_period})


def test_a_word_in_four_clocks_never_waits():
    """As words of four bytes come from a link of 125 MHz to a probe of 100 MHz."""
    dut = ClockCrossing(36, i_domain="link", o_domain="sync")

    async def put(ctx):
        ctx.set(dut.o.ready, 1)
        for word in range(500):
            ctx.set(dut.i.payload, word)
            ctx.set(dut.i.valid, 1)
            _, _, ready = await ctx.tick("link").sample(dut.i.ready)
            assert ready
            ctx.set(dut.i.valid, 0)
            await ctx.tick("link").repeat(3)

    # The FIFO takes nothing until its reset has crossed.
    async def begin(ctx):
        while not ctx.get(dut.i.ready):
            await ctx.tick("link")
        await put(ctx)

    simulate(dut, begin, limit_cycles=5000, clocks={"link": 0.8})
