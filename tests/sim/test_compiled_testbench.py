"""Testbenches on both simulators: the whole probe clock by clock, waveforms, a time limit, what cannot be asked for."""

from pathlib import Path

import pytest
from amaranth.hdl import Module, signed
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out

from hdl.item import ItemKind
from hdl.probe_line import ProbeLine
from sim.items import setup_item
from sim.replay import TEST_KEY, capture_items, read_probe
from sim.testbench import SIMULATORS, Stalls, frames_to_payloads, simulate, stream_get, stream_put

SLICE = Path(__file__).parents[2] / "training" / "data" / "test.pcap.gz"


def test_the_whole_probe_clock_by_clock(mail_probe):
    capture = capture_items(SLICE, limit=20, headers_only=True)
    items = [setup_item(TEST_KEY, capture.epoch_ms), *capture.items]
    assert items[-1].kind is ItemKind.FLUSH
    parameters = read_probe(mail_probe).parameters
    sent = {engine: [] for engine in SIMULATORS}
    for engine, log in sent.items():
        dut = ProbeLine(parameters=parameters)

        async def feed(ctx, dut=dut):
            payloads = frames_to_payloads(item.to_bytes() for item in items)
            await stream_put(ctx, dut.i, payloads, Stalls(1, 0.05))
            await ctx.tick().repeat(6000)

        async def collect(ctx, dut=dut, log=log):
            stalls, clock = Stalls(2), 0
            async for _, _, valid, ready, byte in ctx.tick().sample(dut.o.valid, dut.o.ready, dut.o.payload):
                clock += 1
                if valid and ready:
                    log.append((clock, byte))
                ctx.set(dut.o.ready, not stalls.now())

        simulate(dut, feed, background=[collect], limit_cycles=100_000, engine=engine)
    assert sent["compiled"] == sent["amaranth"]
    assert len(sent["compiled"]) > 1000


class Kind(enum.Enum, shape=2):
    """What :class:`Register` may be told."""

    KEEP = 0
    TAKE = 1


PAIR = data.StructLayout({"low": 3, "high": signed(4)})


class Register(wiring.Component):
    """Ports of every kind of shape."""

    kind: In(Kind)
    taken: In(PAIR)
    pair: Out(PAIR)
    difference: Out(signed(6))
    none: Out(0)

    def elaborate(self, platform):
        m = Module()
        with m.If(self.kind == Kind.TAKE):
            m.d.sync += self.pair.eq(self.taken)
        m.d.comb += self.difference.eq(self.taken.high - self.taken.low)
        return m


@pytest.mark.parametrize("engine", SIMULATORS)
def test_ports_of_every_shape(engine, tmp_path):
    dut, seen = Register(), []

    async def first(ctx):
        ctx.set(dut.taken, {"low": 5, "high": -3})
        assert ctx.get(dut.difference) == -8
        assert ctx.get(dut.none) == 0
        kind, pair = await ctx.tick().sample(dut.kind, dut.pair).repeat(2)
        assert kind is Kind.TAKE
        assert (pair.low, pair.high) == (5, -3)
        ctx.set(dut.taken, ctx.get(dut.pair))
        clock, reset, difference = await ctx.tick().sample(dut.difference)
        assert (bool(clock), bool(reset), difference) == (True, False, -8)

    async def second(ctx):
        ctx.set(dut.kind, Kind.TAKE)
        async for _, _, pair in ctx.tick().sample(dut.pair):
            seen.append(pair.as_bits())

    simulate(dut, first, background=[second], limit_cycles=10, vcd=str(tmp_path / "r.vcd"), engine=engine)
    assert seen == [0, 0b1101_101, 0b1101_101]
    assert "difference" in (tmp_path / "r.vcd").read_text()


@pytest.mark.parametrize("engine", SIMULATORS)
def test_a_run_that_does_not_end(engine):
    async def wait(ctx):
        while True:
            await ctx.tick()

    with pytest.raises(TimeoutError, match="^No end after 20 cycles$"):
        simulate(Register(), wait, limit_cycles=20, engine=engine)


@pytest.mark.parametrize("engine", SIMULATORS)
def test_repeating_never(engine):
    async def wait(ctx):
        await ctx.tick()
        await ctx.tick().repeat(0)

    with pytest.raises(ValueError, match="^Repeat count must be a positive integer, not 0$"):
        simulate(Register(), wait, limit_cycles=20, engine=engine)


def test_what_a_compiled_circuit_does_not_tell():
    dut = Register()

    async def look(ctx):
        ctx.get(dut.pair.low)

    with pytest.raises(TypeError, match="^A compiled circuit has values of whole ports only, not of "):
        simulate(dut, look, limit_cycles=20, engine="compiled")


@pytest.mark.parametrize("engine", SIMULATORS)
def test_a_stream_is_read(engine, mail_probe):
    """The first thing that a probe says when it is set up is a frame that a zero ends."""
    dut = ProbeLine(parameters=read_probe(mail_probe).parameters)
    frame = []

    async def run(ctx):
        await stream_put(ctx, dut.i, frames_to_payloads([setup_item(TEST_KEY, 0).to_bytes()]))
        while not frame or frame[-1]:
            frame.append(await stream_get(ctx, dut.o, Stalls(1)))

    simulate(dut, run, limit_cycles=20_000, engine=engine)
    assert len(frame) > 100
