"""SpiLink: items over a serial peripheral interface, one per chip select."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import cdc, stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.item import FrameOutcome, framed
from hdl.tally import event_signature

__all__ = ["SpiLink"]


class SpiLink(wiring.Component):
    """Receives in mode 0, most significant bit first; the clock may be up to a quarter of ours.

    Chip select frames an item: it begins with the first byte and ends when chip select rises. Whether there is room
    for it is decided when chip select falls, and ``cipo`` says so during the whole item: high, it is taken; low, it is
    dropped whole and counted as overrun, and the host may send it again.

    **Latency**: a byte is passed on when the next one has come or chip select has risen.

    Attributes
    ----------
    sck, copi, cs_n, cipo: the pins
    o: items; ``ready`` must stay high from the first byte of an item to its last
    overrun: counts dropped items
    """

    def __init__(self):
        super().__init__(
            {
                "sck": In(1),
                "copi": In(1),
                "cs_n": In(1),
                "cipo": Out(1),
                "o": Out(stream.Signature(framed(8))),
                "overrun": Out(event_signature()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        sck, copi, selected = Signal(), Signal(), Signal()
        for pin, inner in ((self.sck, sck), (self.copi, copi), (~self.cs_n, selected)):
            m.submodules += cdc.FFSynchronizer(pin, inner)
        sck_before, selected_before = Signal(), Signal()
        m.d.sync += [sck_before.eq(sck), selected_before.eq(selected)]

        shift, bits = Signal(7), Signal(3)
        held, holds, first = Signal(8), Signal(), Signal()
        taking = Signal()
        sampled = selected & sck & ~sck_before
        byte_done = sampled & (bits == 7)
        with m.If(sampled):
            m.d.sync += [shift.eq(Cat(copi, shift)), bits.eq(bits + 1)]
        with m.If(byte_done):
            m.d.sync += [held.eq(Cat(copi, shift)), holds.eq(1)]
        with m.If(selected & ~selected_before):
            m.d.sync += [bits.eq(0), holds.eq(0), first.eq(1), taking.eq(self.o.ready)]

        m.d.comb += [
            self.cipo.eq(taking),
            self.o.p.data.eq(held),
            self.o.p.first.eq(first),
            self.o.p.last.eq(~selected),
            self.overrun.p.index.eq(FrameOutcome.OVERRUN),
            self.overrun.p.amount.eq(1),
        ]
        ends = ~selected & selected_before
        with m.If(holds & taking & (byte_done | ends)):
            m.d.comb += self.o.valid.eq(1)
            m.d.sync += first.eq(0)
        self._count_dropped(m, ends & holds & ~taking)
        with m.If(ends):
            m.d.sync += [holds.eq(0), taking.eq(0)]

        return m

    def _count_dropped(self, m, drops):
        # Several may wait to be counted: while counters are copied, an item of one byte can end every 32 clocks.
        dropped, counted, waiting = Signal(), Signal(), Signal(4)
        m.d.comb += [
            dropped.eq(drops),
            self.overrun.valid.eq(waiting != 0),
            counted.eq(self.overrun.valid & self.overrun.ready),
        ]
        m.d.sync += waiting.eq(waiting + dropped - counted)
