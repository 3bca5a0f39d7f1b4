"""GmiiReceiver: symbols from the pins of a gigabit PHY, a byte a clock."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.symbol import symbol_signature

__all__ = ["GmiiReceiver"]


class GmiiReceiver(wiring.Component):
    """Takes a byte every clock while ``valid`` is high; RGMII is this on both edges of the clock.

    **Latency**: 1 cycle.

    Attributes
    ----------
    data, valid, error: RXD, RX_DV and RX_ER
    o: symbols
    """

    data: In(8)
    valid: In(1)
    error: In(1)
    o: Out(symbol_signature())

    def elaborate(self, platform):
        m = Module()
        before = Signal()
        m.d.sync += [
            before.eq(self.valid),
            self.o.valid.eq(self.valid | before),
            self.o.p.data.eq(self.data),
            self.o.p.end.eq(~self.valid),
            self.o.p.error.eq(self.valid & self.error),
        ]

        return m
