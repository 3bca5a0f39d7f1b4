"""DatagramReceiver: what the datagrams among the frames of a wire bring to a port of ours."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.datagram import (
    BROADCAST_IP,
    BROADCAST_MAC,
    DONT_FRAGMENT,
    HEADER_BYTES,
    IPV4,
    UDP,
    UDP_HEADER_BYTES,
    VERSION_4,
    Header,
    Peer,
    Station,
)
from hdl.frame_receiver import LENGTH_BITS
from hdl.item import framed
from hdl.symbol import symbol_signature

__all__ = ["DatagramReceiver"]

_ETHERNET_BYTES, _IPV4_BYTES = 14, 20


class DatagramReceiver(wiring.Component):
    """Takes frames at a byte a clock and passes on the payload of datagrams that are for us.

    Every frame ends in an end, which has ``error`` unless it is UDP over IPv4 to our address or to all, to our port,
    whole and in one piece, with lengths that agree and a right checksum of the IPv4 header. The checksum of UDP is not
    looked at: the FCS covers what it does.

    **Latency**: 0 cycles. **Throughput**: a byte a clock, and one more cycle a frame.

    Parameters
    ----------
    station: our addresses

    Attributes
    ----------
    i, wire_length: frames that are good, from a :class:`hdl.frame_ring.FrameRing`
    o: symbols
    peer: who sent the datagram, from its end on until the addresses of another have come
    """

    def __init__(self, *, station: Station):
        self._station = station
        super().__init__(
            {
                "i": In(stream.Signature(framed(8))),
                "wire_length": In(LENGTH_BITS),
                "o": Out(symbol_signature()),
                "peer": Out(Peer),
            }
        )

    def elaborate(self, platform):
        m = Module()
        offset, wrong = Signal(range(HEADER_BYTES + 1)), Signal()
        earlier = Signal(40)
        recent = Cat(self.i.p.data, earlier)
        left, total = Signal(16), Signal(16)
        m.d.comb += self.o.p.data.eq(self.i.p.data)
        # What is wrong with a byte is known a clock later, which is early enough for the end of a whole header.
        failures = Cat(self._failures(m, offset, recent, total, left))
        failed = Signal.like(failures)
        m.d.sync += [failed.eq(Mux(self.i.valid & self.i.ready, failures, 0)), wrong.eq(wrong | failed.any())]

        with m.FSM():
            with m.State("BYTES"):
                m.d.comb += [self.i.ready.eq(1), self.o.valid.eq(self.i.valid & (offset == HEADER_BYTES) & (left != 0))]
                with m.If(self.i.valid):
                    m.d.sync += earlier.eq(recent)
                    with m.If(offset != HEADER_BYTES):
                        m.d.sync += offset.eq(offset + 1)
                    with m.Elif(left != 0):
                        m.d.sync += left.eq(left - 1)
                    self._keep(m, offset, recent, total, left)
                    with m.If(self.i.p.last):
                        m.next = "END"
            with m.State("END"):
                cut = (offset != HEADER_BYTES) | (left != 0)
                m.d.comb += [self.o.valid.eq(1), self.o.p.end.eq(1), self.o.p.error.eq(wrong | cut)]
                m.d.sync += [offset.eq(0), wrong.eq(0)]
                m.next = "BYTES"

        return m

    def _keep(self, m, offset, recent, total, left):
        """Fields that are needed later, when their last byte has come."""
        peer = self.peer
        kept = {Header.SOURCE_MAC: peer.mac, Header.SOURCE_IP: peer.ip, Header.SOURCE_PORT: peer.port}
        for field, register in (kept | {Header.TOTAL_LENGTH: total, Header.UDP_LENGTH: left}).items():
            with m.If(offset == field.end):
                m.d.sync += register.eq(recent)
        with m.If(offset == Header.UDP_LENGTH.end + 1):
            m.d.sync += left.eq(left - UDP_HEADER_BYTES)

    def _failures(self, m, offset, recent, total, left):
        """What has to be otherwise, field by field when its last byte has come."""
        station = self._station
        expected = {
            Header.DESTINATION_MAC: (station.mac, BROADCAST_MAC),
            Header.ETHERTYPE: (IPV4,),
            Header.VERSION: (VERSION_4,),
            Header.FRAGMENT: (0, DONT_FRAGMENT),
            Header.PROTOCOL: (UDP,),
            Header.DESTINATION_IP: (station.ip, BROADCAST_IP),
            Header.DESTINATION_PORT: (station.port,),
        }
        room, expected_length = Signal(LENGTH_BITS), Signal(16)
        m.d.sync += [room.eq(self.wire_length - _ETHERNET_BYTES), expected_length.eq(total - _IPV4_BYTES)]
        agree = (left == expected_length) & (left >= UDP_HEADER_BYTES)
        return [
            *(
                (offset == field.end) & ~Cat(recent[: 8 * field.bytes] == value for value in values).any()
                for field, values in expected.items()
            ),
            (offset == Header.TOTAL_LENGTH.end + 1) & (total > room),
            (offset == Header.UDP_LENGTH.end + 1) & ~agree,
            (offset == Header.DESTINATION_IP.end + 1) & ~self._checksum(m, offset, recent),
        ]

    def _checksum(self, m, offset, recent):
        """Whether the sum of all words of the IPv4 header, carries put back in, is right behind its last byte."""
        total = Signal(17)
        with m.If(self.i.valid & self.i.ready):
            with m.If(offset == Header.VERSION.at):
                m.d.sync += total.eq(0)
            with m.Elif(offset[0] & (offset > Header.VERSION.at) & (offset <= Header.DESTINATION_IP.end)):
                m.d.sync += total.eq(total[:16] + recent[:16] + total[16])
        return total[:16] + total[16] == 0xFFFF
