"""A small component for the shells of boards."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.item import framed
from hdl.tally import event_signature

__all__ = ["Echo"]


class Echo(wiring.Component):
    """Sends items back, as frames of bytes or as bytes."""

    def __init__(self, *, frames: bool):
        self._frames = frames
        super().__init__(
            {
                "i": In(stream.Signature(framed(8))),
                "overrun": In(event_signature()),
                "ready": Out(1),
                "o": Out(stream.Signature(framed(8) if frames else 8)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [
            self.ready.eq(1),
            self.overrun.ready.eq(1),
            self.o.payload.eq(self.i.payload if self._frames else self.i.p.data),
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
        ]
        return m
