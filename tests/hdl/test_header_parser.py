"""HeaderParser against sim.headers on frames whole, cut, bent and random."""

import random

import pytest

from hdl.header_parser import HeaderParser
from hdl.item import CHUNK_BYTES, SETUP_BODY_BYTES, FrameOutcome, ItemKind, item_bytes
from hdl.packet import PacketWord
from sim.headers import decode_frame
from sim.items import parse_item
from sim.made_frames import random_frame
from sim.testbench import Stalls, frames_to_payloads, simulate, stream_put


def parsed_item(item, ports, *, chunks=False, checksum=False):
    """(kind, outcome, words) of an item, or None for a bad one."""
    if parse_item(item) is None or (ItemKind(item[0]).is_chunk and not chunks):
        return None
    time = int.from_bytes(item[4:8], "big")
    if item[0] != ItemKind.FRAME:
        needed = {ItemKind.TICK: 4, ItemKind.SETUP: SETUP_BODY_BYTES}.get(item[0])
        if ItemKind(item[0]).is_chunk:
            needed = CHUNK_BYTES
        words = {PacketWord.TIME: time}
        told = needed is not None and len(item) >= 8 + needed
        if told:
            for word in range(needed // 4):
                words[PacketWord.BODY + word] = int.from_bytes(item[8 + 4 * word : 12 + 4 * word], "big")
        return item[0], FrameOutcome.USED if told else FrameOutcome.TRUNCATED, words
    outcome, packet = decode_frame(item[8:], int.from_bytes(item[1:4], "big"), ports, checksum)
    words = {PacketWord.TIME: time}
    if outcome == FrameOutcome.USED:
        words[PacketWord.PORTS] = packet.source_port << 16 | packet.destination_port
        words[PacketWord.SIZES] = packet.length << 16 | packet.window
        words[PacketWord.MARKS] = packet.ttl << 8 | packet.flags
        count = 4 if packet.version == 6 else 1
        for i in range(count):
            shift = 32 * (count - 1 - i)
            words[PacketWord.SOURCE + i] = packet.source >> shift & 0xFFFF_FFFF
            words[PacketWord.DESTINATION + i] = packet.destination >> shift & 0xFFFF_FFFF
    return item[0], outcome, words


def random_items(rng, count):
    for number in range(count):
        match rng.randrange(12):
            case 0:
                kind = rng.choice((ItemKind.TICK, ItemKind.SETUP))
                yield item_bytes(kind, time_ms=number, body=rng.randbytes(rng.choice((0, 3, 4, 19, 20, 70, 140))))
            case 1:
                yield rng.randbytes(rng.randint(1, 12))
            case 2:
                yield item_bytes(ItemKind.FLUSH, time_ms=number) + rng.randbytes(rng.randint(0, 3))
            case _:
                frame, wire_length = random_frame(rng)
                yield item_bytes(ItemKind.FRAME, time_ms=number, wire_length=wire_length, body=frame)


@pytest.mark.parametrize("ports", [(25,), (25, 587), None])
@pytest.mark.parametrize("seed", range(2))
def test_circuit_equals_model(ports, seed):
    _check(HeaderParser(ports=ports), list(random_items(random.Random(seed), 150)), ports, seed)


def random_chunks(rng, count):
    for number in range(count):
        kind = rng.randint(ItemKind.CHUNK, ItemKind.ONLY_CHUNK + 1)
        length = rng.choice((0, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES, CHUNK_BYTES + 1, 70, 140))
        yield bytes([kind]) + item_bytes(ItemKind.FRAME, time_ms=number, body=rng.randbytes(length))[1:]
        yield from random_items(rng, 1)


@pytest.mark.parametrize("chunks", [False, True])
def test_chunks_are_items_only_where_they_can_be_used(chunks):
    items = list(random_chunks(random.Random(3), 50))
    _check(HeaderParser(ports=(25,), chunks=chunks), items, (25,), 3, chunks=chunks)


@pytest.mark.parametrize("seed", range(2))
def test_checksum(seed):
    items = list(random_items(random.Random(seed), 150))
    expected = _check(HeaderParser(ports=(25,), checksum=True), items, (25,), seed, checksum=True)
    assert FrameOutcome.BAD_CHECKSUM in {entry[1] for entry in expected if entry}


def _check(dut, items, ports, seed, *, chunks=False, checksum=False):
    ports = None if ports is None else frozenset(ports)
    expected = [parsed_item(item, ports, chunks=chunks, checksum=checksum) for item in items]

    async def feed(ctx):
        await stream_put(ctx, dut.i, frames_to_payloads(items), Stalls(seed, 0.05))

    async def check(ctx):
        for entry in expected:
            (descriptor,) = await ctx.tick().sample(dut.o.payload).until(dut.o.valid)
            assert descriptor.bad == (entry is None)
            kind, outcome, words = entry or (None, None, {})
            assert kind in (None, descriptor.kind)
            if outcome is not None:
                assert FrameOutcome(descriptor.outcome) is outcome
            for address, word in words.items():
                ctx.set(dut.packet.address, address)
                await ctx.tick()
                assert ctx.get(dut.packet.data) == word, PacketWord(address)
            ctx.set(dut.o.ready, 1)
            await ctx.tick()
            ctx.set(dut.o.ready, 0)

    simulate(dut, feed, check, limit_cycles=60_000)
    assert None in expected
    assert {e[1] for e in expected if e} >= {FrameOutcome.USED, FrameOutcome.TRUNCATED}
    return expected
