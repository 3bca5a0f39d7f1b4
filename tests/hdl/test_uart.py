"""UartTransmitter, listened to by a receiver that knows only the line and the length of a bit."""

import itertools
import random

import pytest

from hdl.uart import UartTransmitter
from sim.testbench import Stalls, simulate, stream_put


async def receive(ctx, tx, divisor):
    """The next byte: from the start bit on, every clock of every bit must agree."""
    while ctx.get(tx):
        await ctx.tick()
    bits = []
    for _ in range(10):
        levels = set()
        for _ in range(divisor):
            levels.add(ctx.get(tx))
            await ctx.tick()
        (level,) = levels
        bits.append(level)
    assert (bits[0], bits[9]) == (0, 1)
    return sum(bit << index for index, bit in enumerate(bits[1:9]))


@pytest.mark.parametrize("divisor", [2, 3, 8])
@pytest.mark.parametrize("stall", [0, 0.9])
def test_receiver_gets_the_bytes(divisor, stall):
    rng = random.Random(divisor)
    content = bytes([0x00, 0xFF, 0x55, 0xAA, 0x01, 0x80, *rng.randbytes(30)])
    dut = UartTransmitter(divisor=divisor)
    received = bytearray()

    async def put(ctx):
        assert ctx.get(dut.tx) == 1
        await ctx.tick().repeat(3)
        await stream_put(ctx, dut.i, content, Stalls(7, stall))

    async def get(ctx):
        while len(received) < len(content):
            received.append(await receive(ctx, dut.tx, divisor))
        for _ in range(12 * divisor):
            assert ctx.get(dut.tx) == 1
            await ctx.tick()

    simulate(dut, put, get, limit_cycles=len(content) * (10 * divisor + 60))
    assert received == content


@pytest.mark.parametrize("divisor", [2, 8])
def test_throughput(divisor):
    """One clock between two bytes, which lengthens the stop bit."""
    dut = UartTransmitter(divisor=divisor)
    taken = []

    async def put(ctx):
        ctx.set(dut.i.payload, 0x5A)
        ctx.set(dut.i.valid, 1)
        for cycle in range(40 * divisor):
            _, _, ready = await ctx.tick().sample(dut.i.ready)
            if ready:
                taken.append(cycle)

    simulate(dut, put, limit_cycles=50 * divisor)
    assert {after - before for before, after in itertools.pairwise(taken)} == {10 * divisor + 1}


def test_divisor_is_checked():
    with pytest.raises(ValueError, match="Divisor must be at least 2 cycles per bit, not 1"):
        UartTransmitter(divisor=1)
