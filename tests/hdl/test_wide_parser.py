"""WideParser: what WordParser gives, in the same order, at eight bytes a clock."""

import random

import pytest

from hdl.item import ItemKind, item_bytes, padded
from hdl.wide_parser import WIDE_BYTES, WideParser
from sim.made_frames import tcp_frame
from sim.testbench import simulate, words_to_payloads
from tests.hdl.test_header_parser import parsed_item, random_items
from tests.hdl.test_word_parser import check_parser


@pytest.mark.parametrize("checksum", [False, True])
@pytest.mark.parametrize("seed", range(2))
def test_circuit_equals_model(seed, checksum):
    rng = random.Random(seed)
    items = list(random_items(rng, 250))
    # Long frames too, whose rest goes by faster than it could be read.
    items = [item + rng.randbytes(rng.choice((0, 0, 0, 1400))) for item in items]
    expected = [parsed_item(item, frozenset({25}), checksum=checksum) for item in items]
    dut = WideParser(ports=(25,), checksum=checksum)
    check_parser(dut, items, expected, seed=seed, size=WIDE_BYTES)


def _frame(rng, payload):
    frame, wire_length = tcp_frame(
        source=rng.randbytes(4), destination=rng.randbytes(4), source_port=25, destination_port=9, payload=payload
    )
    return item_bytes(ItemKind.FRAME, wire_length=wire_length, body=frame.ljust(wire_length, b"\0"))


@pytest.mark.parametrize("payloads", [(0,), (1400,), (0, 0, 1400, 60)])
def test_a_word_a_clock(payloads):
    """At one clock between items, which their first byte on the wire takes more of, nothing ever waits."""
    rng = random.Random(8)
    items = [_frame(rng, payload) for payload in payloads * (600 // len(payloads))]
    dut = WideParser(ports=(25,))

    async def feed(ctx):
        for payload in words_to_payloads(map(padded, items), WIDE_BYTES):
            ctx.set(dut.i.payload, payload)
            ctx.set(dut.i.valid, 1)
            assert ctx.get(dut.i.ready)
            await ctx.tick()
            if payload["last"]:
                ctx.set(dut.i.valid, 0)
                await ctx.tick()

    async def take(ctx):
        ctx.set(dut.o.ready, 1)
        for _ in items:
            await ctx.tick().until(dut.o.valid)

    simulate(dut, feed, take, limit_cycles=300 * len(items), engine="compiled")
