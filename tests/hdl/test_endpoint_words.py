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


def messages(packet, pseudonyms):
    """Words, and whether each is the last of its message, as docs/flow_rules.md has it.

    Addresses and ports, the lower endpoint first, then the length; with pseudonyms each address and its length.
    """
    size = 1 if packet.version == 4 else 4

    def words_of(address):
        return [address >> 32 * (size - 1 - n) & 0xFFFFFFFF for n in range(size)]

    endpoints, _ = endpoints_of(packet)
    sides = (endpoints.lower, endpoints.higher)
    words = [word for side in sides for word in words_of(side.address)]
    ends = [([*words, sides[0].port << 16 | sides[1].port], (8 * size + 5) << 24 | TCP)]
    if pseudonyms:
        ends += [(words_of(address), 4 * size << 24) for address in (packet.source, packet.destination)]
    return [pair for words, length in ends for pair in (*((word, 0) for word in words), (length, 1))]


@pytest.mark.parametrize(
    ("version", "pseudonyms", "cycles"), [(4, False, 6), (6, False, 12), (4, True, 10), (6, True, 22)]
)
def test_messages_and_cycles(version, pseudonyms, cycles):
    dut, clocks = EndpointWords(pseudonyms=pseudonyms), []

    async def check(ctx):
        for item, packet in frames(version, 40):
            ctx.set(dut.item, parsed(item, None))
            await ctx.tick()
            ctx.set(dut.start, 1)
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
            wanted = messages(packet, pseudonyms)
            assert words[-len(wanted) :] == wanted

    simulate(dut, check, limit_cycles=30 * 60)
    assert set(clocks) == {cycles}
