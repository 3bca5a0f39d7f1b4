"""WordParser against sim.headers on frames whole, cut, bent and random."""

import random

import pytest

from hdl.item import ITEM_HEADER_BYTES, WORD_BYTES, FrameOutcome, padded
from hdl.packet import PacketWord
from hdl.word_parser import WordParser
from sim.testbench import Stalls, simulate, stream_get, stream_put, words_to_payloads
from tests.hdl.test_header_parser import parsed_item, random_chunks, random_items


def _word_of(words, address):
    if address >= PacketWord.DESTINATION:
        return words.destination[address - PacketWord.DESTINATION]
    if address >= PacketWord.SOURCE:
        return words.source[address - PacketWord.SOURCE]
    return words[PacketWord(address).name.lower()]


def check_parser(dut, items, expected, *, seed, size=WORD_BYTES):
    """Compare what a parser gives, under stalls at both ends."""

    async def feed(ctx):
        await stream_put(ctx, dut.i, words_to_payloads(map(padded, items), size), Stalls(seed, 0.05))

    async def check(ctx):
        stalls = Stalls(seed + 1, 0.2)
        for entry in expected:
            read = await stream_get(ctx, dut.o, stalls)
            assert read.descriptor.bad == (entry is None)
            if entry is None:
                continue
            kind, outcome, words = entry
            assert (read.descriptor.kind, FrameOutcome(read.descriptor.outcome)) == (kind, outcome)
            for address, word in words.items():
                assert _word_of(read.words, address) == word, PacketWord(address)

    simulate(dut, feed, check, limit_cycles=100_000)
    assert {entry[1] for entry in expected if entry} >= {FrameOutcome.USED, FrameOutcome.TRUNCATED}


@pytest.mark.parametrize(("ports", "checksum"), [((25,), False), ((25, 587), True), (None, False)])
@pytest.mark.parametrize("seed", range(3))
def test_circuit_equals_model(ports, checksum, seed):
    items = list(random_items(random.Random(seed), 250))
    tracked = None if ports is None else frozenset(ports)
    expected = [parsed_item(item, tracked, checksum=checksum) for item in items]
    check_parser(WordParser(ports=ports, checksum=checksum), items, expected, seed=seed)
    if checksum:
        assert FrameOutcome.BAD_CHECKSUM in {entry[1] for entry in expected if entry}


@pytest.mark.parametrize("chunks", [False, True])
def test_chunks_are_items_only_where_they_can_be_used(chunks):
    items = list(random_chunks(random.Random(3), 60))
    expected = [parsed_item(item, frozenset({25}), chunks=chunks) for item in items]
    check_parser(WordParser(ports=(25,), chunks=chunks), items, expected, seed=3)


def test_a_word_a_clock():
    """Nothing is waited for between items, so that frames of the least size can follow one another at 1 Gb/s."""
    items = [item for item in random_items(random.Random(8), 100) if len(item) > ITEM_HEADER_BYTES]
    words = sum(-(-len(padded(item)) // WORD_BYTES) for item in items)
    dut, cycles = WordParser(ports=(25,)), 0

    async def feed(ctx):
        nonlocal cycles
        for payload in words_to_payloads(map(padded, items), WORD_BYTES):
            ctx.set(dut.i.payload, payload)
            ctx.set(dut.i.valid, 1)
            assert ctx.get(dut.i.ready)
            await ctx.tick()
            cycles += 1

    async def take(ctx):
        ctx.set(dut.o.ready, 1)
        for _ in items:
            await ctx.tick().until(dut.o.valid)

    simulate(dut, feed, take, limit_cycles=words + 100)
    assert cycles == words
