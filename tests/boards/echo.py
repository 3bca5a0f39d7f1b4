"""A small component for the shells of boards."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.item import framed, framed_words
from hdl.tally import event_signature

__all__ = ["Echo"]


class Echo(wiring.Component):
    """Sends items back, as bytes; or the first byte of every word of items, as frames of bytes."""

    def __init__(self, *, frames: bool):
        self._frames = frames
        super().__init__(
            {
                "i": In(stream.Signature(framed_words(4) if frames else framed(8))),
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
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
        ]
        if self._frames:
            m.d.comb += [
                self.o.p.data.eq(self.i.p.data[24:]),
                self.o.p.first.eq(self.i.p.first),
                self.o.p.last.eq(self.i.p.last),
            ]
        else:
            m.d.comb += self.o.payload.eq(self.i.p.data)
        return m
