"""SetUp: order is kept, a set-up flushes and waits, ticks tell the time."""

import random

from hdl.item import FrameOutcome, ItemKind
from hdl.packet import PACKET_WORDS, PacketWord
from hdl.set_up import SetUp
from sim.testbench import Stalls, simulate, stream_put


def _item(kind, words=(), *, used=True):
    outcome = FrameOutcome.USED if used else FrameOutcome.TRUNCATED
    memory = [0] * PACKET_WORDS
    memory[PacketWord.BODY : PacketWord.BODY + len(words)] = words
    return {"kind": kind, "outcome": outcome, "ipv6": 0, "bad": 0}, memory


def _run(items, *, noisy=None, quiet=lambda cycle: True):
    """What went on to the table: (kind, key, epoch, seconds, done) of each item as it was taken."""
    dut = SetUp()
    passed = []
    memory = None

    async def feed(ctx):
        nonlocal memory
        for descriptor, words in items:
            memory = words
            await stream_put(ctx, dut.i, [descriptor], noisy)
        await ctx.tick().repeat(3)

    async def words(ctx):
        async for _, _, address in ctx.tick().sample(dut.words.address):
            ctx.set(dut.words.data, memory[address] if memory else 0)

    async def table(ctx):
        cycle = 0
        stalls = noisy or Stalls(0, 0)
        while True:
            ctx.set(dut.o.ready, not stalls.now())
            ctx.set(dut.quiet, quiet(cycle))
            cycle += 1
            state = (dut.key, dut.epoch_ms, dut.seconds, dut.done)
            _, _, valid, ready, payload, *values = await ctx.tick().sample(
                dut.o.valid, dut.o.ready, dut.o.payload, *state
            )
            if valid and ready:
                passed.append((payload.kind, *values))

    simulate(dut, feed, background=[words, table], limit_cycles=5000)
    return passed


FRAME, TICK, FLUSH, SETUP = ItemKind.FRAME, ItemKind.TICK, ItemKind.FLUSH, ItemKind.SETUP
FIRST = _item(SETUP, (0x12, 0x89ABCDEF, 0x01020304, 0x05060708, 50))
SECOND = _item(SETUP, (0x13, 1, 2, 3, 60))


def test_each_item_is_seen_with_what_holds_in_its_turn():
    items = [FIRST, _item(FRAME), _item(TICK, (99,)), _item(FRAME), SECOND, _item(FRAME), _item(TICK, (7,), used=False)]
    one, two = (0x0102030405060708, 0x1289ABCDEF), (0x0000000200000003, 0x1300000001)
    assert _run(items) == [
        (FRAME, *one, 50, 1),
        (TICK, *one, 99, 1),
        (FRAME, *one, 99, 1),
        (FLUSH, *one, 99, 1),
        (FRAME, *two, 60, 1),
        (TICK, *two, 60, 1),
    ]


def test_a_set_up_waits_until_the_records_have_left():
    waited = []

    def quiet(cycle):
        waited.append(cycle)
        return cycle > 200

    assert [entry[0] for entry in _run([FIRST, SECOND, _item(FRAME)], quiet=quiet)] == [FLUSH, FRAME]
    assert len(waited) > 200


def test_random_order_and_stalls():
    rng = random.Random(3)
    items, expected, done, key = [], [], False, 0
    for _ in range(120):
        kind = rng.choice((FRAME, FRAME, TICK, FLUSH, SETUP))
        if kind is SETUP:
            words = [rng.getrandbits(32) for _ in range(5)]
            expected += [(FLUSH, key)] * done
            done, key = True, words[2] << 32 | words[3]
            items.append(_item(SETUP, words))
        else:
            expected.append((kind, key))
            items.append(_item(kind, (rng.getrandbits(32),), used=rng.random() < 0.5))
    assert [entry[:2] for entry in _run(items, noisy=Stalls(5, 0.3))] == expected
