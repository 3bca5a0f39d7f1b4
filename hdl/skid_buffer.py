"""SkidBuffer: parts the ready of one side of a stream from that of the other."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["SkidBuffer"]


class SkidBuffer(wiring.Component):
    """Takes what comes in the clock in which the other side stops to take, so that ``ready`` may come from a register.

    **Latency**: 0 cycles. **Throughput**: one payload a clock.

    Parameters
    ----------
    shape: of the payload

    Attributes
    ----------
    i, o: the stream
    """

    def __init__(self, shape):
        self._shape = shape
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform):
        m = Module()
        held, holds = Signal(self._shape, reset_less=True), Signal()
        m.d.comb += [
            self.i.ready.eq(~holds),
            self.o.valid.eq(holds | self.i.valid),
            self.o.payload.eq(Mux(holds, held, self.i.payload)),
        ]
        with m.If(~holds):
            m.d.sync += held.eq(self.i.payload)
        m.d.sync += holds.eq(self.o.valid & ~self.o.ready)

        return m
