"""DigestGroup: digests that come one after the other, all of an item at once."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["DigestGroup"]


class DigestGroup(wiring.Component):
    """Keeps all but the last of a group, which stays where it is until the group is taken.

    Parameters
    ----------
    count: digests of a group

    Attributes
    ----------
    i: digests
    o: a group, the first digest first
    """

    def __init__(self, *, count: int):
        self._count = count
        super().__init__(
            {"i": In(stream.Signature(64)), "o": Out(stream.Signature(data.ArrayLayout(64, count)))},
        )

    def elaborate(self, platform):
        m = Module()
        kept = Signal(64 * (self._count - 1), reset_less=True)
        number, is_last = Signal(range(self._count)), Signal()
        m.d.comb += [
            is_last.eq(number == self._count - 1),
            self.o.valid.eq(self.i.valid & is_last),
            self.o.payload.eq(Cat(kept, self.i.payload)),
            self.i.ready.eq(~is_last | self.o.ready),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += number.eq(number + 1)
            with m.If(is_last):
                m.d.sync += number.eq(0)
            with m.Else():
                m.d.sync += kept.eq(Cat(kept, self.i.payload)[64:])

        return m
