"""DatagramSender: puts messages into datagrams."""

from amaranth.hdl import Array, C, Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import MemoryData
from amaranth.lib.wiring import In, Out

from hdl.block_ram import BlockRam
from hdl.datagram import DONT_FRAGMENT, HEADER_BYTES, IPV4, UDP, UDP_HEADER_BYTES, VERSION_4, Header, Peer, Station
from hdl.item import framed

__all__ = ["LONGEST_MESSAGE", "DatagramSender"]

LONGEST_MESSAGE = 1472
"""As many bytes as fit into a frame of Ethernet."""

_IPV4_BYTES = 20
_LIFETIME = 64
_GROUP = 8


class DatagramSender(wiring.Component):
    """Keeps a message until it is whole, then sends it to a peer. Without one, or longer than fits, it is dropped.

    The identification of IPv4 is 0, since nothing may be fragmented (RFC 6864), and so is the checksum of UDP, which
    says that there is none (RFC 768).

    **Latency**: 7 cycles from the last byte of a message to the first of its frame. **Throughput**: a byte a clock in,
    then a byte a clock out.

    Parameters
    ----------
    station: our addresses

    Attributes
    ----------
    i: messages
    peer, known: where to, and whether there is anybody
    o: frames without padding and FCS, all bytes of one without a gap
    """

    def __init__(self, *, station: Station):
        self._station = station
        super().__init__(
            {
                "i": In(stream.Signature(framed(8))),
                "peer": In(Peer),
                "known": In(1),
                "o": Out(stream.Signature(framed(8))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.message = message = BlockRam(MemoryData(shape=8, depth=2048, init=[]))
        count, at = Signal(range(LONGEST_MESSAGE + 1)), Signal(range(LONGEST_MESSAGE + 3))
        made, fetched = Signal(8), Signal(8)  # the byte of the header, and of the message, that comes next
        too_long = Signal()
        index = Signal(range(HEADER_BYTES + 2))
        total_length, udp_length = Signal(16), Signal(16)
        free = Signal()
        m.d.comb += [
            free.eq(~self.o.valid | self.o.ready),
            message.write_address.eq(count),
            message.write_data.eq(self.i.p.data),
            message.read_address.eq(at),
        ]
        m.d.comb += message.read_enable.eq(free)
        m.d.sync += [udp_length.eq(count + UDP_HEADER_BYTES), total_length.eq(count + _IPV4_BYTES + UDP_HEADER_BYTES)]
        with m.If(free):
            m.d.sync += [self.o.valid.eq(0), fetched.eq(message.read_data)]

        with m.FSM():
            with m.State("FILL"):
                m.d.comb += [self.i.ready.eq(1), message.write_enable.eq(self.i.valid & ~too_long)]
                m.d.sync += [index.eq(0), at.eq(0)]
                with m.If(self.i.valid):
                    m.d.sync += too_long.eq(count == LONGEST_MESSAGE)
                    with m.If(count != LONGEST_MESSAGE):
                        m.d.sync += count.eq(count + 1)
                    with m.If(self.i.p.last):
                        m.d.sync += too_long.eq(0)
                        m.next = "DROP"
                        with m.If(self.known & (count != LONGEST_MESSAGE)):
                            m.next = "SUM_0"
            checksum = self._sum(m, total_length)
            with m.State("HEADER"):
                with m.If(free):
                    # A byte is made in two clocks and put out in the next.
                    with m.If(index >= 2):
                        self._put(m, made, first=index == 2)
                    self._make(m, made, index, self._header(total_length, udp_length, checksum))
                    m.d.sync += [index.eq(index + 1), at.eq(at + (index >= HEADER_BYTES))]
                    with m.If(index == HEADER_BYTES + 1):
                        m.next = "BODY"
            with m.State("BODY"):
                with m.If(free):
                    self._put(m, fetched, last=at == count + 1)
                    m.d.sync += at.eq(at + 1)
                    with m.If(at == count + 1):
                        m.next = "DROP"
            with m.State("DROP"):
                m.d.sync += count.eq(0)
                m.next = "FILL"

        return m

    def _put(self, m, byte, *, first=0, last=0):
        m.d.sync += [self.o.valid.eq(1), self.o.p.data.eq(byte), self.o.p.first.eq(first), self.o.p.last.eq(last)]

    def _fixed(self):
        """Fields that are the same in every datagram."""
        return {
            Header.SOURCE_MAC: self._station.mac,
            Header.ETHERTYPE: IPV4,
            Header.VERSION: VERSION_4,
            Header.FRAGMENT: DONT_FRAGMENT,
            Header.LIFETIME: _LIFETIME,
            Header.PROTOCOL: UDP,
            Header.SOURCE_IP: self._station.ip,
            Header.SOURCE_PORT: self._station.port,
        }

    def _sum(self, m, total_length):
        """Adds what changes in the IPv4 header to the sum of all the rest, carries put back in."""
        ip = bytearray(_IPV4_BYTES)
        for field, value in self._fixed().items():
            if Header.VERSION.at <= field.at <= Header.SOURCE_IP.at:
                start = field.at - Header.VERSION.at
                ip[start : start + field.bytes] = value.to_bytes(field.bytes, "big")
        fixed = sum(int.from_bytes(ip[at : at + 2], "big") for at in range(0, _IPV4_BYTES, 2))
        total = Signal(17)
        # The length is known a clock after the last byte.
        added = (self.peer.ip[16:], self.peer.ip[:16], total_length, C(0, 16))
        for step, word in enumerate(added):
            with m.State(f"SUM_{step}"):
                before = C(fixed % 0xFFFF, 17) if step == 0 else total
                m.d.sync += total.eq(before[:16] + word + before[16])
                m.next = f"SUM_{step + 1}" if step + 1 < len(added) else "HEADER"
        return ~total[:16]

    def _header(self, total_length, udp_length, checksum):
        """The bytes of it."""
        changing = {
            Header.DESTINATION_MAC: self.peer.mac,
            Header.TOTAL_LENGTH: total_length,
            Header.CHECKSUM: checksum,
            Header.DESTINATION_IP: self.peer.ip,
            Header.DESTINATION_PORT: self.peer.port,
            Header.UDP_LENGTH: udp_length,
        }
        fields = {field: C(value, 8 * field.bytes) for field, value in self._fixed().items()} | changing
        header = [C(0, 8)] * HEADER_BYTES
        for field, value in fields.items():
            for place in range(field.bytes):
                header[field.end - place] = Cat(value).word_select(place, 8)
        return header

    def _make(self, m, made, index, header):
        """A byte of the header: of every group one, then a group."""
        groups = [Array(header[at : at + _GROUP]) for at in range(0, len(header), _GROUP)]
        chosen, group = (
            [Signal(8, name=f"chosen_{number}") for number in range(len(groups))],
            Signal(range(len(groups))),
        )
        m.d.sync += [one.eq(bytes_of[index % _GROUP]) for one, bytes_of in zip(chosen, groups, strict=True)]
        m.d.sync += [group.eq(index // _GROUP), made.eq(Array(chosen)[group])]
