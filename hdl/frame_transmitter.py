"""FrameTransmitter: frames onto a wire, with all that the wire has around them."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.crc.catalog import CRC32_ETHERNET
from amaranth.lib.wiring import In, Out

from hdl.frame_receiver import FCS_BYTES, SHORTEST
from hdl.item import framed

__all__ = ["FrameTransmitter"]

_PREAMBLE_BYTES, _PREAMBLE, _START = 8, 0x55, 0xD5
_GAP_BYTES = 12


class FrameTransmitter(wiring.Component):
    """Sends preamble, frame, padding up to the shortest frame, FCS, and a gap of 12 bytes.

    **Latency**: 2 cycles to the preamble. **Throughput**: a byte a clock.

    Attributes
    ----------
    i: frames, all bytes of one without a gap
    data, valid: TXD and TX_EN of GMII
    """

    i: In(stream.Signature(framed(8)))
    data: Out(8)
    valid: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.submodules.fcs = fcs = CRC32_ETHERNET(data_width=8).create()
        count = Signal(range(SHORTEST + 1))
        short = count < SHORTEST - 1
        m.d.sync += [self.valid.eq(0), count.eq(count + 1)]

        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += count.eq(0)
                m.d.comb += fcs.start.eq(1)
                with m.If(self.i.valid):
                    m.next = "PREAMBLE"
            with m.State("PREAMBLE"):
                m.d.sync += self.data.eq(_PREAMBLE)
                m.d.sync += self.valid.eq(1)
                with m.If(count == _PREAMBLE_BYTES - 1):
                    m.d.sync += [self.data.eq(_START), count.eq(0)]
                    m.next = "FRAME"
            with m.State("FRAME"):
                m.d.comb += [self.i.ready.eq(1), fcs.data.eq(self.i.p.data), fcs.valid.eq(1)]
                m.d.sync += [self.data.eq(self.i.p.data), self.valid.eq(1), count.eq(Mux(short, count + 1, count))]
                with m.If(self.i.p.last):
                    m.next = "PADDING"
                    with m.If(~short):
                        m.d.sync += count.eq(0)
                        m.next = "FCS"
            with m.State("PADDING"):
                m.d.comb += fcs.valid.eq(1)
                m.d.sync += [self.data.eq(0), self.valid.eq(1)]
                with m.If(~short):
                    m.d.sync += count.eq(0)
                    m.next = "FCS"
            with m.State("FCS"):
                m.d.sync += [self.data.eq(fcs.crc.word_select(count[:2], 8)), self.valid.eq(1)]
                with m.If(count == FCS_BYTES - 1):
                    m.d.sync += count.eq(0)
                    m.next = "GAP"
            with m.State("GAP"):
                # A clock at rest and one to begin are part of it.
                with m.If(count == _GAP_BYTES - 2):
                    m.next = "IDLE"

        return m
