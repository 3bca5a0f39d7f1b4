"""ParsedSetUp: applies set-up items and the time that ticks tell, where items come whole."""

from amaranth.hdl import Cat, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.exporter import EPOCH_BITS
from hdl.item import FrameOutcome, ItemKind
from hdl.packet import ParsedItem

__all__ = ["ParsedSetUp"]


class ParsedSetUp(wiring.Component):
    """Applies set-up items as :class:`~hdl.set_up.SetUp` does, but passes them on where there was one before.

    The table then flushes itself as for a flush, and says so by ``flushed``; flushes before it are still under way.

    **Latency**: 0 cycles.

    Attributes
    ----------
    i, o: items
    flushed: high for one clock when the table has handled a set-up item
    quiet: no record is waiting
    done: there was a set-up
    key, epoch_ms: what it said
    seconds: export time that the set-up or the last tick told, in seconds since 1970
    restart: high when a set-up takes effect
    """

    def __init__(self):
        super().__init__(
            {
                "i": In(stream.Signature(ParsedItem)),
                "o": Out(stream.Signature(ParsedItem)),
                "flushed": In(1),
                "quiet": In(1),
                "done": Out(1),
                "key": Out(64),
                "epoch_ms": Out(EPOCH_BITS),
                "seconds": Out(32),
                "restart": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        descriptor, words = self.i.p.descriptor, self.i.p.words
        m.d.comb += self.o.payload.eq(self.i.payload)

        with m.FSM():
            with m.State("PASS"):
                with m.If(self.i.valid & (descriptor.kind == ItemKind.SETUP)):
                    m.next = "LOAD"
                    with m.If(self.done):
                        m.next = "FLUSH"
                with m.Else():
                    m.d.comb += [self.o.valid.eq(self.i.valid), self.i.ready.eq(self.o.ready)]
                    tells = (descriptor.kind == ItemKind.TICK) & (descriptor.outcome == FrameOutcome.USED)
                    with m.If(self.i.valid & self.o.ready & tells):
                        m.d.sync += self.seconds.eq(words.source[0])
            with m.State("FLUSH"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "FLUSHED"
            with m.State("FLUSHED"):
                with m.If(self.flushed):
                    m.next = "QUIET"
            with m.State("QUIET"):
                with m.If(self.quiet):
                    m.next = "LOAD"
            with m.State("LOAD"):
                m.d.comb += [self.restart.eq(1), self.i.ready.eq(1)]
                m.d.sync += [
                    self.done.eq(1),
                    self.epoch_ms.eq(Cat(words.source[1], words.source[0])),
                    self.key.eq(Cat(words.source[3], words.source[2])),
                    self.seconds.eq(words.destination[0]),
                ]
                m.next = "PASS"

        return m
