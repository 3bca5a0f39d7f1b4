"""ClockCrossing: a stream from the clock of a link to that of a probe, or back."""

from amaranth.hdl import DomainRenamer, Module, Shape
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hdl.skid_buffer import SkidBuffer

__all__ = ["ClockCrossing"]

_DEPTH = 16
"""As many words as a memory in logic of the ECP5 holds; enough that neither side waits for news of the other."""


class ClockCrossing(wiring.Component):
    """Payloads go from domain ``i_domain`` to domain ``o_domain``, in their order.

    ``i.ready`` comes from a register, and ``o.ready`` ends in one, so that no path of either side leads through here.

    **Throughput**: a payload a clock of the slower side.

    Parameters
    ----------
    shape: of the payload

    Attributes
    ----------
    i, o: the stream
    """

    def __init__(self, shape, *, i_domain: str, o_domain: str):
        self._shape, self._i_domain, self._o_domain = shape, i_domain, o_domain
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.fifo = crossing = fifo.AsyncFIFO(
            width=Shape.cast(self._shape).width, depth=_DEPTH, w_domain=self._i_domain, r_domain=self._o_domain
        )
        before, behind = SkidBuffer(self._shape), SkidBuffer(self._shape)
        m.submodules.before = DomainRenamer(self._i_domain)(before)
        m.submodules.behind = DomainRenamer(self._o_domain)(behind)
        connect(m, flipped(self.i), before.i)
        m.d.comb += [
            crossing.w_data.eq(before.o.payload),
            crossing.w_en.eq(before.o.valid),
            before.o.ready.eq(crossing.w_rdy),
            behind.i.payload.eq(crossing.r_data),
            behind.i.valid.eq(crossing.r_rdy),
            crossing.r_en.eq(behind.i.ready),
        ]
        connect(m, behind.o, flipped(self.o))

        return m
