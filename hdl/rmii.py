"""RmiiReceiver: symbols from the pins of a 100 Mb/s PHY, two bits a clock of 50 MHz."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.crc.catalog import CRC32_ETHERNET
from amaranth.lib.wiring import In, Out

from hdl.symbol import symbol_signature

__all__ = ["RmiiReceiver"]

_PREAMBLE = 0x55


class RmiiReceiver(wiring.Component):
    """Finds where bytes begin, and takes a byte every four clocks from there.

    The start delimiter is the first byte of a carrier that has the upper bit of a pair set, in its last pair, so it
    says where bytes end. Before it, what looks like preamble is passed on as often as it comes by. Behind it, CRS_DV is
    low in the first clock of each half of a byte once the carrier has gone, and high in the second one as long as there
    is more (RMII 1.2, 5.3.2), so the second one decides. A part of a byte at the end is left out, as IEEE 802.3 does.

    10 Mb/s, which holds each pair for ten clocks, is not understood: its carriers end as bad frames.

    An end has ``error`` when the FCS of the whole bytes after the start delimiter is wrong: two bits a clock take less
    logic than a byte does.

    **Latency**: 2 cycles.

    Attributes
    ----------
    data, crs_dv: the pins
    o: symbols
    """

    data: In(2)
    crs_dv: In(1)
    o: Out(symbol_signature())

    def elaborate(self, platform):
        m = Module()
        pair, carrier = Signal(2), Signal()  # of a register at the pins
        m.d.sync += [pair.eq(self.data), carrier.eq(self.crs_dv)]
        byte, earlier = Signal(8), Signal(6)
        m.d.comb += byte.eq(Cat(earlier, pair))
        m.d.sync += [earlier.eq(byte[2:]), self.o.valid.eq(0), self.o.p.data.eq(byte), self.o.p.end.eq(0)]
        at, right = Signal(2), Signal()
        m.submodules.fcs = fcs = CRC32_ETHERNET(data_width=2).create()
        m.d.comb += fcs.data.eq(pair)
        m.d.sync += self.o.p.error.eq(0)

        with m.FSM():
            with m.State("IDLE"):
                with m.If(carrier):
                    m.next = "HUNT"
            with m.State("HUNT"):
                m.d.sync += at.eq(0)
                m.d.comb += fcs.start.eq(1)
                with m.If(~carrier):
                    self._end(m, wrong=1)
                with m.Elif(pair[1]):
                    m.d.sync += self.o.valid.eq(1)
                    m.next = "BYTES"
                with m.Elif(byte == _PREAMBLE):
                    m.d.sync += self.o.valid.eq(1)
            with m.State("BYTES"):
                m.d.sync += at.eq(at + 1)
                m.d.comb += fcs.valid.eq(1)
                with m.If(at == 0):
                    m.d.sync += right.eq(fcs.match_detected)
                with m.If(at[0] & ~carrier):
                    self._end(m, wrong=~right)
                with m.Elif(at == 3):
                    m.d.sync += self.o.valid.eq(1)

        return m

    def _end(self, m, *, wrong):
        m.d.sync += [self.o.valid.eq(1), self.o.p.end.eq(1), self.o.p.error.eq(wrong)]
        m.next = "IDLE"
