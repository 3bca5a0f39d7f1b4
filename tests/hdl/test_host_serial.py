"""Items of a host over a serial line: receiver, COBS decoder, and the item that is passed on when it is whole."""

import random

import pytest
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hdl.cobs import cobs_encode
from hdl.cobs_decoder import CobsDecoder
from hdl.host_item import HostItem
from hdl.item import ItemKind, framed, item_bytes, setup_body
from hdl.uart_receiver import UartReceiver
from sim.testbench import SIMULATORS, Stalls, simulate, transfers

_DIVISOR = 8


async def send_byte(ctx, pin, byte, clocks=_DIVISOR, stop=1):
    for bit in (0, *(byte >> at & 1 for at in range(8)), stop):
        ctx.set(pin, bit)
        await ctx.tick().repeat(clocks)
    ctx.set(pin, 1)


@pytest.mark.parametrize("engine", SIMULATORS)
def test_bytes_of_a_line(engine):
    """Back to back and with gaps; one without a stop bit has an error, and so has a break, once."""
    dut = UartReceiver(divisor=_DIVISOR)
    rng, seen = random.Random(1), []
    content = [0, 0xFF, 0x55, 0xAA, *rng.randbytes(20)]

    async def put(ctx):
        for byte in content:
            await send_byte(ctx, dut.rx, byte)
            for _ in range(rng.choice((0, 0, 13))):
                await ctx.tick()
        await send_byte(ctx, dut.rx, 0x7E, stop=0)
        await ctx.tick().repeat(20)
        ctx.set(dut.rx, 0)
        await ctx.tick().repeat(400)
        ctx.set(dut.rx, 1)
        await ctx.tick().repeat(20)
        ctx.set(dut.rx, 0)
        await ctx.tick()
        ctx.set(dut.rx, 1)
        await ctx.tick().repeat(100)
        await send_byte(ctx, dut.rx, 0x42)
        await ctx.tick().repeat(20)

    async def listen(ctx):
        async for _, _, valid, symbol in ctx.tick().sample(dut.o.valid, dut.o.payload):
            if valid:
                seen.append((symbol.data, symbol.error))

    simulate(dut, put, background=[listen], limit_cycles=5000, engine=engine)
    assert seen == [*((byte, 0) for byte in content), (0x7E, 1), (0, 1), (0x42, 0)]


def test_the_divisor_is_checked():
    with pytest.raises(ValueError, match="Divisor must be at least 4 cycles per bit, not 3"):
        UartReceiver(divisor=3)


@pytest.mark.parametrize("engine", SIMULATORS)
def test_frames_of_cobs(engine):
    """Those of the encoder's model, with damaged ones among them."""
    dut = CobsDecoder()
    rng, seen, content = random.Random(3), [], bytearray()
    symbols, expected = [], []
    for _ in range(60):
        zero_in = rng.choice((2, 10, 1000))
        frame = bytes(rng.randrange(zero_in) and rng.randint(1, 255) for _ in range(rng.choice((1, 9, 254, 255, 300))))
        encoded = cobs_encode(frame)
        damage = rng.randrange(4)
        if damage == 0:
            at = rng.randrange(len(encoded) - 1)
            symbols += [(byte, place == at) for place, byte in enumerate(encoded)]
            expected.append(None)
        elif damage == 1 and encoded[0] > 2:
            symbols += [(byte, 0) for byte in encoded[: rng.randrange(1, encoded[0])]] + [(0, 0)]
            expected.append(None)
        else:
            symbols += [(byte, 0) for byte in encoded] + [(0, 0)] * rng.randrange(3)
            expected.append(frame)

    async def put(ctx):
        for data, error in symbols:
            ctx.set(dut.i.payload, {"data": data, "end": 0, "error": error})
            ctx.set(dut.i.valid, 1)
            await ctx.tick()
            ctx.set(dut.i.valid, 0)
            for _ in range(rng.randrange(2)):
                await ctx.tick()

    async def listen(ctx):
        async for _, _, valid, symbol in ctx.tick().sample(dut.o.valid, dut.o.payload):
            if valid and symbol.end:
                seen.append(None if symbol.error else bytes(content))
                content.clear()
            elif valid:
                content.append(symbol.data)

    simulate(dut, put, background=[listen], limit_cycles=3 * len(symbols), engine=engine)
    assert seen == expected


class SerialHost(wiring.Component):
    """What is behind the pin of a serial line."""

    rx: In(1, init=1)
    o: Out(stream.Signature(framed(8)))
    set_up: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.submodules.uart = uart = UartReceiver(divisor=_DIVISOR)
        m.submodules.cobs = cobs = CobsDecoder()
        m.submodules.item = item = HostItem()
        connect(m, uart.o, cobs.i)
        connect(m, cobs.o, item.i)
        connect(m, item.o, flipped(self.o))
        m.d.comb += [uart.rx.eq(self.rx), self.set_up.eq(item.set_up)]
        return m


SETUP = item_bytes(ItemKind.SETUP, body=setup_body(0x0123456789ABCDEF, 1_700_000_000_000, 1_700_000_000))
FLUSH = item_bytes(ItemKind.FLUSH, time_ms=5)
CHUNKS = [item_bytes(kind, body=bytes(range(32))) for kind in ItemKind if kind.is_chunk]
NO_ITEMS = [
    *(SETUP[:-1], SETUP + b"\0", FLUSH[:7], FLUSH + b"\0", CHUNKS[0][:-1], CHUNKS[0] + bytes(30), b"", b"\2"),
    item_bytes(ItemKind.FRAME, wire_length=60, body=bytes(60)),
    item_bytes(ItemKind.TICK, body=bytes(4)),
    bytes([8]) + SETUP[1:],
    bytes([0x83]) + SETUP[1:],
]
"""What a host may not send to a tap."""


@pytest.mark.parametrize("engine", SIMULATORS)
def test_items_of_a_serial_line(engine):
    dut = SerialHost()
    rng = random.Random(7)
    items, set_ups = [], 0
    sent = [SETUP, FLUSH, *CHUNKS, *NO_ITEMS, SETUP, FLUSH]
    rng.shuffle(sent)

    async def put(ctx):
        for item in sent:
            for byte in cobs_encode(item):
                await send_byte(ctx, dut.rx, byte)
            await ctx.tick().repeat(100)

    async def take(ctx):
        item = bytearray()
        async for payload in transfers(ctx, dut.o, Stalls(1, 0.2)):
            assert bool(payload.first) == (not item)
            item.append(payload.data)
            if payload.last:
                items.append(bytes(item))
                item.clear()

    async def count(ctx):
        nonlocal set_ups
        async for _, _, set_up in ctx.tick().sample(dut.set_up):
            set_ups += set_up

    simulate(dut, put, background=[take, count], limit_cycles=200_000, engine=engine)
    assert items == [item for item in sent if item not in NO_ITEMS]
    assert set_ups == 2


def test_an_item_that_comes_while_another_waits_is_dropped_whole():
    dut = HostItem()
    items = []

    async def put(ctx):
        async def send(item, clocks=1):
            for symbol in [*({"data": byte, "end": 0, "error": 0} for byte in item), {"data": 0, "end": 1, "error": 0}]:
                ctx.set(dut.i.payload, symbol)
                ctx.set(dut.i.valid, 1)
                await ctx.tick()
                ctx.set(dut.i.valid, 0)
                await ctx.tick().repeat(clocks)

        await send(SETUP)
        await send(FLUSH)  # nobody takes the set-up yet
        ctx.set(dut.o.ready, 1)
        await send(CHUNKS[0])  # begins while the set-up is given, and ends behind it
        await ctx.tick().repeat(40)
        await send(FLUSH)
        await ctx.tick().repeat(20)

    async def take(ctx):
        item = bytearray()
        async for _, _, valid, ready, payload in ctx.tick().sample(dut.o.valid, dut.o.ready, dut.o.payload):
            if valid and ready:
                item.append(payload.data)
                if payload.last:
                    items.append(bytes(item))
                    item.clear()

    simulate(dut, put, background=[take], limit_cycles=1000)
    assert items == [SETUP, FLUSH]
