"""WordParser: items in, four bytes a clock; whole packets out."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.header_parser import check_ports
from hdl.header_reader import HeaderReader
from hdl.item import FrameOutcome, ItemKind, framed_words
from hdl.packet import PacketWord, ParsedItem
from hdl.protocols import Header

__all__ = ["WORD_BYTES", "WordParser"]

WORD_BYTES = 4


class WordParser(wiring.Component):
    """Reads headers as :class:`~hdl.header_parser.HeaderParser` does, from items that are padded for words.

    Any bytes are an item for it, and every item gives one descriptor: what is no item gives a bad one.

    **Throughput**: a word a clock. **Latency**: 2 cycles from the last word of an item. The next item is read
    meanwhile, and to its end while the last one waits for ``o``.

    Parameters
    ----------
    ports: the configured ports, or None when all TCP is tracked
    chunks: chunks of table images are items too
    checksum: the checksum of IPv4 headers is looked at

    Attributes
    ----------
    i: items, see :func:`~hdl.item.padded`
    settled: nothing of this item matters any more but its last word
    o: items, read
    """

    def __init__(self, *, ports: tuple[int, ...] | None, chunks: bool = False, checksum: bool = False):
        check_ports(ports)
        self._ports, self._chunks, self._checksum = ports, chunks, checksum
        super().__init__(
            {
                "i": In(stream.Signature(framed_words(WORD_BYTES))),
                "settled": Out(1),
                "o": Out(stream.Signature(ParsedItem)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        word, read = self.i.p, Signal(ParsedItem)
        kind, no_item = read.descriptor.kind, Signal()
        reader = HeaderReader(
            m,
            data=word.data,
            count=word.bytes,
            lanes=WORD_BYTES,
            kind=kind,
            ports=self._ports,
            chunks=self._chunks,
            checksum=self._checksum,
            store=lambda at, value: _store(m, read.words, at, value),
        )
        taken, ended = Signal(), Signal()
        m.d.comb += [self.i.ready.eq(~(ended & self.o.valid)), taken.eq(self.i.valid & self.i.ready)]
        settled, outcome = self._settle(m, reader, taken)

        highest = ItemKind.ONLY_CHUNK if self._chunks else ItemKind.SETUP
        first = (reader.header == Header.ITEM) & (reader.offset == 0)
        kind_byte = word.data[24:]
        with m.If(taken):
            with m.If(first):
                m.d.sync += [kind.eq(kind_byte & highest), no_item.eq(kind_byte > highest)]
            reader.read()
            with m.If(word.last):
                whole = (reader.header != Header.ITEM) | ((reader.offset == 1) & (word.bytes == WORD_BYTES))
                m.d.sync += [reader.header.eq(Header.ITEM), reader.offset.eq(0)]
                m.d.sync += no_item.eq((no_item & ~first) | ~whole)
        with m.If(self.i.ready):
            m.d.sync += ended.eq(taken & word.last)

        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(ended & ~self.o.valid):
            cut = (kind >= ItemKind.SETUP) & ~settled
            m.d.sync += [
                self.o.valid.eq(1),
                self.o.p.eq(read),
                self.o.p.descriptor.ipv6.eq(reader.ipv6),
                self.o.p.descriptor.bad.eq(no_item | cut),
                self.o.p.descriptor.outcome.eq(outcome),
            ]

        return m

    def _settle(self, m, reader, taken):
        """Keeps the outcome that comes first; it is known a clock after the word that settles it."""
        lanes = range(WORD_BYTES)
        hits, outcomes = Signal(WORD_BYTES), [Signal(FrameOutcome, name=f"settled_as_{lane}") for lane in lanes]
        fresh, ever, kept = Signal(), Signal(), Signal(FrameOutcome)
        for lane in lanes:
            m.d.sync += [hits[lane].eq(reader.settled[lane] & taken), outcomes[lane].eq(reader.outcome[lane])]

        settled, outcome, before = Signal(), Signal(FrameOutcome), Signal()
        m.d.comb += [before.eq(ever & ~fresh), settled.eq(before | hits.any()), outcome.eq(FrameOutcome.TRUNCATED)]
        if reader.sum is not None:
            with m.If(reader.sum.wrong):
                m.d.comb += [settled.eq(1), outcome.eq(FrameOutcome.BAD_CHECKSUM)]
        for lane in reversed(lanes):
            with m.If(hits[lane]):
                m.d.comb += outcome.eq(outcomes[lane])
        with m.If(before):
            m.d.comb += outcome.eq(kept)
        m.d.sync += [fresh.eq(taken & self.i.p.first), ever.eq(settled), kept.eq(outcome)]
        m.d.comb += self.settled.eq(before)
        return settled, outcome


def _store(m, words, at, value):
    """Keeps a word of the packet; ``at`` is known, or a number of a word of the body."""
    places = {PacketWord.TIME: words.time, PacketWord.PORTS: words.ports}
    places |= {PacketWord.SIZES: words.sizes, PacketWord.MARKS: words.marks}
    for n in range(4):
        places |= {PacketWord.SOURCE + n: words.source[n], PacketWord.DESTINATION + n: words.destination[n]}
    if isinstance(at, int):
        m.d.sync += places[at].eq(value)
        return
    with m.Switch(at):
        for number in range(PacketWord.BODY, PacketWord.BODY + 8):
            with m.Case(number):
                m.d.sync += places[number].eq(value)
