"""A probe with its tap link, so that compiled simulation can bring it every byte of a wire.

It has one clock. A probe that is slower than its link stands still in some of the clocks.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Array, C, DomainRenamer, EnableInserter, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect

from hdl.clock_crossing import ClockCrossing
from hdl.cobs import CobsEncoder
from hdl.item import ItemKind
from hdl.probe import Probe, ProbeParameters
from hdl.tap_link import TapLink
from hdl.word_gather import WordGather
from sim.compiled import CompiledCircuit
from sim.compiled_streams import CompiledStreams
from sim.compiling import compile_component
from sim.export_records import ExportedCounters, ExportStream
from sim.items import Item, setup_item

__all__ = ["WireProbe", "WireRun", "run_wire"]

_EPOCH_MS = 1_700_000_000_000
_KEY = 0x0123456789ABCDEF
_PREAMBLE = b"\x55" * 7 + b"\xd5"
_GAP_BYTES = 12
_QUIET_CYCLES = 200_000
_BATCH = 20_000

_CLOCK = data.StructLayout({"data": 8, "end": 1, "there": 1, "flush": 1})
"""What happens in one clock: a symbol, if there is one, or the host asks for a flush."""


class WireProbe(wiring.Component):
    """The tap link of a board, its probe, and as many bytes a second as its way out takes.

    Parameters
    ----------
    parameters: of the probe
    link_hz, probe_hz: clocks of the link, which this one is, and of the probe; the probe may be the slower one
    cycles_per_byte: of what leaves
    """

    def __init__(self, *, parameters: ProbeParameters, link_hz: int, probe_hz: int, slots: int, cycles_per_byte: int):
        self._parameters, self._link_hz, self._probe_hz = parameters, link_hz, probe_hz
        self._slots, self._cycles_per_byte = slots, cycles_per_byte
        super().__init__(
            {"i": In(stream.Signature(_CLOCK)), "o": Out(stream.Signature(8)), "ready": Out(1)},
        )

    def elaborate(self, platform):
        m = Module()
        link = TapLink(cycles_per_ms=self._link_hz // 1000, slots=self._slots)
        m.submodules.link = DomainRenamer({"rx": "sync"})(link)
        m.submodules.cobs = cobs = CobsEncoder()
        probe, moves = Probe(parameters=self._parameters), self._probe_moves(m)
        m.submodules.probe = probe if moves is None else EnableInserter(moves)(probe)
        moves = 1 if moves is None else moves
        items = link.o
        if self._parameters.pipeline is not None:
            m.submodules.gather = gather = WordGather()
            m.submodules.items = crossing = ClockCrossing(gather.o.payload.shape(), i_domain="sync", o_domain="sync")
            connect(m, link.o, gather.i)
            connect(m, gather.o, crossing.i)
            items = crossing.o
        for source, sink in ((items, probe.i), (link.overrun, probe.overrun), (probe.o, cobs.i)):
            m.d.comb += [
                sink.payload.eq(source.payload),
                sink.valid.eq(source.valid & moves),
                source.ready.eq(sink.ready & moves),
            ]
        m.d.comb += [
            self.ready.eq(probe.ready),
            self.i.ready.eq(1),
            link.symbols.valid.eq(self.i.valid & self.i.p.there),
            link.symbols.p.data.eq(self.i.p.data),
            link.symbols.p.end.eq(self.i.p.end),
        ]
        self._host(m, link)
        self._leave(m, cobs)
        return m

    def _probe_moves(self, m):
        """High in the clocks in which the probe has one; None if that is in all."""
        if self._probe_hz == self._link_hz:
            return None
        part = math.gcd(self._probe_hz, self._link_hz)
        step, whole = self._probe_hz // part, self._link_hz // part
        at = Signal(range(whole))
        m.d.sync += at.eq(Mux(at + step >= whole, at + step - whole, at + step))
        return at + step >= whole

    def _host(self, m, link):
        """A set-up at the start, and a flush when it is asked for."""
        setup = setup_item(_KEY, _EPOCH_MS).to_bytes()
        flush = Item(ItemKind.FLUSH, 0).to_bytes()
        said = setup + flush
        at, begun = Signal(range(len(said) + 1)), Signal(init=1)
        with m.If(self.i.valid & self.i.p.flush):
            m.d.sync += begun.eq(1)
        last = (at == len(setup) - 1) | (at == len(said) - 1)
        m.d.comb += [
            link.host.valid.eq(begun & (at != len(said))),
            link.host.p.data.eq(Array([C(byte, 8) for byte in said] + [C(0, 8)])[at]),
            link.host.p.first.eq((at == 0) | (at == len(setup))),
            link.host.p.last.eq(last),
        ]
        with m.If(link.host.valid & link.host.ready):
            m.d.sync += at.eq(at + 1)
            with m.If(last):
                m.d.sync += begun.eq(0)

    def _leave(self, m, cobs):
        """A byte now and then."""
        wait = Signal(range(max(self._cycles_per_byte, 2)))
        takes = wait == 0
        m.d.comb += [
            self.o.valid.eq(cobs.o.valid & takes),
            self.o.payload.eq(cobs.o.payload),
            cobs.o.ready.eq(self.o.ready & takes),
        ]
        m.d.sync += wait.eq(Mux(takes, Mux(cobs.o.valid & self.o.ready, self._cycles_per_byte - 1, 0), wait - 1))


@dataclass
class WireRun:
    """What became of a wire's frames."""

    frames: int
    cycles: int
    counters: ExportedCounters


def run_wire(
    probe: WireProbe, frames: Iterable[bytes], *, byte_cycles: float, tell: Callable[[int], None] = lambda _: None
) -> WireRun:
    """Bring frames back to back, each with preamble, FCS and the least gap, and count what came of them.

    Parameters
    ----------
    frames: with FCS
    byte_cycles: clocks that a byte takes on the wire
    """
    circuit = CompiledCircuit(compile_component(probe))
    streams = CompiledStreams(circuit)
    reader, counters, sent = ExportStream(), None, 0

    def read(chunks: Iterator[np.ndarray]) -> None:
        nonlocal counters
        for chunk in chunks:
            for entry in reader.feed(chunk.astype(np.uint8).tobytes()):
                if isinstance(entry, ExportedCounters):
                    counters = entry

    idle = np.zeros(1000, np.uint32)
    while not circuit.get("ready"):
        read(streams.put(idle, idle_cycles=_QUIET_CYCLES))
    started, begin = circuit.cycles, 0.0
    batch: list[bytes] = []

    def put(last: bool) -> None:
        nonlocal begin
        clocks, begin = _clocks(batch, byte_cycles, begin)
        read(streams.put(clocks, idle_cycles=_QUIET_CYCLES))
        batch.clear()

    for frame in frames:
        batch.append(frame)
        sent += 1
        if len(batch) == _BATCH:
            put(False)
            tell(sent)
    if batch:
        put(True)
    cycles = circuit.cycles - started
    # What is in the ring has its time to be read; then the table is emptied.
    read(streams.put(np.zeros(20_000, np.uint32), idle_cycles=_QUIET_CYCLES))
    read(streams.put(np.array([1 << _CLOCK["flush"].offset], np.uint32), idle_cycles=_QUIET_CYCLES))
    read(streams.drain(idle_cycles=_QUIET_CYCLES))
    if counters is None:
        raise RuntimeError("The probe has sent no counters")
    return WireRun(sent, cycles, counters)


def _clocks(frames: list[bytes], byte_cycles: float, begin: float) -> tuple[np.ndarray, float]:
    """One integer a clock, and the part of a clock that is left."""
    there, end = 1 << _CLOCK["there"].offset, 1 << _CLOCK["end"].offset
    symbols = []
    for frame in frames:
        run = np.frombuffer(_PREAMBLE + frame, np.uint8).astype(np.uint32) | there
        gap = np.zeros(_GAP_BYTES, np.uint32)
        gap[0] = there | end
        symbols += [run, gap]
    bytes_ = np.concatenate(symbols)
    if byte_cycles == 1:
        return bytes_, 0.0
    at = begin + np.arange(len(bytes_)) * byte_cycles
    stop = begin + len(bytes_) * byte_cycles
    clocks = np.zeros(int(stop), np.uint32)
    clocks[at.astype(np.int64)] = bytes_
    return clocks, stop - int(stop)
