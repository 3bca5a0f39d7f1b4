"""SetupRegister: setup items right and wrong among others, and whose byte is whose."""

import random

import pytest

from hdl.item import ItemKind, framed, item_bytes
from hdl.setup_register import SETUP_BODY_BYTES, SetupRegister, setup_body
from sim.testbench import Stalls, frames_to_payloads, simulate, stream_put

_EPOCH_BITS = 42


def random_items(rng, count):
    for _ in range(count):
        match rng.randrange(4):
            case 0:
                yield item_bytes(ItemKind.SETUP, body=setup_body(rng.getrandbits(64), rng.getrandbits(_EPOCH_BITS)))
            case 1:
                length = rng.choice((0, 1, SETUP_BODY_BYTES - 1, SETUP_BODY_BYTES + 1, 2 * SETUP_BODY_BYTES, 60))
                yield item_bytes(ItemKind.SETUP, body=rng.randbytes(length))[: rng.choice((1, 7, 90))]
            case _:
                # The kind of a setup item is nothing special inside another one.
                inside = (rng.choice((3, 3, 9)) for _ in range(rng.randint(0, 30)))
                yield bytes([rng.choice((0, 1, 2, 4, 255)), *inside])


@pytest.mark.parametrize("seed", range(6))
def test_keeps_what_the_last_setup_item_said(seed):
    rng = random.Random(seed)
    items = list(random_items(rng, 60))
    dut = SetupRegister()
    passed = []
    fed = False

    async def feed(ctx):
        nonlocal fed
        stalls = Stalls(seed, 0.3)
        for item in items:
            await stream_put(ctx, dut.i, frames_to_payloads([item]), stalls)
            if item[0] == ItemKind.SETUP:
                right = len(item) == 8 + SETUP_BODY_BYTES
                assert ctx.get(dut.done) == right
                if right:
                    assert ctx.get(dut.epoch_ms) == int.from_bytes(item[8:14], "big")
                    assert ctx.get(dut.key) == int.from_bytes(item[14:], "big")
        fed = True

    async def collect(ctx):
        stalls, item = Stalls(seed + 1, 0.3), bytearray()
        while not fed:
            ctx.set(dut.o.ready, not stalls.now())
            _, _, payload, taken = await ctx.tick().sample(dut.o.payload, dut.o.valid & dut.o.ready)
            if taken:
                assert payload.first == (not item)
                item.append(payload.data)
                if payload.last:
                    passed.append(bytes(item))
                    item.clear()

    simulate(dut, feed, collect, limit_cycles=40_000)
    assert passed == [item for item in items if item[0] != ItemKind.SETUP]


def test_a_setup_item_takes_the_probe_out_of_service_until_it_is_whole():
    dut = SetupRegister()
    right = item_bytes(ItemKind.SETUP, body=setup_body(5, 7))

    async def run(ctx):
        await stream_put(ctx, dut.i, frames_to_payloads([right]))
        assert ctx.get(dut.done)
        for payload in list(frames_to_payloads([right]))[:-1]:
            await stream_put(ctx, dut.i, [payload])
            assert not ctx.get(dut.done)

    simulate(dut, run, limit_cycles=200)


def test_room_is_that_of_the_probe_while_no_item_comes():
    """A link asks for room before an item has come; what lies on the payload then says nothing."""
    dut = SetupRegister()
    layout = framed(8)

    async def run(ctx):
        for swallowed in (False, True):
            if swallowed:
                ctx.set(dut.o.ready, 1)
                await stream_put(ctx, dut.i, frames_to_payloads([item_bytes(ItemKind.SETUP, body=bytes(14))]))
            for raw in range(1 << layout.size):
                ctx.set(dut.i.payload.as_value(), raw)
                for ready in (0, 1):
                    ctx.set(dut.o.ready, ready)
                    assert ctx.get(dut.i.ready) == ready

    simulate(dut, run, limit_cycles=100)
