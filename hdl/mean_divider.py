"""MeanDivider: floor(total · 2^fraction / count), one quotient bit a clock."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.accumulator import COUNT_BITS

__all__ = ["MeanDivider"]


class MeanDivider(wiring.Component):
    """Restoring division of a sum by the number of its parts.

    Each part has at most 16 bits, so that the upper half of the sum is less than the count and only the lower half
    and the fraction take steps. The mean of no parts is 0.

    **Latency**: 17 + fraction cycles; the next division may start when the quotient has been taken.

    Parameters
    ----------
    fraction: bits behind the point of the quotient

    Attributes
    ----------
    i: total (32 bits) and count (16 bits); they hold until taken, which is when ``o`` is
    o: quotient, 16 + fraction bits
    """

    def __init__(self, *, fraction: int):
        if fraction < 0:
            raise ValueError(f"Fraction must be 0 or more bits, not {fraction!r}")
        self._fraction = fraction
        super().__init__(
            {
                "i": In(stream.Signature(data.StructLayout({"total": 32, "count": COUNT_BITS}))),
                "o": Out(stream.Signature(COUNT_BITS + fraction)),
            }
        )

    def model(self, total: int, count: int) -> int:
        return (total << self._fraction) // count if count else 0

    def elaborate(self, platform):
        m = Module()
        steps = COUNT_BITS + self._fraction
        remainder = Signal(COUNT_BITS)
        shift = Signal(steps)  # what is left of the total moves out as the quotient moves in
        step = Signal(range(steps + 1))
        difference = Signal(COUNT_BITS + 2)
        m.d.comb += difference.eq(Cat(shift[-1], remainder) - self.i.p.count)
        fits = ~difference[-1]
        m.d.comb += [
            self.o.payload.eq(Mux(self.i.p.count == 0, 0, shift)),
            self.i.ready.eq(self.o.valid & self.o.ready),
        ]

        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [
                    remainder.eq(self.i.p.total[COUNT_BITS:]),
                    shift.eq(self.i.p.total[:COUNT_BITS] << self._fraction),
                    step.eq(0),
                ]
                with m.If(self.i.valid):
                    m.next = "DIVIDE"
            with m.State("DIVIDE"):
                m.d.sync += [
                    remainder.eq(Mux(fits, difference, Cat(shift[-1], remainder))),
                    shift.eq(Cat(fits, shift)),
                    step.eq(step + 1),
                ]
                with m.If(step == steps - 1):
                    m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "IDLE"

        return m
