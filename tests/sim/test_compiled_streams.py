"""Streams of compiled circuits: each payload in the clock of Amaranth's simulator, and an end to waiting."""

import itertools

import numpy as np
import pytest
from amaranth.hdl import ClockDomain, ClockSignal, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from compiler.emit import rtlil_text
from sim.compiled import CompiledCircuit
from sim.compiled_streams import CompiledStreams, Pauses
from sim.compiling import compile_circuit
from sim.testbench import simulate, stream_put

STUCK = 0xBAD


class Slow(wiring.Component):
    """Gives each payload with the number of clocks so far behind it, a register later; is stuck at one of them.

    With ``falling``, clocks are counted at falling edges.
    """

    def __init__(self, *, falling=False, bits=16):
        self._falling = falling
        super().__init__({"i": In(stream.Signature(bits)), "o": Out(stream.Signature(bits + 16))})

    def elaborate(self, platform):
        m = Module()
        m.domains.count = ClockDomain(clk_edge="neg" if self._falling else "pos", reset_less=True, local=True)
        m.d.comb += ClockSignal("count").eq(ClockSignal("sync"))

        clocks = Signal(16)
        m.d["count" if self._falling else "sync"] += clocks.eq(clocks + 1)
        m.d.comb += self.i.ready.eq((~self.o.valid | self.o.ready) & (self.i.payload != STUCK))
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [self.o.payload.eq(self.i.payload << 16 | clocks), self.o.valid.eq(1)]

        return m


def compiled(dut):
    return CompiledCircuit(compile_circuit(rtlil_text(dut, "top"), "top", optimise=False))


def given(parts):
    return [int(word) for part in parts for word in part]


def in_amaranth(dut, payloads):
    """What comes out when nothing ever waits."""
    out = []

    async def feed(ctx):
        await stream_put(ctx, dut.i, payloads)
        await ctx.tick().repeat(5)

    async def collect(ctx):
        ctx.set(dut.o.ready, 1)
        async for _, _, valid, payload in ctx.tick().sample(dut.o.valid, dut.o.payload):
            if valid:
                out.append(payload)

    simulate(dut, feed, background=[collect], limit_cycles=10_000)
    return out


@pytest.mark.parametrize("falling", [False, True])
def test_payloads_in_the_clocks_of_the_simulator(falling, tmp_path):
    payloads = np.arange(1000, 2000)
    circuit = compiled(Slow(falling=falling))
    streams = CompiledStreams(circuit)
    out = given(streams.put(payloads, idle_cycles=10)) + given(streams.drain(idle_cycles=10))
    assert out == in_amaranth(Slow(falling=falling), payloads.tolist())
    assert circuit.cycles == len(payloads) + 11
    watched = compiled(Slow(falling=falling))
    streams = CompiledStreams(watched)
    with watched.waveforms(tmp_path / "slow.vcd"):
        assert given(streams.put(payloads, idle_cycles=10)) + given(streams.drain(idle_cycles=10)) == out
    assert watched.cycles == circuit.cycles


def test_more_than_one_call_holds():
    payloads = np.arange(100_000) & 0x7FF
    streams = CompiledStreams(compiled(Slow()))
    parts = [*streams.put(payloads, idle_cycles=10), *streams.drain(idle_cycles=10)]
    assert len(parts) > 3
    assert [word >> 16 for word in given(parts)] == payloads.tolist()


def test_pauses():
    payloads = np.arange(5000) & 0x7FF
    clocks = {}
    for seed in (1, 1, 2):
        circuit = compiled(Slow())
        streams = CompiledStreams(circuit, pauses=Pauses(seed, before_input=0.5, of_output=0.25))
        out = []
        # Batches are one stream.
        for batch in np.split(payloads, 5):
            out += given(streams.put(batch, idle_cycles=100))
        out += given(streams.drain(idle_cycles=100))
        assert [word >> 16 for word in out] == payloads.tolist()
        assert 10_000 < circuit.cycles < 14_000
        assert clocks.setdefault(seed, out) == out
    assert clocks[1] != clocks[2]


def test_what_is_done_between_clocks_is_done_in_time():
    payloads = np.arange(1, 200)
    alone = CompiledStreams(circuit := compiled(Slow()))
    expected = given(alone.put(payloads, idle_cycles=100))
    cycles, seen = circuit.cycles, []

    def between():
        seen.append(circuit.cycles)
        return 7

    streams = CompiledStreams(circuit := compiled(Slow()), between=between)
    assert given(streams.put(payloads, idle_cycles=100)) == expected
    assert circuit.cycles == cycles
    assert all(0 < later - before <= 7 for before, later in itertools.pairwise([*seen, cycles]))


@pytest.mark.parametrize("pauses", [None, Pauses(1, of_output=1.0)])
def test_an_end_to_waiting(pauses):
    payloads = [1, 2, STUCK] if pauses is None else [1, 2, 3]
    streams = CompiledStreams(compiled(Slow()), pauses=pauses)
    with pytest.raises(TimeoutError, match="^Nothing goes in or comes out for 50 cycles$"):
        given(streams.put(np.array(payloads), idle_cycles=50))


def test_payloads_that_are_too_wide():
    with pytest.raises(ValueError, match="^Payloads that come out must be of at most 32 bits, not 33$"):
        CompiledStreams(compiled(Slow(bits=17)))
