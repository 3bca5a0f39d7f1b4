"""SkidBuffer: everything comes, in order, at full rate, and its ready depends on no other."""

import random

import pytest

from hdl.skid_buffer import SkidBuffer
from sim.testbench import SIMULATORS, Stalls, simulate, stream_get, stream_put


@pytest.mark.parametrize("engine", SIMULATORS)
@pytest.mark.parametrize(("put_stall", "get_stall"), [(0, 0), (0, 0.6), (0.6, 0), (0.4, 0.4)])
def test_everything_comes_in_order(put_stall, get_stall, engine):
    rng = random.Random(1)
    sent = [rng.randrange(256) for _ in range(300)]
    dut = SkidBuffer(8)
    received, cycles = [], 0

    async def put(ctx):
        await stream_put(ctx, dut.i, sent, Stalls(2, put_stall))

    async def get(ctx):
        stalls = Stalls(3, get_stall)
        while len(received) < len(sent):
            received.append(await stream_get(ctx, dut.o, stalls))

    async def count(ctx):
        nonlocal cycles
        async for _ in ctx.tick():
            cycles += 1

    simulate(dut, put, get, background=[count], limit_cycles=4000, engine=engine)
    assert received == sent
    if not put_stall and not get_stall:
        assert cycles <= len(sent) + 1


def test_ready_comes_from_a_register():
    dut = SkidBuffer(8)

    async def poke(ctx):
        ctx.set(dut.i.valid, 1)
        for ready in (0, 1, 0):
            ctx.set(dut.o.ready, ready)
            await ctx.delay(1e-8)
            assert ctx.get(dut.i.ready) == 1
        await ctx.tick()
        for ready in (0, 1, 0):
            ctx.set(dut.o.ready, ready)
            await ctx.delay(1e-8)
            assert ctx.get(dut.i.ready) == 0

    simulate(dut, poke, limit_cycles=10)
