"""BlockFifo: items come out as they went in, as many wait as is said, and one passes every clock."""

import random

import pytest

from hdl.block_fifo import BlockFifo
from sim.testbench import Stalls, simulate, stream_get, stream_put


@pytest.mark.parametrize(("depth", "in_logic"), [(2, False), (16, False), (16, True)])
@pytest.mark.parametrize("slow_end", [0.1, 0.6])
def test_order_is_kept(depth, in_logic, slow_end):
    items = [random.Random(depth).getrandbits(16) for _ in range(400)]
    dut = BlockFifo(shape=16, depth=depth, in_logic=in_logic)

    async def feed(ctx):
        await stream_put(ctx, dut.i, items, Stalls(1, 0.7 - slow_end))

    async def check(ctx):
        stalls = Stalls(2, slow_end)
        assert [await stream_get(ctx, dut.o, stalls) for _ in items] == items

    simulate(dut, feed, check, limit_cycles=20 * len(items))


@pytest.mark.parametrize("depth", [2, 8])
def test_as_many_wait_as_is_said(depth):
    dut, taken = BlockFifo(shape=8, depth=depth), []

    async def feed(ctx):
        ctx.set(dut.i.valid, 1)
        async for _, _, ready in ctx.tick().sample(dut.i.ready):
            taken.append(ready)
            if len(taken) == 4 * depth:
                return

    simulate(dut, feed, limit_cycles=5 * depth)
    # One more waits at the output.
    assert sum(taken) == depth + 1
    assert not any(taken[-depth:])


def test_an_item_every_clock():
    items = list(range(100))
    dut, clocks = BlockFifo(shape=8, depth=4), []

    async def feed(ctx):
        await stream_put(ctx, dut.i, items)

    async def check(ctx):
        ctx.set(dut.o.ready, 1)
        clock = 0
        async for _, _, valid, payload in ctx.tick().sample(dut.o.valid, dut.o.payload):
            clock += 1
            if valid:
                assert payload == items[len(clocks)]
                clocks.append(clock)
            if len(clocks) == len(items):
                return

    simulate(dut, feed, check, limit_cycles=2 * len(items))
    assert clocks == list(range(clocks[0], clocks[0] + len(items)))


@pytest.mark.parametrize("depth", [0, 1, 3, 12])
def test_depths_that_are_none(depth):
    with pytest.raises(ValueError, match=f"not {depth}"):
        BlockFifo(shape=8, depth=depth)
