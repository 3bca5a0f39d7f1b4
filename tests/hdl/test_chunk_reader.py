"""ChunkReader: images go to the loader whole and in order, and whatever is no image is counted."""

import functools
import random

import pytest

from hdl.chunk_reader import ChunkReader
from hdl.item import CHUNK_BYTES, FrameOutcome, ItemKind
from hdl.packet import PACKET_WORDS, Descriptor, PacketWord, ParsedItem
from hdl.tally import Counter
from sim.testbench import Stalls, simulate, stream_put

CHUNK, FIRST, LAST, ONLY = ItemKind.CHUNK, ItemKind.FIRST_CHUNK, ItemKind.LAST_CHUNK, ItemKind.ONLY_CHUNK
FRAME = ItemKind.FRAME


@pytest.fixture(params=[Descriptor, ParsedItem])
def run(request):
    """The function ``run``, for either payload."""
    return functools.partial(run_reader, request.param)


def run_reader(payload, items, *, good=lambda image: True, quiet=lambda cycle: True, seed=1):
    """What happened in which order: an item that went on, an image that was handed over, and one that was counted."""
    dut = ChunkReader(payload=payload)
    seen, memory = [], [0] * PACKET_WORDS
    cycle = 0

    async def feed(ctx):
        nonlocal memory
        for kind, body in items:
            memory = [0] * PACKET_WORDS
            for at in range(0, len(body), 4):
                memory[PacketWord.BODY + at // 4] = int.from_bytes(body[at : at + 4], "big")
            descriptor = {"kind": kind, "outcome": FrameOutcome.USED, "ipv6": 0, "bad": 0}
            if payload is ParsedItem:
                halves = {"source": memory[PacketWord.SOURCE :][:4], "destination": memory[PacketWord.DESTINATION :]}
                item = {"descriptor": descriptor, "words": halves}
            else:
                item = descriptor
            await stream_put(ctx, dut.i, [item], Stalls(seed))
        await ctx.tick().repeat(3)

    async def words(ctx):
        async for _, _, address in ctx.tick().sample(dut.words.address):
            ctx.set(dut.words.data, memory[address])

    async def taken_from(ctx, stream, seed, act):
        """Hands over what comes, with stalls."""
        stalls = Stalls(seed, 0.5)
        async for _, _, valid, ready, payload in ctx.tick().sample(stream.valid, stream.ready, stream.payload):
            if valid and ready:
                act(payload)
            ctx.set(stream.ready, not stalls.now())

    async def next_part(ctx):
        def see(item):
            seen.append(ItemKind(item.descriptor.kind if payload is ParsedItem else item.kind))

        await taken_from(ctx, dut.o, seed + 1, see)

    async def loader(ctx):
        image, stalls, stream = bytearray(), Stalls(seed + 2, 0.6), dut.table
        verdicts = []  # a clock, and whether the image that was judged in it is good
        async for _, _, valid, ready, byte in ctx.tick().sample(stream.valid, stream.ready, stream.payload):
            if valid and ready:
                assert byte.first == (not image)
                image.append(byte.data)
                if byte.last:
                    seen.append(bytes(image))
                    verdicts.append((cycle + 4, good(bytes(image))))
                    image.clear()
            ctx.set(stream.ready, not stalls.now())
            ctx.set(dut.loaded, (cycle, True) in verdicts)
            ctx.set(dut.refused, (cycle, False) in verdicts)

    async def count(ctx):
        def refuse(event):
            assert (event.index, event.amount) == (Counter.TABLES_REFUSED, 1)
            seen.append("refused")

        await taken_from(ctx, dut.event, seed + 3, refuse)

    async def watch(ctx):
        nonlocal cycle
        async for *_, ended in ctx.tick().sample(dut.ended):
            if ended:
                seen.append("ended")
            cycle += 1
            ctx.set(dut.quiet, quiet(cycle))

    others = [next_part, loader, count, watch] + ([] if payload is ParsedItem else [words])
    simulate(dut, feed, background=others, limit_cycles=20_000)
    return seen, cycle


def body(rng):
    return rng.randbytes(CHUNK_BYTES)


def test_an_image_is_handed_over_in_its_turn(run):
    a, b, c = map(body, [random.Random(n) for n in range(3)])
    seen, _ = run([(FRAME, b""), (FIRST, a), (FRAME, b""), (CHUNK, b), (LAST, c), (FRAME, b"")])
    assert seen == [FRAME, FRAME, a + b + c, "ended", FRAME]


def test_what_does_not_belong_together_is_refused(run):
    a, b, c, d = map(body, [random.Random(n) for n in range(4)])
    seen, _ = run(
        [(CHUNK, a), (LAST, b), (FIRST, c), (FIRST, d), (LAST, a), (ONLY, b), (FRAME, b"")],
        good=lambda image: image == d + a,
    )
    refused = ["refused", "ended"]
    assert seen == [*refused, c + b"\0", *refused, d + a, "ended", b, *refused, FRAME]


@pytest.mark.parametrize("waits", [FIRST, LAST])
def test_first_and_last_wait_for_what_was_said_before(waits, run):
    a, b = map(body, [random.Random(n) for n in range(2)])
    items = [(FIRST, a), (LAST, b)]
    _, at_once = run(items)
    # A chunk takes some 200 clocks.
    begin = 1 if waits is FIRST else 100
    _, late = run(items, quiet=lambda cycle: not begin <= cycle < begin + 2000)
    assert late > at_once + 1900


def test_chunks_between_them_do_not_wait(run):
    chunks = [(CHUNK, bytes(CHUNK_BYTES))] * 4
    seen, _ = run([*chunks, (FRAME, b"")], quiet=lambda cycle: False)
    assert seen == [FRAME]
