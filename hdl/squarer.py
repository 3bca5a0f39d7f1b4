"""Squarer: the square of a number, one of its bits a clock."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Squarer"]


class Squarer(wiring.Component):
    """Multiplies a number by itself, shift and add.

    **Latency**: ``o`` holds the square from ``width + 1`` cycles after ``start`` on, until the next start.

    Parameters
    ----------
    width: bits of the number

    Attributes
    ----------
    start: take the number that is at ``i``, whatever is under way
    i, o: the number and its square
    """

    def __init__(self, *, width: int):
        if width < 1:
            raise ValueError(f"Width must be at least 1, not {width!r}")
        self._width = width
        super().__init__({"start": In(1), "i": In(width), "o": Out(2 * width)})

    @staticmethod
    def model(number: int) -> int:
        return number * number

    def elaborate(self, platform):
        m = Module()
        width = self._width
        number, high, low = Signal(width), Signal(width), Signal(width)
        left = Signal(range(width + 1))
        total = Signal(width + 1)
        m.d.comb += [
            # The bits of the multiplier move out of the low half as those of the product move in.
            total.eq(high + Mux(low[0], number, 0)),
            self.o.eq(Cat(low, high)),
        ]
        with m.If(self.start):
            m.d.sync += [number.eq(self.i), low.eq(self.i), high.eq(0), left.eq(width)]
        with m.Elif(left != 0):
            m.d.sync += [Cat(low, high).eq(Cat(low[1:], total)), left.eq(left - 1)]

        return m
