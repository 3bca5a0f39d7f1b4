"""HeaderReader: the statements that read headers front to back, a byte or a word of four bytes a clock."""

import contextlib
from collections.abc import Callable, Iterator, Sequence

from amaranth.hdl import C, Cat, Module, Mux, Signal, Value
from amaranth.lib import data as layouts

from hdl.header_sum import HeaderSum
from hdl.item import CHUNK_BYTES, ITEM_HEADER_BYTES, SETUP_BODY_BYTES, WORD_PADDING, FrameOutcome, ItemKind
from hdl.packet import PacketWord
from hdl.protocols import (
    CARRIED,
    PPP_PROTOCOLS,
    SNAP,
    STORED,
    TUNNELS,
    VXLAN_PORT,
    Carried,
    Header,
)

__all__ = ["HeaderReader", "outcome_of"]

_WIRE_LENGTH_BITS = 24
_IPV6_HEADER_WORDS = 10
_IPV6_HEADER_BYTES = 40
_HEADER_WORDS_BITS = 14
"""Of the words of all IP headers together: as many as a packet can have."""


class HeaderReader:
    """Statements in a parser's module ``m``; the table of outcomes is in ``docs/flow_rules.md``.

    A byte that may settle the outcome has a lane, its place in what is read in one clock: what a lower lane settles
    goes before what a higher one does.

    Parameters
    ----------
    data: what is read in this clock, ``lanes`` bytes (1 or 4), the first in the most significant place
    reaches: of every lane, whether there is a byte
    marks: what the last four bytes would be, ending with ``data``
    kind: of the item
    ports: the configured ports, or None when all TCP is tracked
    chunks: chunks of table images are items too
    checksum: the checksum of IPv4 headers is looked at
    store: called with the number of a word of the packet and a value, adds the statements that keep it

    Attributes
    ----------
    header, offset: where the data belongs; the offset counts in ``lanes`` bytes
    hits: of every lane, a bit for each outcome that is settled in this clock; there is at most one
    sum: of an IPv4 header, None when it is not looked at
    """

    def __init__(
        self,
        m: Module,
        *,
        data: Value,
        reaches: Sequence[Value | int],
        marks: layouts.View,
        lanes: int,
        kind: Value,
        ports: tuple[int, ...] | None,
        chunks: bool,
        checksum: bool,
        store: Callable[[Value | int, Value], None],
    ):
        self.m, self.marks, self.kind, self.ports, self.chunks, self.store = m, marks, kind, ports, chunks, store
        self.data, self.reaches, self.lanes, self.wide = data, reaches, lanes, lanes > 1
        self.header, self.offset = Signal(Header), Signal(range(64 // lanes))
        self.hits = [Signal(len(FrameOutcome), name=f"hits_{lane}") for lane in range(lanes)]
        self.ipv6 = Signal()
        self.before = Signal(24)
        # Bytes on the wire that IP may fill, inverted: what is longer makes a sum with it carry, without a subtracter.
        self.no_room = Signal(_WIRE_LENGTH_BITS + self.wide + 1)
        self.length, self.ttl = Signal(16), Signal(8)
        self.ip_words = Signal(_HEADER_WORDS_BITS)
        self.carried, self.following = Signal(Carried), Signal(Carried)
        self.left = Signal(11)  # of an extension header, counted as the offset is
        self.more, self.extends = Signal(9), Signal()  # words of an extension header behind its first; they are new
        self.spare = Signal(4)  # words of the packet behind the headers of IP, as far as a TCP header can have them
        self._look_at(lanes - 1)
        self.sum = HeaderSum(m, self.marks.sum if self.wide else self.word[:16], wide=self.wide) if checksum else None

    def read(self) -> None:
        """Reads what is there, and goes on."""
        m = self.m
        spare = self.length[2:] - self.ip_words
        m.d.sync += [
            self.before.eq(Cat(self.data, self.before)),
            self.offset.eq(self.offset + 1),
            self.spare.eq(Mux(spare[-1], 0, Mux(spare[4:-1].any(), 15, spare[:4]))),
        ]
        with m.If(self.extends):
            total = (Cat(C(1, 1), self.ip_words) + Cat(C(1, 1), self.more))[1:]
            # More headers than a packet can have are as malformed as the most.
            most = C((1 << _HEADER_WORDS_BITS) - 1)
            m.d.sync += [self.ip_words.eq(Mux(total[_HEADER_WORDS_BITS:].any(), most, total)), self.extends.eq(0)]
        for (header, last_byte), word in STORED.items():
            with m.If(self.header == header), self._after(last_byte):
                self.store(word, self.word)
        with m.Switch(self.header):
            for header in Header:
                with m.Case(header):
                    getattr(self, f"_{header.name.lower()}")()

    def _look_at(self, at: int) -> None:
        """Of a byte of a header: its lane, its value, and the word that it ends."""
        self.lane = at % self.lanes
        shift = 8 * (self.lanes - 1 - self.lane)
        self.byte = self.data[shift : shift + 8]
        self.word = self.data[shift:] if self.wide else Cat(self.data, self.before)

    @contextlib.contextmanager
    def _after(self, at: int) -> Iterator[None]:
        """When byte ``at`` of the header is there, whatever comes behind it."""
        self._look_at(at)
        there = self.offset == at // self.lanes
        with self.m.If(there & self.reaches[self.lane] if self.lane else there):
            yield

    def _settle(self, outcome, condition=1):
        with self.m.If(condition):
            self.m.d.comb += self.hits[self.lane][outcome].eq(1)

    def _go(self, header):
        self.m.d.sync += [self.header.eq(header), self.offset.eq(0)]

    def _leave(self, count):
        """Takes bytes off the room on the wire, until it is more than used up: nothing fits a frame said too short."""
        with self.m.If(~self.no_room[-1]):
            self.m.d.sync += self.no_room.eq(self.no_room + count)

    def _exceeds_room(self, length):
        return (length + self.no_room)[len(self.no_room) - 1]

    def _stop_counting(self):
        """So that no byte of something long is taken for an early one."""
        with self.m.If(self.offset.all()):
            self.m.d.sync += self.offset.eq(self.offset)

    # Below IP.

    def _item(self):
        m = self.m
        with self._after(3):
            wire_length = self.word[:_WIRE_LENGTH_BITS] + (WORD_PADDING if self.wide else 0)
            m.d.sync += self.no_room.eq((~Cat(wire_length, C(0, 1)))[: len(self.no_room) - 1])
        with self._after(ITEM_HEADER_BYTES - 1):
            self._go(Header.ETHERNET)
            with m.If(self.kind != ItemKind.FRAME):
                self._go(Header.REST)

    def _ethertype(self):
        """Goes on with what two bytes say comes behind them."""
        leads = self.marks.leads
        self._go(leads)
        with self.m.If((leads == Header.IPV4) | (leads == Header.IPV6)):
            self.m.d.sync += self.ipv6.eq(leads == Header.IPV6)
        self._settle(FrameOutcome.NOT_IP, self.marks.unknown)

    def _ethernet(self):
        self._leave(self.lanes)
        with self._after(13 + (WORD_PADDING if self.wide else 0)):
            self._ethertype()

    def _tag(self):
        self._leave(self.lanes)
        with self._after(3):
            self._ethertype()

    def _llc(self):
        self._leave(self.lanes)
        for at, expected in enumerate(SNAP):
            with self._after(at):
                self._settle(FrameOutcome.NOT_IP, self.byte != expected)
        if self.wide:
            with self._after(len(SNAP) + 1):
                self._ethertype()
        else:
            with self._after(len(SNAP) - 1):
                # As if the four bytes of a tag had come but for its last two.
                self.m.d.sync += [self.header.eq(Header.TAG), self.offset.eq(2)]

    def _pppoe(self):
        m = self.m
        self._leave(self.lanes)
        with self._after(0):
            self._settle(FrameOutcome.MALFORMED, self.byte != 0x11)
        with self._after(1):
            self._settle(FrameOutcome.NOT_IP, self.byte != 0)
        with self._after(7), m.Switch(self.word[:16]):
            for protocol, header in PPP_PROTOCOLS.items():
                with m.Case(protocol):
                    self._go(header)
                    m.d.sync += self.ipv6.eq(header == Header.IPV6)
            with m.Default():
                self._settle(FrameOutcome.NOT_IP)

    def _label(self):
        self._leave(self.lanes)
        with self._after(3):
            is_last = self.word[8]
            self._go(Mux(is_last, Header.LABELLED, Header.LABEL))

    def _labelled(self):
        """The first byte, or word, of IP."""
        m = self.m
        self._look_at(0)
        with m.Switch(self.byte[4:]):
            for version, header, begin in ((4, Header.IPV4, self._ipv4_begin), (6, Header.IPV6, self._ipv6_begin)):
                with m.Case(version):
                    m.d.sync += [self.header.eq(header), self.ipv6.eq(version == 6)]
                    begin()
            with m.Default():
                self._settle(FrameOutcome.ENCAPSULATED)

    # IP.

    def _carry(self, into):
        """Keeps what an IP header carries, unless that is not followed."""
        m = self.m
        with m.Switch(self.byte):
            for protocol, carried in CARRIED.items():
                with m.Case(protocol):
                    m.d.sync += into.eq(carried)
            with m.Case(*TUNNELS):
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

    def _ipv4_begin(self):
        self._look_at(0)
        words = self.byte[:4]
        self.m.d.sync += self.ip_words.eq(words)
        self._settle(FrameOutcome.MALFORMED, (self.byte[4:] != 4) | (words < 5))
        if self.sum is not None:
            self.sum.begin()
        if self.wide:
            with self._after(3):
                self._ipv4_length(words)

    def _ipv4_length(self, header_words):
        length = self.word[:16]
        self.m.d.sync += self.length.eq(length)
        self._settle(FrameOutcome.MALFORMED, _shorter(length, header_words) | self._exceeds_room(length))

    def _ipv4(self):
        m = self.m
        if self.sum is not None:
            self.sum.add(self.offset[0])
        with self._after(0):
            self._ipv4_begin()
        if not self.wide:
            with self._after(3):
                self._ipv4_length(self.ip_words[:4])
        with self._after(7):
            self._settle(FrameOutcome.FRAGMENT, self.word[:13] != 0)
        with self._after(8):
            m.d.sync += self.ttl.eq(self.byte)
        with self._after(9), m.Switch(self.byte):
            with m.Case(6, 17):
                m.d.sync += self.carried.eq(Mux(self.byte == 6, Carried.TCP, Carried.UDP))
            with m.Case(*TUNNELS):
                self._settle(FrameOutcome.TUNNEL)
            with m.Default():
                # Headers that extend IPv6 may stand here too, and are not followed.
                self._settle(FrameOutcome.NOT_TCP)
        with self._after(19):
            with m.If(self.ip_words[:4] == 5):
                self._ipv4_end()
            with m.Else():
                # Options go on counting bytes of the IPv4 header.
                m.d.sync += [self.header.eq(Header.IPV4_OPTIONS), self.offset.eq(self.offset + 1)]

    def _ipv4_options(self):
        if self.sum is not None:
            self.sum.add(self.offset[0])
        self._look_at(3)
        last_word = (self.ip_words - 1)[:4]
        whole = (self.offset == last_word) & self.reaches[3] if self.wide else self.offset == Cat(C(3, 2), last_word)
        with self.m.If(whole):
            self._ipv4_end()

    def _ipv4_end(self):
        if self.sum is not None:
            self.sum.end(self._settle)
        self._go_to(self.carried)

    def _ipv6_begin(self):
        self._look_at(0)
        self.m.d.sync += self.ip_words.eq(_IPV6_HEADER_WORDS)
        self._leave(_IPV6_HEADER_BYTES)
        self._settle(FrameOutcome.MALFORMED, self.byte[4:] != 6)

    def _ipv6(self):
        m = self.m
        with self._after(0):
            self._ipv6_begin()
        with self._after(5):
            payload = self.word[:16]
            m.d.sync += self.length.eq(payload + _IPV6_HEADER_BYTES)
            too_long = (payload > 0xFFFF - _IPV6_HEADER_BYTES) | self._exceeds_room(payload)
            self._settle(FrameOutcome.MALFORMED, (payload == 0) | too_long)
        with self._after(6):
            self._carry(self.carried)
        with self._after(7):
            m.d.sync += self.ttl.eq(self.byte)
        with self._after(39):
            self._go_to(self.carried)

    def _extension(self):
        m = self.m
        more = Signal(9)  # words behind the first one
        self._look_at(1)
        with m.Switch(self.carried):
            with m.Case(Carried.FRAGMENT):
                m.d.comb += more.eq(1)
            with m.Case(Carried.AUTHENTICATION):
                m.d.comb += more.eq(self.byte + 1)
            with m.Default():
                m.d.comb += more.eq(Cat(C(1, 1), self.byte))
        with self._after(0):
            self._carry(self.following)
        with self._after(1):
            m.d.sync += [self.more.eq(more), self.extends.eq(1)]
        with self._after(3):
            self._settle(FrameOutcome.FRAGMENT, (self.carried == Carried.FRAGMENT) & (self.word[3:16] != 0))
        said_at, left = (0, more) if self.wide else (1, Cat(C(2, 2), more))
        m.d.sync += self.left.eq(Mux(self.offset == said_at, left, self.left - 1))
        self._stop_counting()
        with m.If((self.offset > said_at) & (self.left == 1)):
            m.d.sync += self.carried.eq(self.following)
            self._go_to(self.following)

    # Above IP.

    def _udp(self):
        with self._after(3):
            is_tunnel = self.word[:16] == VXLAN_PORT
            self._settle(FrameOutcome.TUNNEL, is_tunnel)
            self._settle(FrameOutcome.NOT_TCP, ~is_tunnel)

    def _tcp(self):
        if self.ports is not None:
            with self._after(3):
                self._settle(FrameOutcome.UNTRACKED, ~self.marks.tracked)
        with self._after(12):
            data_offset = self.byte[4:]
            self._settle(FrameOutcome.MALFORMED, (data_offset < 5) | (data_offset > self.spare))
        with self._after(13):
            self.store(PacketWord.MARKS, Cat(self.byte, self.ttl))
        with self._after(15):
            self.store(PacketWord.SIZES, Cat(self.word[:16], self.length))
            self._settle(FrameOutcome.USED)
            if self.wide:
                self._go(Header.REST)

    def _rest(self):
        m = self.m
        for kind, words in ((ItemKind.TICK, 1), (ItemKind.SETUP, SETUP_BODY_BYTES // 4)):
            with m.If(self.kind == kind):
                for word in range(words):
                    with self._after(4 * word + 3):
                        self.store(PacketWord.BODY + word, self.word)
                with self._after(4 * words - 1):
                    self._settle(FrameOutcome.USED)
        if self.chunks:
            self._chunk()
        self._stop_counting()

    def _chunk(self):
        """A part of a table image, a word after every fourth byte."""
        self._look_at(3)
        words = CHUNK_BYTES // 4
        word, whole = (self.offset, self.reaches[3]) if self.wide else (self.offset[2:], self.offset[:2] == 3)
        with self.m.If(self.kind[2] & (word < words) & whole):
            self.store(Cat(word[:3], C(PacketWord.BODY >> 3, 1)), self.word)
            self._settle(FrameOutcome.USED, word[:3] == words - 1)


def outcome_of(hits: Value) -> Value:
    """The outcome whose bit is set, if one is."""
    bits = len(FrameOutcome).bit_length()
    return Cat(Cat(hits[outcome] for outcome in FrameOutcome if outcome >> bit & 1).any() for bit in range(bits))


def _shorter(length, words):
    """Whether ``length`` bytes are less than ``words`` 32-bit words."""
    return length[2:] < words
