"""HeaderParser: items in, one byte a clock; packet words and a descriptor out."""

from amaranth.hdl import C, Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import MemoryData
from amaranth.lib.wiring import In, Out

from hdl.block_ram import BlockRam
from hdl.header_reader import HeaderReader, outcome_of
from hdl.item import ITEM_HEADER_BYTES, FrameOutcome, ItemKind, framed
from hdl.packet import PACKET_WORDS, Descriptor, packet_port_signature
from hdl.protocols import Header
from hdl.word_marks import WordMarks, mark

__all__ = ["HeaderParser", "check_ports"]


def check_ports(ports: tuple[int, ...] | None) -> None:
    """Refuse what is no port."""
    for port in ports or ():
        if port not in range(1 << 16):
            raise ValueError(f"A port must be in 0 .. 65535, not {port!r}")


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
    checksum: the checksum of IPv4 headers is looked at

    Attributes
    ----------
    i: items, framed bytes
    o: descriptor of an item
    packet: read port on its words
    """

    def __init__(self, *, ports: tuple[int, ...] | None, chunks: bool = False, checksum: bool = False):
        check_ports(ports)
        self._ports = ports
        self._chunks, self._checksum = chunks, checksum
        super().__init__(
            {
                "i": In(stream.Signature(framed(8))),
                "o": Out(stream.Signature(Descriptor)),
                "packet": In(packet_port_signature()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        # Never is a word read while it is written: they are in different banks.
        m.submodules.words = words = BlockRam(MemoryData(shape=32, depth=2 * PACKET_WORDS, init=[]))
        bank = Signal()  # the one being written
        m.d.comb += [words.read_address.eq(Cat(self.packet.address, ~bank)), self.packet.data.eq(words.read_data)]

        kind, wrong_kind, no_item = Signal(3), Signal(), Signal()
        highest = ItemKind.ONLY_CHUNK if self._chunks else ItemKind.SETUP
        outcome = Signal(FrameOutcome)

        def store(word, value):
            address = Cat(C(word, 4) if isinstance(word, int) else word, bank)
            m.d.comb += [words.write_enable.eq(1), words.write_address.eq(address), words.write_data.eq(value)]

        marks = Signal(WordMarks)
        reader = HeaderReader(
            m,
            marks=marks,
            data=self.i.p.data,
            reaches=(1,),
            lanes=1,
            kind=kind,
            ports=self._ports,
            chunks=self._chunks,
            checksum=self._checksum,
            store=store,
        )
        header, offset = reader.header, reader.offset
        mark(m, "comb", reader.word, marks, ports=self._ports)
        (hits,) = reader.hits
        settled = hits.any()

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
                    with m.If(settled):
                        m.d.sync += [outcome.eq(outcome_of(hits)), header.eq(Header.REST)]
                    with m.If(self.i.p.last):
                        whole = (header != Header.ITEM) | (offset == ITEM_HEADER_BYTES - 1)
                        m.d.sync += [header.eq(Header.ITEM), offset.eq(0)]
                        used = settled | ((header == Header.REST) & (outcome == FrameOutcome.USED))
                        cut = (kind >= ItemKind.SETUP) & ~used
                        m.d.sync += no_item.eq(wrong_kind | ~whole | cut | (no_item & ~kind_byte))
                        m.next = "REPORT"
            self._report(m, reader, no_item, outcome, bank)

        return m

    def _report(self, m, reader, no_item, outcome, bank):
        """Gives the descriptor, and the packet's bank with it."""
        with m.State("REPORT"):
            with m.If(~self.o.valid | self.o.ready):
                m.d.sync += [
                    self.o.valid.eq(1),
                    self.o.p.bad.eq(no_item),
                    self.o.p.kind.eq(reader.kind),
                    self.o.p.outcome.eq(outcome),
                    self.o.p.ipv6.eq(reader.ipv6),
                    bank.eq(~bank),
                ]
                m.next = "READ"
