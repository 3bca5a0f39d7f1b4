"""WordGather against hdl.item.padded, a byte a clock."""

import random

import pytest

from hdl.item import ItemKind, padded
from hdl.word_gather import WordGather
from sim.testbench import Stalls, frames_to_payloads, simulate, stream_get, stream_put


def _items(seed):
    rng = random.Random(seed)
    lengths = [*range(1, 24), *(rng.randint(1, 200) for _ in range(20))]
    rng.shuffle(lengths)
    for length in lengths:
        yield bytes([rng.choice((ItemKind.FRAME, ItemKind.FRAME, ItemKind.TICK, 9))]) + rng.randbytes(length - 1)


def _as_words(item):
    """The words, but for those that are nothing but padding."""
    return padded(item) if len(item) > 8 else item


async def _take(ctx, dut, stalls):
    taken, first = b"", True
    while True:
        word = await stream_get(ctx, dut.o, stalls)
        assert word.first == first
        assert 1 <= word.bytes <= 4
        assert word.bytes == 4 or word.last
        taken += word.data.to_bytes(4, "big")[: word.bytes]
        if word.last:
            return taken
        first = False


@pytest.mark.parametrize("seed", range(2))
def test_equals_model(seed):
    items, dut = list(_items(seed)), WordGather()

    async def feed(ctx):
        await stream_put(ctx, dut.i, frames_to_payloads(items), Stalls(seed, 0.2))

    async def check(ctx):
        stalls = Stalls(seed + 1, 0.4)
        for item in items:
            assert await _take(ctx, dut, stalls) == _as_words(item)

    simulate(dut, feed, check, limit_cycles=40_000)


def test_a_byte_a_clock():
    items, dut = list(_items(5)), WordGather()

    async def feed(ctx):
        for payload in frames_to_payloads(items):
            ctx.set(dut.i.payload, payload)
            ctx.set(dut.i.valid, 1)
            assert ctx.get(dut.i.ready)
            await ctx.tick()
        ctx.set(dut.i.valid, 0)

    async def drain(ctx):
        ctx.set(dut.o.ready, 1)
        await ctx.tick()

    simulate(dut, feed, drain, limit_cycles=40_000)
