"""FrameReceiver: finds the frames among the symbols of a wire and checks them."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.crc.catalog import CRC32_ETHERNET
from amaranth.lib.wiring import In, Out

from hdl.symbol import symbol_signature

__all__ = ["FCS_BYTES", "LENGTH_BITS", "LONGEST", "SHORTEST", "FrameReceiver"]

FCS_BYTES = 4

SHORTEST = 60
"""Bytes of a frame without FCS; what is shorter is a runt."""

LONGEST = 9724
"""As many as jumbo frames and their tags take."""

LENGTH_BITS = 14

_PREAMBLE = 0x55
"""The start delimiter is 0xd5."""


class FrameReceiver(wiring.Component):
    """Passes on what follows the start of a frame, FCS included, then an end that says whether it was one.

    An end has ``error`` when a symbol had one, the FCS is wrong, the frame is shorter than :data:`SHORTEST` or longer
    than ``longest``, or it has no proper start: at least one byte of preamble, nothing else, and the start delimiter.
    One that is too long is ended at once. Every run of symbols gives exactly one end, one that never ends at most one.

    **Latency**: 1 cycle. The first byte of a frame comes at least three clocks after the end of the one before.

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
        start, byte, right = Signal(), Signal(), Signal(init=1)
        if self._check:
            m.submodules.fcs = fcs = CRC32_ETHERNET(data_width=8).create()
            m.d.comb += [fcs.data.eq(self.i.p.data), fcs.start.eq(start), fcs.valid.eq(byte)]
            m.d.comb += right.eq(fcs.match_detected)
        wrong = Signal()  # of a symbol of the frame so far
        data = self.i.valid & ~self.i.p.end
        end = self.i.valid & self.i.p.end
        # The two differ in the highest bit alone.
        alike, high = ~self.i.p.error & (self.i.p.data[:7] == _PREAMBLE), self.i.p.data[7]
        m.d.sync += [self.o.valid.eq(0), self.o.payload.eq(self.i.payload)]

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
                        m.d.sync += [wrong.eq(0), self.length.eq(-FCS_BYTES)]
                        m.next = "FRAME"
                with m.If(end):
                    self._refuse(m, "GAP")
            with m.State("FRAME"):
                self._frame(m, byte, right, wrong, data, end)
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

    def _frame(self, m, byte, right, wrong, data, end):
        with m.If(data):
            m.d.comb += byte.eq(1)
            m.d.sync += [self.o.valid.eq(1), self.length.eq(self.length + 1), wrong.eq(wrong | self.i.p.error)]
            with m.If(self.length == self._longest):
                self._refuse(m, "REFUSED")
        with m.If(end):
            # From −4 on, so that nothing of less than four bytes is taken for long.
            short = (self.length < SHORTEST) | self.length[2:].all()
            m.d.sync += [self.o.valid.eq(1), self.o.p.error.eq(self.i.p.error | wrong | short | ~right)]
            m.next = "GAP"
