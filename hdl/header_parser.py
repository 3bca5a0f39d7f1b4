"""HeaderParser: items in, one byte a clock; packet words and a descriptor out."""

import enum

from amaranth.hdl import C, Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hdl.item import CHUNK_BYTES, ITEM_HEADER_BYTES, SETUP_BODY_BYTES, FrameOutcome, ItemKind, framed
from hdl.packet import PACKET_WORDS, Descriptor, PacketWord, packet_port_signature

__all__ = ["HeaderParser"]

WIRE_LENGTH_BITS = 24


class Header(enum.IntEnum):
    """The header that the next byte belongs to."""

    ITEM = 0
    ETHERNET = 1
    TAG = 2
    LLC = 3
    PPPOE = 4
    LABEL = 5
    LABELLED = 6
    """The first byte behind the last label: nothing but its high half says which version of IP it is."""
    IPV4 = 7
    IPV4_OPTIONS = 8
    IPV6 = 9
    EXTENSION = 10
    TCP = 11
    UDP = 12
    REST = 13


class Carried(enum.IntEnum):
    """What an IP header says comes behind it, of what is followed."""

    TCP = 0
    UDP = 1
    EXTENSION = 2
    FRAGMENT = 3
    AUTHENTICATION = 4


# Which 32-bit words go to the packet memory as they are: (header, last byte) -> word.
_STORED = {
    (Header.ITEM, 7): PacketWord.TIME,
    (Header.IPV4, 15): PacketWord.SOURCE,
    (Header.IPV4, 19): PacketWord.DESTINATION,
    **{(Header.IPV6, 11 + 4 * i): PacketWord.SOURCE + i for i in range(4)},
    **{(Header.IPV6, 27 + 4 * i): PacketWord.DESTINATION + i for i in range(4)},
    (Header.TCP, 3): PacketWord.PORTS,
}

_TAGS = (0x8100, 0x88A8, 0x9100)
_LABELS = (0x8847, 0x8848)
_PPPOE = 0x8864
_PPP_IPV4, _PPP_IPV6 = 0x0021, 0x0057
_GREATEST_LENGTH = 1500
"""Of an EtherType's values those that are a length, as in 802.3."""
_SNAP = bytes.fromhex("aaaa03000000")
"""LLC and the organisation behind which an EtherType follows."""
_CARRIED = {
    6: Carried.TCP,
    17: Carried.UDP,
    44: Carried.FRAGMENT,
    51: Carried.AUTHENTICATION,
    **dict.fromkeys((0, 43, 60, 135, 139, 140), Carried.EXTENSION),
}
_TUNNELS = (4, 41, 47)
_VXLAN_PORT = 4789
_IPV6_HEADER_WORDS = 10
_IPV6_HEADER_BYTES = 40
_HEADER_WORDS_BITS = 14
"""Of the words of all IP headers together: as many as a packet can have."""


class HeaderParser(wiring.Component):
    """Reads the headers of a frame front to back and settles its outcome (table in ``docs/flow_rules.md``).

    Any bytes are an item for it, and every item gives one descriptor: what is no item gives a bad one.

    **Throughput**: one byte a clock, and one clock an item until the descriptor is taken. The packet memory has
    two banks, so that the next item is read while the words of the last one are in use: they hold until ``o``
    has been taken.

    Parameters
    ----------
    ports: the configured ports, or None when all TCP is tracked
    chunks: chunks of table images are items too

    Attributes
    ----------
    i: items, framed bytes
    o: descriptor of an item
    packet: read port on its words
    """

    def __init__(self, *, ports: tuple[int, ...] | None, chunks: bool = False):
        for port in ports or ():
            if port not in range(1 << 16):
                raise ValueError(f"A port must be in 0 .. 65535, not {port!r}")
        self._ports = ports
        self._chunks = chunks
        super().__init__(
            {
                "i": In(stream.Signature(framed(8))),
                "o": Out(stream.Signature(Descriptor)),
                "packet": In(packet_port_signature()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.words = words = Memory(shape=32, depth=2 * PACKET_WORDS, init=[])
        write, read = words.write_port(), words.read_port()
        bank = Signal()  # the one being written
        m.d.comb += [read.addr.eq(Cat(self.packet.address, ~bank)), self.packet.data.eq(read.data)]

        kind, wrong_kind, no_item = Signal(3), Signal(), Signal()
        highest = ItemKind.ONLY_CHUNK if self._chunks else ItemKind.SETUP
        outcome = Signal(FrameOutcome)
        reader = _Reader(
            m, byte=self.i.p.data, write=write, bank=bank, kind=kind, ports=self._ports, chunks=self._chunks
        )
        header, offset = reader.header, reader.offset

        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.FSM():
            with m.State("READ"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(self.i.valid):
                    kind_byte = (header == Header.ITEM) & (offset == 0)
                    with m.If(kind_byte):
                        m.d.sync += outcome.eq(FrameOutcome.TRUNCATED)  # unless it is settled before the item ends
                        m.d.comb += wrong_kind.eq(self.i.p.data > highest)
                        m.d.sync += [kind.eq(self.i.p.data & highest), no_item.eq(wrong_kind)]
                    reader.read()
                    with m.If(reader.settled):
                        m.d.sync += [outcome.eq(reader.outcome), header.eq(Header.REST)]
                    with m.If(self.i.p.last):
                        whole = (header != Header.ITEM) | (offset == ITEM_HEADER_BYTES - 1)
                        m.d.sync += [header.eq(Header.ITEM), offset.eq(0)]
                        used = reader.settled | ((header == Header.REST) & (outcome == FrameOutcome.USED))
                        cut = (kind >= ItemKind.SETUP) & ~used
                        m.d.sync += no_item.eq(wrong_kind | ~whole | cut | (no_item & ~kind_byte))
                        m.next = "REPORT"
            self._report(m, reader, no_item, outcome)

        return m

    def _report(self, m, reader, no_item, outcome):
        """Gives the descriptor, and the packet's bank with it."""
        with m.State("REPORT"):
            with m.If(~self.o.valid | self.o.ready):
                m.d.sync += [
                    self.o.valid.eq(1),
                    self.o.p.bad.eq(no_item),
                    self.o.p.kind.eq(reader.kind),
                    self.o.p.outcome.eq(outcome),
                    self.o.p.ipv6.eq(reader.ipv6),
                    reader.bank.eq(~reader.bank),
                ]
                m.next = "READ"


class _Reader:
    """The statements that read one byte, header by header; they belong to the parser's module ``m``."""

    def __init__(self, m, *, byte, write, bank, kind, ports, chunks):
        self.m, self.byte, self.ports, self.kind, self.chunks = m, byte, ports, kind, chunks
        self.write, self.bank = write, bank
        self.header, self.offset = Signal(Header), Signal(range(64))
        self.settled, self.outcome = Signal(), Signal(FrameOutcome)
        self.ipv6 = Signal()
        self.before = Signal(24)
        self.word = Cat(byte, self.before)
        self.room = Signal(WIRE_LENGTH_BITS)  # bytes on the wire that IP may fill
        self.length, self.ttl = Signal(16), Signal(8)
        self.ip_words = Signal(_HEADER_WORDS_BITS)
        self.carried, self.following = Signal(Carried), Signal(Carried)
        self.left = Signal(11)  # bytes of an extension header

    def read(self):
        m = self.m
        m.d.sync += [self.before.eq(self.word), self.offset.eq(self.offset + 1)]
        for (header, last_byte), address in _STORED.items():
            with m.If(self.at(header, last_byte)):
                self._store(C(address, 4), self.word)
        with m.Switch(self.header):
            for header in Header:
                with m.Case(header):
                    getattr(self, f"_{header.name.lower()}")()

    def at(self, header, offset):
        return (self.header == header) & (self.offset == offset)

    def _store(self, address, value):
        self.m.d.comb += [
            self.write.en.eq(1),
            self.write.addr.eq(Cat(address, self.bank)),
            self.write.data.eq(value),
        ]

    def _settle(self, outcome, condition=1):
        with self.m.If(condition):
            self.m.d.comb += [self.settled.eq(1), self.outcome.eq(outcome)]

    def _go(self, header):
        self.m.d.sync += [self.header.eq(header), self.offset.eq(0)]

    def _after(self, last_byte):
        return self.m.If(self.offset == last_byte)

    def _leave(self, count):
        """Takes bytes off the room on the wire; it ends at 0, so that nothing fits a frame that is said too short."""
        left = self.room - count
        self.m.d.sync += self.room.eq(Mux(left[-1], 0, left))

    def _item(self):
        m = self.m
        with self._after(3):
            m.d.sync += self.room.eq(self.word)
        with self._after(ITEM_HEADER_BYTES - 1):
            self._go(Header.ETHERNET)
            with m.If(self.kind != ItemKind.FRAME):
                self._go(Header.REST)

    def _ethertype(self):
        """Goes on with what two bytes say comes behind them."""
        m, ethertype = self.m, self.word[:16]
        with m.Switch(ethertype):
            with m.Case(0x0800):
                self._ip(Header.IPV4)
            with m.Case(0x86DD):
                self._ip(Header.IPV6)
            with m.Case(*_TAGS):
                self._go(Header.TAG)
            with m.Case(*_LABELS):
                self._go(Header.LABEL)
            with m.Case(_PPPOE):
                self._go(Header.PPPOE)
            with m.Default():
                self._go(Header.LLC)
                self._settle(FrameOutcome.NOT_IP, ethertype > _GREATEST_LENGTH)

    def _ip(self, header):
        self._go(header)
        self.m.d.sync += self.ipv6.eq(header == Header.IPV6)

    def _ethernet(self):
        self._leave(1)
        with self._after(13):
            self._ethertype()

    def _tag(self):
        self._leave(1)
        with self._after(3):
            self._ethertype()

    def _llc(self):
        self._leave(1)
        for offset, expected in enumerate(_SNAP):
            with self._after(offset):
                self._settle(FrameOutcome.NOT_IP, self.byte != expected)
        with self._after(len(_SNAP) - 1):
            # As if the four bytes of a tag had come but for its last two.
            self.m.d.sync += [self.header.eq(Header.TAG), self.offset.eq(2)]

    def _pppoe(self):
        m = self.m
        self._leave(1)
        with self._after(0):
            self._settle(FrameOutcome.MALFORMED, self.byte != 0x11)
        with self._after(1):
            self._settle(FrameOutcome.NOT_IP, self.byte != 0)
        with self._after(7), m.Switch(self.word[:16]):
            with m.Case(_PPP_IPV4):
                self._ip(Header.IPV4)
            with m.Case(_PPP_IPV6):
                self._ip(Header.IPV6)
            with m.Default():
                self._settle(FrameOutcome.NOT_IP)

    def _label(self):
        self._leave(1)
        with self._after(3):
            is_last = self.word[8]
            self._go(Mux(is_last, Header.LABELLED, Header.LABEL))

    def _labelled(self):
        m = self.m
        with m.Switch(self.byte[4:]):
            for version, header, first in ((4, Header.IPV4, self._ipv4_first), (6, Header.IPV6, self._ipv6_first)):
                with m.Case(version):
                    m.d.sync += [self.header.eq(header), self.ipv6.eq(version == 6)]
                    first()
            with m.Default():
                self._settle(FrameOutcome.ENCAPSULATED)

    def _carry(self, into):
        """Keeps what an IP header carries, unless that is not followed."""
        m = self.m
        with m.Switch(self.byte):
            for protocol, carried in _CARRIED.items():
                with m.Case(protocol):
                    m.d.sync += into.eq(carried)
            with m.Case(*_TUNNELS):
                self._settle(FrameOutcome.TUNNEL)
            with m.Default():
                self._settle(FrameOutcome.NOT_TCP)

    def _go_to(self, carried):
        m = self.m
        self._go(Header.EXTENSION)
        with m.Switch(carried):
            with m.Case(Carried.TCP):
                self._go(Header.TCP)
            with m.Case(Carried.UDP):
                self._go(Header.UDP)

    def _ipv4_first(self):
        self.m.d.sync += self.ip_words.eq(self.byte[:4])
        self._settle(FrameOutcome.MALFORMED, (self.byte[4:] != 4) | (self.byte[:4] < 5))

    def _ipv4(self):
        m, byte = self.m, self.byte
        with self._after(0):
            self._ipv4_first()
        with self._after(3):
            length = self.word[:16]
            m.d.sync += self.length.eq(length)
            self._settle(FrameOutcome.MALFORMED, self._shorter(length, self.ip_words[:4]) | (length > self.room))
        with self._after(7):
            self._settle(FrameOutcome.FRAGMENT, self.word[:13] != 0)
        with self._after(8):
            m.d.sync += self.ttl.eq(byte)
        with self._after(9), m.Switch(byte):
            with m.Case(6, 17):
                m.d.sync += self.carried.eq(Mux(byte == 6, Carried.TCP, Carried.UDP))
            with m.Case(*_TUNNELS):
                self._settle(FrameOutcome.TUNNEL)
            with m.Default():
                # Headers that extend IPv6 may stand here too, and are not followed.
                self._settle(FrameOutcome.NOT_TCP)
        with self._after(19):
            self._go_to(self.carried)
            with m.If(self.ip_words[:4] != 5):
                # Options go on counting bytes of the IPv4 header.
                m.d.sync += [self.header.eq(Header.IPV4_OPTIONS), self.offset.eq(20)]

    def _ipv4_options(self):
        with self.m.If(self.offset == Cat(C(3, 2), (self.ip_words - 1)[:4])):
            self._go_to(self.carried)

    def _ipv6_first(self):
        self.m.d.sync += self.ip_words.eq(_IPV6_HEADER_WORDS)
        self._leave(_IPV6_HEADER_BYTES)
        self._settle(FrameOutcome.MALFORMED, self.byte[4:] != 6)

    def _ipv6(self):
        m, byte = self.m, self.byte
        with self._after(0):
            self._ipv6_first()
        with self._after(5):
            payload = self.word[:16]
            m.d.sync += self.length.eq(payload + _IPV6_HEADER_BYTES)
            too_long = (payload > 0xFFFF - _IPV6_HEADER_BYTES) | (payload > self.room)
            self._settle(FrameOutcome.MALFORMED, (payload == 0) | too_long)
        with self._after(6):
            self._carry(self.carried)
        with self._after(7):
            m.d.sync += self.ttl.eq(byte)
        with self._after(39):
            self._go_to(self.carried)

    def _extension(self):
        m, byte = self.m, self.byte
        words = Signal(10)
        with m.Switch(self.carried):
            with m.Case(Carried.FRAGMENT):
                m.d.comb += words.eq(2)
            with m.Case(Carried.AUTHENTICATION):
                m.d.comb += words.eq(byte + 2)
            with m.Default():
                m.d.comb += words.eq(Cat(C(0, 1), byte + 1))
        with self._after(0):
            self._carry(self.following)
        with self._after(1):
            total = self.ip_words + words
            # More headers than a packet can have are as malformed as the most.
            m.d.sync += self.ip_words.eq(Mux(total[_HEADER_WORDS_BITS:].any(), ~C(0, _HEADER_WORDS_BITS), total))
        with self._after(3):
            self._settle(FrameOutcome.FRAGMENT, (self.carried == Carried.FRAGMENT) & (self.word[3:16] != 0))
        m.d.sync += self.left.eq(Mux(self.offset == 1, Cat(C(0, 2), words) - 2, self.left - 1))
        self._stop_counting()
        with m.If((self.offset > 1) & (self.left == 1)):
            m.d.sync += self.carried.eq(self.following)
            self._go_to(self.following)

    def _udp(self):
        with self._after(3):
            self._settle(Mux(self.word[:16] == _VXLAN_PORT, FrameOutcome.TUNNEL, FrameOutcome.NOT_TCP))

    def _tcp(self):
        byte = self.byte
        if self.ports is not None:
            with self._after(3):
                source, destination = self.word[16:], self.word[:16]
                tracked = Cat(port == p for p in self.ports for port in (source, destination)).any()
                self._settle(FrameOutcome.UNTRACKED, ~tracked)
        with self._after(12):
            data_offset = byte[4:]
            too_short = self._shorter(self.length, self.ip_words + data_offset)
            self._settle(FrameOutcome.MALFORMED, (data_offset < 5) | too_short)
        with self._after(13):
            self._store(C(PacketWord.MARKS, 4), Cat(byte, self.ttl))
        with self._after(15):
            self._store(C(PacketWord.SIZES, 4), Cat(self.word[:16], self.length))
            self._settle(FrameOutcome.USED)

    def _rest(self):
        m = self.m
        for kind, words in ((ItemKind.TICK, 1), (ItemKind.SETUP, SETUP_BODY_BYTES // 4)):
            with m.If(self.kind == kind):
                for word in range(words):
                    with self._after(4 * word + 3):
                        self._store(C(PacketWord.BODY + word, 4), self.word)
                with self._after(4 * words - 1):
                    self._settle(FrameOutcome.USED)
        if self.chunks:
            self._chunk()
        self._stop_counting()

    def _stop_counting(self):
        """So that no byte of something long is taken for an early one."""
        with self.m.If(self.offset == 63):
            self.m.d.sync += self.offset.eq(63)

    def _chunk(self):
        """A part of a table image, a word after every fourth byte."""
        with self.m.If(self.kind[2] & (self.offset < CHUNK_BYTES) & (self.offset[:2] == 3)):
            self._store(Cat(self.offset[2:5], C(PacketWord.BODY >> 3, 1)), self.word)
        self._settle(FrameOutcome.USED, self.kind[2] & (self.offset == CHUNK_BYTES - 1))

    @staticmethod
    def _shorter(length, words):
        """Whether ``length`` bytes are less than ``words`` 32-bit words."""
        return length[2:] < words
