"""ItemMerger alone, so that seconds pass in a moment: times beyond what the wire counts, and seconds."""

import random

import pytest

from hdl.item import ItemKind, item_bytes, setup_body
from hdl.item_merger import ItemMerger
from sim.testbench import SIMULATORS, Stalls, frames_to_payloads, simulate, stream_put, transfers


@pytest.mark.parametrize("engine", SIMULATORS)
def test_time_goes_on_beyond_a_byte(engine):
    """Frames, ticks and flushes over some seconds, from a set-up in the middle of a byte's range on."""
    dut = ItemMerger()
    rng = random.Random(11)
    seconds = 0x00FFFFFE
    told, items = [], []
    now = 201

    async def put(ctx):
        nonlocal now
        ctx.set(dut.settled, 1)
        ctx.set(dut.now, now)
        begin, at_tick, at_second = now, 0, 0
        setup = item_bytes(ItemKind.SETUP, time_ms=5, body=setup_body(3, 4, seconds))
        await stream_put(ctx, dut.host, frames_to_payloads([setup]))
        told.append((ItemKind.SETUP, 0, setup[8:]))
        while now < begin + 3000:
            now += rng.choice((0, 0, 1, 7, 30))
            ctx.set(dut.now, now % 256)
            elapsed = now - begin
            ctx.set(dut.second, elapsed // 1000 > at_second)
            at_second = elapsed // 1000
            tick = elapsed // 100 > at_tick
            at_tick = elapsed // 100
            ctx.set(dut.tick, tick)
            await ctx.tick()
            ctx.set(dut.second, 0)
            ctx.set(dut.tick, 0)
            if tick:
                told.append((ItemKind.TICK, elapsed, (seconds + at_second).to_bytes(4, "big")))
            if rng.random() < 0.3:
                # As one clock later, so that the tick goes first.
                await ctx.tick().repeat(2)
                frame = rng.randbytes(rng.randint(1, 20))
                ctx.set(dut.stamp, now % 256)
                ctx.set(dut.wire_length, 1234)
                ctx.set(dut.available, 1)
                await stream_put(ctx, dut.frames, frames_to_payloads([frame]))
                ctx.set(dut.available, 0)
                told.append((ItemKind.FRAME, elapsed, frame))
            elif rng.random() < 0.2:
                await ctx.tick().repeat(2)
                await stream_put(ctx, dut.host, frames_to_payloads([item_bytes(ItemKind.FLUSH, time_ms=9)]))
                told.append((ItemKind.FLUSH, elapsed, b""))
            await ctx.tick().repeat(30)

    async def take(ctx):
        item = bytearray()
        async for payload in transfers(ctx, dut.o, Stalls(4, 0.2)):
            item.append(payload.data)
            if payload.last:
                items.append(bytes(item))
                item.clear()

    simulate(dut, put, background=[take], limit_cycles=80_000, engine=engine)
    assert items == [
        item_bytes(kind, time_ms=time_ms, wire_length=1234 if kind is ItemKind.FRAME else 0, body=body)
        for kind, time_ms, body in told
    ]
    assert {kind for kind, _, _ in told} == {ItemKind.FRAME, ItemKind.TICK, ItemKind.FLUSH, ItemKind.SETUP}
