"""IdentityLanes: the identities of the model in the order of the items, in the cycles that are stated."""

import random

import pytest

from hdl.identity_lanes import IdentityLanes
from hdl.item import FrameOutcome, ItemKind
from sim.headers import decode_frame
from sim.identity import endpoints_of, identity_of, pseudonym_of
from sim.testbench import Stalls, simulate, stream_get, stream_put
from tests.hdl.table_events import KEY, random_items
from tests.hdl.test_pipelined_table import parsed


def _expected(item):
    """(identity, swapped, equal) of a used frame and the pseudonyms of its addresses, else None."""
    if item.kind is not ItemKind.FRAME:
        return None
    outcome, packet = decode_frame(item.body, item.wire_length, None)
    if outcome is not FrameOutcome.USED:
        return None
    endpoints, sender_low = endpoints_of(packet)
    equal = endpoints.lower == endpoints.higher
    pseudonyms = [pseudonym_of(packet.version, address, KEY) for address in (packet.source, packet.destination)]
    return (identity_of(endpoints, KEY), not sender_low and not equal, equal), pseudonyms


@pytest.mark.parametrize(("lanes", "pseudonyms"), [(1, False), (2, False), (5, False), (1, True), (3, True)])
def test_equals_model(lanes, pseudonyms):
    items = list(random_items(random.Random(lanes), 120))
    dut = IdentityLanes(lanes=lanes, pseudonyms=pseudonyms)

    async def feed(ctx):
        ctx.set(dut.key, KEY)
        await stream_put(ctx, dut.i, (parsed(item, None) for item in items), Stalls(lanes, 0.3))

    async def check(ctx):
        stalls = Stalls(lanes + 1, 0.3)
        for item in items:
            got = await stream_get(ctx, dut.o, stalls)
            assert (got.descriptor.kind, got.words.time) == (item.kind, item.time_ms)
            if (expected := _expected(item)) is not None:
                assert (got.identity, got.swapped, got.equal) == expected[0]
                if pseudonyms:
                    for address, pseudonym in zip((got.words.source, got.words.destination), expected[1], strict=True):
                        assert [address[n] for n in range(4)] == [pseudonym >> 32, pseudonym & 0xFFFFFFFF, 0, 0]

    simulate(dut, feed, check, limit_cycles=200 * len(items))


@pytest.mark.parametrize("lanes", [1, 4])
@pytest.mark.parametrize(
    ("version", "pseudonyms", "cycles"), [(4, False, 49), (6, False, 85), (4, True, 111), (6, True, 183)]
)
def test_cycles_that_are_stated(lanes, version, pseudonyms, cycles):
    used = (item for item in random_items(random.Random(9), 400) if item.kind is ItemKind.FRAME)
    items = [item for item in used if decode_frame(item.body, item.wire_length, None)[1].version == version]
    items = items[: 5 * lanes]
    dut, taken = IdentityLanes(lanes=lanes, pseudonyms=pseudonyms), []

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

    simulate(dut, feed, check, limit_cycles=200 * len(items))
    assert {later - earlier for earlier, later in zip(taken, taken[lanes:], strict=False)} == {cycles}
