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
    IPV4 = 3
    IPV4_OPTIONS = 4
    IPV6 = 5
    TCP = 6
    REST = 7


# Which 32-bit words go to the packet memory as they are: (header, last byte) -> word.
_STORED = {
    (Header.ITEM, 7): PacketWord.TIME,
    (Header.IPV4, 15): PacketWord.SOURCE,
    (Header.IPV4, 19): PacketWord.DESTINATION,
    **{(Header.IPV6, 11 + 4 * i): PacketWord.SOURCE + i for i in range(4)},
    **{(Header.IPV6, 27 + 4 * i): PacketWord.DESTINATION + i for i in range(4)},
    (Header.TCP, 3): PacketWord.PORTS,
}

_TAGS_NOT_FOLLOWED = (0x8100, 0x88A8, 0x8847, 0x8848, 0x8864)
_IPV6_EXTENSIONS = (0, 43, 44, 50, 51, 60, 135, 139, 140)
_IPV6_HEADER_WORDS = 10
_IPV6_HEADER_BYTES = 40
_TCP = 6


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
        self.ip_words = Signal(4)

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

    def _ethertype(self, *, tagged):
        m = self.m
        ethertype = self.word[:16]
        with m.Switch(ethertype):
            with m.Case(0x0800):
                self._go(Header.IPV4)
                m.d.sync += self.ipv6.eq(0)
            with m.Case(0x86DD):
                self._go(Header.IPV6)
                m.d.sync += self.ipv6.eq(1)
            if not tagged:
                with m.Case(0x8100):
                    self._go(Header.TAG)
            with m.Case(*(t for t in _TAGS_NOT_FOLLOWED if tagged or t != 0x8100)):
                self._settle(FrameOutcome.ENCAPSULATED)
            with m.Default():
                self._settle(FrameOutcome.NOT_IP)

    def _ethernet(self):
        self._leave(1)
        with self._after(13):
            self._ethertype(tagged=False)

    def _tag(self):
        self._leave(1)
        with self._after(3):
            self._ethertype(tagged=True)

    def _ipv4(self):
        m, byte = self.m, self.byte
        with self._after(0):
            m.d.sync += self.ip_words.eq(byte[:4])
            self._settle(FrameOutcome.MALFORMED, (byte[4:] != 4) | (byte[:4] < 5))
        with self._after(3):
            length = self.word[:16]
            m.d.sync += self.length.eq(length)
            self._settle(FrameOutcome.MALFORMED, self._shorter(length, self.ip_words) | (length > self.room))
        with self._after(7):
            self._settle(FrameOutcome.FRAGMENT, self.word[:13] != 0)
        with self._after(8):
            m.d.sync += self.ttl.eq(byte)
        with self._after(9):
            self._settle(FrameOutcome.NOT_TCP, byte != _TCP)
        with self._after(19):
            self._go(Header.TCP)
            with m.If(self.ip_words != 5):
                # Options go on counting bytes of the IPv4 header.
                m.d.sync += [self.header.eq(Header.IPV4_OPTIONS), self.offset.eq(20)]

    def _ipv4_options(self):
        with self.m.If(self.offset == Cat(C(3, 2), self.ip_words - 1)):
            self._go(Header.TCP)

    def _ipv6(self):
        m, byte = self.m, self.byte
        with self._after(0):
            m.d.sync += self.ip_words.eq(_IPV6_HEADER_WORDS)
            self._leave(_IPV6_HEADER_BYTES)
            self._settle(FrameOutcome.MALFORMED, byte[4:] != 6)
        with self._after(5):
            payload = self.word[:16]
            m.d.sync += self.length.eq(payload + _IPV6_HEADER_BYTES)
            too_long = (payload > 0xFFFF - _IPV6_HEADER_BYTES) | (payload > self.room)
            self._settle(FrameOutcome.MALFORMED, (payload == 0) | too_long)
        with self._after(6):
            with m.Switch(byte):
                with m.Case(_TCP):
                    pass
                with m.Case(*_IPV6_EXTENSIONS):
                    self._settle(FrameOutcome.IPV6_EXTENSION)
                with m.Default():
                    self._settle(FrameOutcome.NOT_TCP)
        with self._after(7):
            m.d.sync += self.ttl.eq(byte)
        with self._after(39):
            self._go(Header.TCP)

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
        # Stops counting, so that no byte of a long item is taken for an early one.
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
