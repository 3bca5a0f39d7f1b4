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

_PREAMBLE, _START = 0x55, 0xD5


class FrameReceiver(wiring.Component):
    """Passes on what follows the start of a frame, FCS included, then an end that says whether it was one.

    An end has ``error`` when a symbol had one, the FCS is wrong, the frame is shorter than :data:`SHORTEST` or longer
    than ``longest``, or it has no proper start: at least one byte of preamble, nothing else, and the start delimiter.
    One that is too long is ended at once. Every run of symbols gives exactly one end, one that never ends at most one.

    **Latency**: 1 cycle. The first byte of a frame comes at least three clocks after the end of the one before.

    Parameters
    ----------
    longest: bytes without FCS

    Attributes
    ----------
    i, o: symbols
    length: bytes of the frame without FCS, those of ``o`` included; it begins at −4 and wraps to 0
    """

    def __init__(self, *, longest: int = LONGEST):
        if not SHORTEST <= longest < (1 << LENGTH_BITS) - FCS_BYTES:
            raise ValueError(f"Longest frame must have {SHORTEST} to 16379 bytes, not {longest!r}")
        self._longest = longest
        super().__init__({"i": In(symbol_signature()), "o": Out(symbol_signature()), "length": Out(LENGTH_BITS)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.fcs = fcs = CRC32_ETHERNET(data_width=8).create()
        m.d.comb += fcs.data.eq(self.i.p.data)
        wrong = Signal()  # of a symbol of the frame so far
        data = self.i.valid & ~self.i.p.end
        end = self.i.valid & self.i.p.end
        preamble = ~self.i.p.error & (self.i.p.data == _PREAMBLE)
        m.d.sync += [self.o.valid.eq(0), self.o.payload.eq(self.i.payload)]

        with m.FSM():
            with m.State("GAP"):
                with m.If(data):
                    m.next = "LOST"
                    with m.If(preamble):
                        m.next = "PREAMBLE"
            with m.State("PREAMBLE"):
                with m.If(data & ~preamble):
                    m.next = "LOST"
                    with m.If(~self.i.p.error & (self.i.p.data == _START)):
                        m.d.comb += fcs.start.eq(1)
                        m.d.sync += [wrong.eq(0), self.length.eq(-FCS_BYTES)]
                        m.next = "FRAME"
                with m.If(end):
                    self._refuse(m, "GAP")
            with m.State("FRAME"):
                self._frame(m, fcs, wrong, data, end)
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

    def _frame(self, m, fcs, wrong, data, end):
        with m.If(data):
            m.d.comb += fcs.valid.eq(1)
            m.d.sync += [self.o.valid.eq(1), self.length.eq(self.length + 1), wrong.eq(wrong | self.i.p.error)]
            with m.If(self.length == self._longest):
                self._refuse(m, "REFUSED")
        with m.If(end):
            # From −4 on, so that nothing of less than four bytes is taken for long.
            short = (self.length < SHORTEST) | self.length[2:].all()
            m.d.sync += [self.o.valid.eq(1), self.o.p.error.eq(self.i.p.error | wrong | short | ~fcs.match_detected)]
            m.next = "GAP"
