"""The pins of a 100 Mb/s PHY to items: what the iCEBreaker does, at its clocks."""

import random
from collections import Counter

from amaranth.hdl import DomainRenamer, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hdl.item import FrameOutcome, ItemKind, framed
from hdl.rmii import RmiiReceiver
from hdl.tally import event_signature
from hdl.tap_link import TapLink
from sim.testbench import simulate, transfers
from tests.hdl.test_rmii import pairs
from tests.hdl.wire import damaged_run, good_run

_RX_PERIOD = 24 / 50


class RmiiTap(wiring.Component):
    data: In(2)
    crs_dv: In(1)
    o: Out(stream.Signature(framed(8)))
    overrun: Out(event_signature())

    def elaborate(self, platform):
        m = Module()
        phy, tap = RmiiReceiver(), TapLink(cycles_per_ms=24_000, slots=4, snap=60, longest=150, check=False)
        m.submodules.phy = DomainRenamer("rx")(phy)
        m.submodules.tap = tap
        connect(m, phy.o, tap.symbols)
        connect(m, tap.o, flipped(self.o))
        connect(m, tap.overrun, flipped(self.overrun))
        m.d.comb += [phy.data.eq(self.data), phy.crs_dv.eq(self.crs_dv)]
        return m


def run(carriers, gap):
    """Frames that came and frames that were counted, of bytes under each carrier."""
    dut = RmiiTap()
    frames, drops = [], Counter()

    async def put(ctx):
        for content in carriers:
            for data in pairs(content):
                ctx.set(dut.data, data)
                ctx.set(dut.crs_dv, 1)
                await ctx.tick("rx")
            ctx.set(dut.data, 0)
            ctx.set(dut.crs_dv, 0)
            await ctx.tick("rx").repeat(gap)
        await ctx.tick().repeat(300)

    async def take(ctx):
        item = bytearray()
        async for payload in transfers(ctx, dut.o):
            item.append(payload.data)
            if payload.last:
                if item[0] == ItemKind.FRAME:
                    frames.append((int.from_bytes(item[1:4], "big"), bytes(item[8:])))
                item.clear()

    async def count(ctx):
        async for event in transfers(ctx, dut.overrun):
            drops[FrameOutcome(event.index)] += event.amount

    limit_cycles = 1000 + sum(4 * len(content) + gap for content in carriers)
    simulate(dut, put, background=[take, count], limit_cycles=limit_cycles, clocks={"rx": _RX_PERIOD})
    return frames, drops


def test_minimum_frames_back_to_back():
    rng = random.Random(1)
    sent = [rng.randbytes(60) for _ in range(25)]
    frames, drops = run([good_run(frame).content for frame in sent], gap=4 * 12)
    assert frames == [(60, frame) for frame in sent]
    assert not drops


def test_good_and_damaged_frames():
    rng = random.Random(2)
    runs = []
    while len(runs) < 40:
        made = damaged_run(rng, 150) if rng.random() < 0.5 else good_run(rng.randbytes(rng.randint(60, 150)))
        # Of the damage there is, RMII tells no errors, and finds its bytes behind zeros in a preamble.
        if not made.errors and made.content[:1] == b"\x55" and b"\x54" not in made.content[:3]:
            runs.append(made)
    frames, drops = run([made.content for made in runs], gap=4 * 12)
    good = [made.frame for made in runs if made.frame is not None]
    assert frames == [(len(frame), frame[:60]) for frame in good]
    assert drops == {FrameOutcome.BAD_FCS: len(runs) - len(good)}
