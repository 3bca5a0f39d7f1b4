"""EndpointWords: the message of the model, word for word, in the cycles that are stated."""

import random

import pytest

from hdl.endpoint_words import EndpointWords
from hdl.item import ItemKind
from sim.headers import decode_frame
from sim.identity import endpoints_of
from sim.testbench import simulate
from tests.hdl.table_events import random_items
from tests.hdl.test_pipelined_table import parsed

TCP = 6


def frames(version, count):
    """Used frames and what they say."""
    for item in random_items(random.Random(version), 400):
        if item.kind is ItemKind.FRAME:
            packet = decode_frame(item.body, item.wire_length, None)[1]
            if packet is not None and packet.version == version and count:
                count -= 1
                yield item, packet


def message(packet):
    """As docs/flow_rules.md has it: addresses and ports, the lower endpoint first, then the length."""
    endpoints, _ = endpoints_of(packet)
    size = 1 if packet.version == 4 else 4
    sides = (endpoints.lower, endpoints.higher)
    words = [side.address >> 32 * (size - 1 - n) & 0xFFFFFFFF for side in sides for n in range(size)]
    return [*words, sides[0].port << 16 | sides[1].port, (8 * size + 5) << 24 | TCP]


@pytest.mark.parametrize(("version", "cycles"), [(4, 6), (6, 12)])
def test_message_and_cycles(version, cycles):
    dut, clocks = EndpointWords(), []

    async def check(ctx):
        ctx.set(dut.start, 1)
        for item, packet in frames(version, 40):
            ctx.set(dut.item, parsed(item, None))
            words, clock, ends = [], 0, False
            while not ends:
                clock += 1
                ends = ctx.get(dut.ends)
                await ctx.tick()
                words.append((ctx.get(dut.word.data), ctx.get(dut.word.last)))
            clocks.append(clock)
            endpoints, sender_low = endpoints_of(packet)
            equal = endpoints.lower == endpoints.higher
            assert (ctx.get(dut.swapped), ctx.get(dut.equal)) == (not sender_low and not equal, equal)
            ctx.set(dut.start, 0)
            await ctx.tick()
            words.append((ctx.get(dut.word.data), ctx.get(dut.word.last)))
            wanted = message(packet)
            assert words[-len(wanted) :] == [(word, n == len(wanted) - 1) for n, word in enumerate(wanted)]
            ctx.set(dut.start, 1)

    simulate(dut, check, limit_cycles=20 * 60)
    assert set(clocks) == {cycles}
