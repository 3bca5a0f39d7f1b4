"""GrayCounter: counts in one clock domain what another wants to know of."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

__all__ = ["GrayCounter"]


class GrayCounter(wiring.Component):
    """Counts modulo a power of two; its Gray code crosses, of which one bit changes at a time.

    So ``seen`` is always a value that ``count`` had, and nothing is lost as long as whoever reads the difference
    between two values does so before it reaches the modulus.

    **Latency**: 1 cycle to ``count``, and another and 2 to 3 cycles of the other domain to ``seen``.

    Parameters
    ----------
    width: bits
    i_domain, o_domain: where it counts, and where it is seen

    Attributes
    ----------
    increment, count: in ``i_domain``
    seen: ``count`` a little later, in ``o_domain``
    """

    def __init__(self, *, width: int, i_domain: str, o_domain: str):
        if width < 1:
            raise ValueError(f"Width must be at least 1 bit, not {width!r}")
        self._i_domain, self._o_domain = i_domain, o_domain
        super().__init__({"increment": In(1), "count": Out(width), "seen": Out(width)})

    def elaborate(self, platform):
        m = Module()
        width = len(self.count)
        code, crossed = Signal(width), Signal(width)
        with m.If(self.increment):
            m.d[self._i_domain] += self.count.eq(self.count + 1)
        m.d[self._i_domain] += code.eq(self.count ^ (self.count >> 1))
        m.submodules.crossing = FFSynchronizer(code, crossed, o_domain=self._o_domain)
        m.d.comb += self.seen.eq(Cat(crossed[bit:].xor() for bit in range(width)))

        return m
