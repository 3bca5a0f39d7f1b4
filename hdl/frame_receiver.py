"""FrameReceiver: finds the frames among the symbols of a wire and checks them."""

from dataclasses import dataclass

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.crc.catalog import CRC32_ETHERNET
from amaranth.lib.wiring import In, Out

from hdl.symbol import Symbol, symbol_signature

__all__ = ["FCS_BYTES", "LENGTH_BITS", "LONGEST", "SHORTEST", "FrameReceiver"]

FCS_BYTES = 4

SHORTEST = 60
"""Bytes of a frame without FCS; what is shorter is a runt."""

LONGEST = 9724
"""As many as jumbo frames and their tags take."""

LENGTH_BITS = 14

_PREAMBLE = 0x55
"""The start delimiter is 0xd5."""


@dataclass(frozen=True)
class _Frame:
    """Of the frame so far: a symbol had an error; it is long enough; it may not become longer."""

    wrong: Signal
    enough: Signal
    full: Signal


class FrameReceiver(wiring.Component):
    """Passes on what follows the start of a frame, FCS included, then an end that says whether it was one.

    An end has ``error`` when a symbol had one, the FCS is wrong, the frame is shorter than :data:`SHORTEST` or longer
    than ``longest``, or it has no proper start: at least one byte of preamble, nothing else, and the start delimiter.
    One that is too long is ended at once. Every run of symbols gives exactly one end, one that never ends at most one.

    **Latency**: 2 cycles. The first byte of a frame comes at least three clocks after the end of the one before.

    Parameters
    ----------
    longest: bytes without FCS
    check: the FCS is looked at here; else an end has ``error`` when it is wrong

    Attributes
    ----------
    i, o: symbols
    length: bytes of the frame without FCS, those of ``o`` included; it begins at −4 and wraps to 0
    """

    def __init__(self, *, longest: int = LONGEST, check: bool = True):
        if not SHORTEST <= longest < (1 << LENGTH_BITS) - FCS_BYTES:
            raise ValueError(f"Longest frame must have {SHORTEST} to 16379 bytes, not {longest!r}")
        self._longest, self._check = longest, check
        super().__init__({"i": In(symbol_signature()), "o": Out(symbol_signature()), "length": Out(LENGTH_BITS)})

    def elaborate(self, platform):
        m = Module()
        symbol, valid, alike = Signal(Symbol), Signal(), Signal()
        # A preamble and the start delimiter differ in the highest bit alone.
        m.d.sync += [
            symbol.eq(self.i.payload),
            valid.eq(self.i.valid),
            alike.eq(~self.i.p.error & (self.i.p.data[:7] == _PREAMBLE)),
        ]

        start, byte, right = Signal(), Signal(), Signal(init=1)
        if self._check:
            m.submodules.fcs = fcs = CRC32_ETHERNET(data_width=8).create()
            m.d.comb += [fcs.data.eq(symbol.data), fcs.start.eq(start), fcs.valid.eq(byte)]
            m.d.comb += right.eq(fcs.match_detected)
        state = _Frame(wrong=Signal(), enough=Signal(), full=Signal())
        data, end, high = valid & ~symbol.end, valid & symbol.end, symbol.data[7]
        m.d.sync += [self.o.valid.eq(0), self.o.payload.eq(symbol)]

        with m.FSM():
            with m.State("GAP"):
                with m.If(data):
                    m.next = "LOST"
                    with m.If(alike & ~high):
                        m.next = "PREAMBLE"
            with m.State("PREAMBLE"):
                with m.If(data & ~(alike & ~high)):
                    m.next = "LOST"
                    with m.If(alike):
                        m.d.comb += start.eq(1)
                        m.d.sync += [signal.eq(0) for signal in (state.wrong, state.enough, state.full)]
                        m.d.sync += self.length.eq(-FCS_BYTES)
                        m.next = "FRAME"
                with m.If(end):
                    self._refuse(m, "GAP")
            with m.State("FRAME"):
                self._frame(m, symbol.error, byte, right, state, data, end)
            with m.State("LOST"):
                with m.If(end):
                    self._refuse(m, "GAP")
            with m.State("REFUSED"):
                with m.If(end):
                    m.next = "GAP"

        return m

    def _refuse(self, m, following):
        m.d.sync += [self.o.valid.eq(1), self.o.p.end.eq(1), self.o.p.error.eq(1)]
        m.next = following

    def _frame(self, m, error, byte, right, state, data, end):
        with m.If(data):
            m.d.comb += byte.eq(1)
            m.d.sync += [
                self.o.valid.eq(1),
                self.length.eq(self.length + 1),
                state.wrong.eq(state.wrong | error),
                state.enough.eq(state.enough | (self.length == SHORTEST - 1)),
                state.full.eq(self.length == self._longest - 1),
            ]
            with m.If(state.full):
                self._refuse(m, "REFUSED")
        with m.If(end):
            m.d.sync += [self.o.valid.eq(1), self.o.p.error.eq(error | state.wrong | ~state.enough | ~right)]
            m.next = "GAP"
