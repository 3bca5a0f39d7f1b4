"""GmiiReceiver: every byte while RX_DV is high, and an end each time it falls."""

import random

import pytest

from hdl.gmii import GmiiReceiver
from sim.testbench import SIMULATORS, simulate


@pytest.mark.parametrize("engine", SIMULATORS)
def test_symbols_of_pins(engine):
    rng = random.Random(2)
    dut = GmiiReceiver()
    expected, seen = [], []
    pins, before = [], False
    for _ in range(600):
        valid = rng.random() < (0.9 if before else 0.3)
        pins.append((rng.randrange(256), valid, rng.random() < 0.1))
        if valid:
            expected.append((pins[-1][0], 0, int(pins[-1][2])))
        elif before:
            expected.append((None, 1, 0))
        before = valid
    pins.append((0, False, False))
    if before:
        expected.append((None, 1, 0))

    async def put(ctx):
        for data, valid, error in pins:
            ctx.set(dut.data, data)
            ctx.set(dut.valid, valid)
            ctx.set(dut.error, error)
            await ctx.tick()
        await ctx.tick()

    async def listen(ctx):
        async for _, _, valid, symbol in ctx.tick().sample(dut.o.valid, dut.o.payload):
            if valid:
                seen.append((None if symbol.end else symbol.data, symbol.end, symbol.error))

    simulate(dut, put, background=[listen], limit_cycles=700, engine=engine)
    assert seen == expected
