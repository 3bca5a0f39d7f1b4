"""StreamRegister: one item of a stream behind registers, so that no path leads through from either side."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["StreamRegister"]


class StreamRegister(wiring.Component):
    """Holds an item until it is taken.

    **Throughput**: an item in 2 cycles. **Latency**: 1 cycle.

    Parameters
    ----------
    shape: of the payload

    Attributes
    ----------
    i, o: items
    """

    def __init__(self, *, shape):
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform):
        m = Module()
        # No reset, whose way to all registers of a payload would only take the place of others.
        payload = Signal.like(self.o.payload, reset_less=True)
        m.d.comb += [self.i.ready.eq(~self.o.valid), self.o.payload.eq(payload)]
        # The payload is taken whether there is one or not, so that little decides over many registers.
        with m.If(~self.o.valid):
            m.d.sync += [payload.eq(self.i.payload), self.o.valid.eq(self.i.valid)]
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)

        return m
