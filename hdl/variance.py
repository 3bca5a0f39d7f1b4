"""Variance: the population variance of integers from their number, their sum and the sum of their squares."""

from amaranth.hdl import C, Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.accumulator import COUNT_BITS

__all__ = ["Variance"]

SUM_BITS = 32
SQUARES_BITS = 48
_PRODUCT_BITS = COUNT_BITS + SQUARES_BITS


class Variance(wiring.Component):
    """floor((count · squares − total²) / count²), held at the largest value when it is wider.

    The numbers have at most 16 bits, so that everything fits; the variance of no numbers is 0. Dividing twice by the
    count is the same as dividing once by its square.

    **Latency**: 193 cycles; the next one may start when the variance has been taken.

    Parameters
    ----------
    bits: of the variance

    Attributes
    ----------
    i: squares, total and count of some numbers; they hold until taken, which is when ``o`` is
    o: their variance
    """

    def __init__(self, *, bits: int):
        if not 0 < bits < _PRODUCT_BITS:
            raise ValueError(f"Bits must be 1 to {_PRODUCT_BITS - 1}, not {bits!r}")
        self._bits = bits
        sums = data.StructLayout({"squares": SQUARES_BITS, "total": SUM_BITS, "count": COUNT_BITS})
        super().__init__({"i": In(stream.Signature(sums)), "o": Out(stream.Signature(bits))})

    def model(self, squares: int, total: int, count: int) -> int:
        variance = (count * squares - total * total) // (count * count) if count else 0
        return min(variance, (1 << self._bits) - 1)

    def elaborate(self, platform):
        m = Module()
        value = Signal(_PRODUCT_BITS)
        remainder = Signal(COUNT_BITS)
        step = Signal(range(_PRODUCT_BITS))
        again = Signal()  # the second division
        operand = Signal(SQUARES_BITS)  # what is added or, inverted, subtracted: chosen a clock before it is used
        largest = (1 << self._bits) - 1
        held = Mux(value[self._bits :].any(), largest, value[: self._bits])
        m.d.comb += [
            self.o.payload.eq(Mux(self.i.p.count == 0, 0, held)),
            self.i.ready.eq(self.o.valid & self.o.ready),
        ]

        with m.FSM():
            with m.State("IDLE"):
                # The count is shorter than SUM_BITS, so its first bit is 0.
                m.d.sync += [value.eq(0), step.eq(SUM_BITS - 1), again.eq(0), operand.eq(0)]
                with m.If(self.i.valid):
                    m.next = "ADD"
            self._multiply(m, value, step, operand)
            self._divide(m, value, remainder, step, again)
            with m.State("DONE"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "IDLE"

        return m

    def _multiply(self, m, value, step, operand):
        """Both products at once, bit by bit from the highest one on: what is too little in between wraps back.

        One adder does both. Numbers that are chosen from a memory and then added would take too long for one clock.
        """
        sums = self.i.p
        count = Cat(sums.count, C(0, SUM_BITS - COUNT_BITS))
        minus, total = Signal(), Signal(_PRODUCT_BITS)
        m.d.comb += total.eq(value + Cat(operand, minus.replicate(_PRODUCT_BITS - SQUARES_BITS)) + minus)
        with m.State("ADD"):
            m.d.sync += [
                value.eq(total),
                operand.eq(~Mux(sums.total.bit_select(step, 1), sums.total, C(0, SQUARES_BITS))),
            ]
            m.next = "SUBTRACT"
        with m.State("SUBTRACT"):
            m.d.comb += minus.eq(1)
            m.d.sync += [
                value.eq(total << 1),
                operand.eq(Mux(count.bit_select((step - 1)[: len(step)], 1), sums.squares, 0)),
                step.eq(step - 1),
            ]
            m.next = "ADD"
            with m.If(step == 0):
                m.d.sync += value.eq(total)
                m.next = "DIVIDE"

    def _divide(self, m, value, remainder, step, again):
        """The bits of the dividend move out of ``value`` as those of the quotient move in."""
        difference = Signal(COUNT_BITS + 2)
        m.d.comb += difference.eq(Cat(value[-1], remainder) - self.i.p.count)
        fits = ~difference[-1]
        with m.State("DIVIDE"):
            m.d.sync += [
                remainder.eq(Mux(fits, difference, Cat(value[-1], remainder))),
                value.eq(Cat(fits, value)),
                step.eq(step - 1),
            ]
            # Ends at 0 of a step that began at -1, so after as many steps as there are bits.
            with m.If(step == 0):
                m.d.sync += [remainder.eq(0), again.eq(1)]
                with m.If(again):
                    m.next = "DONE"
