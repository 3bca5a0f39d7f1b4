"""IdentityLanes: the identities of the model in the order of the items, in the cycles that are stated."""

import random

import pytest

from hdl.identity_lanes import IdentityLanes
from hdl.item import FrameOutcome, ItemKind
from sim.headers import decode_frame
from sim.identity import endpoints_of, identity_of
from sim.testbench import Stalls, simulate, stream_get, stream_put
from tests.hdl.table_events import KEY, random_items
from tests.hdl.test_pipelined_table import parsed


def _expected(item):
    """(identity, swapped, equal) of a used frame, else None."""
    if item.kind is not ItemKind.FRAME:
        return None
    outcome, packet = decode_frame(item.body, item.wire_length, None)
    if outcome is not FrameOutcome.USED:
        return None
    endpoints, sender_low = endpoints_of(packet)
    equal = endpoints.lower == endpoints.higher
    return identity_of(endpoints, KEY), not sender_low and not equal, equal


@pytest.mark.parametrize("lanes", [1, 2, 5])
def test_equals_model(lanes):
    items = list(random_items(random.Random(lanes), 120))
    dut = IdentityLanes(lanes=lanes)

    async def feed(ctx):
        ctx.set(dut.key, KEY)
        await stream_put(ctx, dut.i, (parsed(item, None) for item in items), Stalls(lanes, 0.3))

    async def check(ctx):
        stalls = Stalls(lanes + 1, 0.3)
        for item in items:
            got = await stream_get(ctx, dut.o, stalls)
            assert (got.descriptor.kind, got.words.time) == (item.kind, item.time_ms)
            if (expected := _expected(item)) is not None:
                assert (got.identity, got.swapped, got.equal) == expected

    simulate(dut, feed, check, limit_cycles=100 * len(items))


@pytest.mark.parametrize("lanes", [1, 4])
@pytest.mark.parametrize(("size", "cycles"), [(4, 49), (16, 85)])
def test_cycles_that_are_stated(lanes, size, cycles):
    used = (item for item in random_items(random.Random(9), 400) if item.kind is ItemKind.FRAME)
    version = 4 if size == 4 else 6
    items = [item for item in used if decode_frame(item.body, item.wire_length, None)[1].version == version]
    items = items[: 5 * lanes]
    dut, taken = IdentityLanes(lanes=lanes), []

    async def feed(ctx):
        await stream_put(ctx, dut.i, (parsed(item, None) for item in items))

    async def check(ctx):
        ctx.set(dut.o.ready, 1)
        clock = 0
        async for _, _, valid in ctx.tick().sample(dut.o.valid):
            clock += 1
            if valid:
                taken.append(clock)
            if len(taken) == len(items):
                return

    simulate(dut, feed, check, limit_cycles=100 * len(items))
    assert {later - earlier for earlier, later in zip(taken, taken[lanes:], strict=False)} == {cycles}
