"""CobsDecoder: frames of bytes from a line that knows only bytes."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.cobs import cobs_decode
from hdl.symbol import symbol_signature

__all__ = ["CobsDecoder"]


class CobsDecoder(wiring.Component):
    """Turns what a :class:`hdl.cobs.CobsEncoder` made back into frames, each with an end.

    An end has ``error`` when a block was cut, or a byte had one. Nothing between two zeros is nothing.

    **Latency**: 0 cycles.

    Attributes
    ----------
    i: bytes
    o: symbols
    """

    model = staticmethod(cobs_decode)

    i: In(symbol_signature())
    o: Out(symbol_signature())

    def elaborate(self, platform):
        m = Module()
        left, longest = Signal(8), Signal()  # of a block; it is one of 254 bytes, behind which no zero is meant
        empty, wrong = Signal(init=1), Signal()
        zero, code = Signal(), Signal()
        m.d.comb += [
            zero.eq(self.i.p.data == 0),
            code.eq(left == 0),
            self.o.p.end.eq(zero),
            self.o.p.error.eq(zero & (wrong | ~code | self.i.p.error)),
        ]
        with m.If(~code):
            m.d.comb += self.o.p.data.eq(self.i.p.data)

        with m.If(self.i.valid):
            with m.If(zero):
                m.d.comb += self.o.valid.eq(~empty)
                m.d.sync += [left.eq(0), empty.eq(1), wrong.eq(0)]
            with m.Else():
                m.d.sync += [left.eq(left - 1), empty.eq(0), wrong.eq(wrong | self.i.p.error)]
                m.d.comb += self.o.valid.eq(~code | ~(empty | longest))
                with m.If(code):
                    m.d.sync += [left.eq(self.i.p.data - 1), longest.eq(self.i.p.data == 0xFF)]

        return m
