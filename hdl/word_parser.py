"""WordParser: items in, four bytes a clock; whole packets out."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.header_parser import check_ports
from hdl.header_reader import HeaderReader, outcome_of
from hdl.item import WORD_BYTES, FrameOutcome, ItemKind, framed_words
from hdl.packet import PacketWord, ParsedItem
from hdl.protocols import Header
from hdl.word_marks import WordMarks, mark

__all__ = ["WordParser"]


class WordParser(wiring.Component):
    """Reads headers as :class:`~hdl.header_parser.HeaderParser` does, from items that are padded for words.

    Any bytes are an item for it, and every item gives one descriptor: what is no item gives a bad one.

    **Throughput**: a word a clock, but no more than an item in 3 cycles. **Latency**: 4 cycles from the last word of an
    item. The next item is read meanwhile, and to its end while the last one waits for ``o``.

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
        word, there = Signal.like(self.i.p, reset_less=True), Signal()
        marks, reaches = Signal(WordMarks, reset_less=True), Signal(WORD_BYTES, reset_less=True)
        read, out = Signal(ParsedItem, reset_less=True), Signal(ParsedItem, reset_less=True)
        m.d.comb += self.o.payload.eq(out)
        kind, no_item = read.descriptor.kind, Signal()
        keeper = _Keeper(m, read.words)
        reader = HeaderReader(
            m,
            marks=marks,
            data=word.data,
            reaches=reaches,
            lanes=WORD_BYTES,
            kind=kind,
            ports=self._ports,
            chunks=self._chunks,
            checksum=self._checksum,
            store=keeper.store,
        )
        taken, ended, descriptor_there = Signal(), Signal(), Signal()
        goes_on = ~(ended & (self.o.valid | descriptor_there))
        m.d.comb += [self.i.ready.eq(~there | goes_on), taken.eq(there & goes_on)]
        with m.If(self.i.ready):
            m.d.sync += [word.eq(self.i.p), there.eq(self.i.valid)]
            m.d.sync += reaches.eq(Cat(self.i.p.bytes > lane for lane in range(WORD_BYTES)))
            mark(m, "sync", self.i.p.data, marks, ports=self._ports)
        settled, outcome = self._settle(m, reader, taken, word.first)

        highest = ItemKind.ONLY_CHUNK if self._chunks else ItemKind.SETUP
        first = (reader.header == Header.ITEM) & (reader.offset == 0)
        kind_byte = word.data[24:]
        with m.If(taken):
            with m.If(first):
                m.d.sync += [kind.eq(kind_byte & highest), no_item.eq(kind_byte > highest)]
            reader.read()
            with m.If(word.last):
                whole = (reader.header != Header.ITEM) | ((reader.offset == 1) & reaches[-1])
                m.d.sync += [reader.header.eq(Header.ITEM), reader.offset.eq(0)]
                m.d.sync += no_item.eq((no_item & ~first) | ~whole)
        keeper.add()
        with m.If(goes_on):
            m.d.sync += ended.eq(taken & word.last)

        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        m.d.sync += descriptor_there.eq(0)
        with m.If(ended & ~self.o.valid & ~descriptor_there):
            cut = (kind >= ItemKind.SETUP) & ~settled
            m.d.sync += [
                descriptor_there.eq(1),
                out.descriptor.eq(read.descriptor),
                out.descriptor.ipv6.eq(reader.ipv6),
                out.descriptor.bad.eq(no_item | cut),
                out.descriptor.outcome.eq(outcome),
            ]
        with m.If(descriptor_there):
            # The last word has been kept meanwhile.
            m.d.sync += [out.words.eq(read.words), self.o.valid.eq(1)]

        return m

    def _settle(self, m, reader, taken, first):
        """Keeps the outcome that comes first; it is known a clock after the word that settles it."""
        hits = [Signal.like(lane) for lane in reader.hits]
        fresh, ever, kept = Signal(), Signal(), Signal(FrameOutcome)
        for lane, now in zip(hits, reader.hits, strict=True):
            m.d.sync += lane.eq(Mux(taken, now, 0))
        if reader.sum is not None:
            # No lane of the last word of a header settles anything else.
            hits.append(Signal.like(hits[0]))
            m.d.comb += hits[-1][FrameOutcome.BAD_CHECKSUM].eq(reader.sum.wrong)

        settled, outcome, before = Signal(), Signal(FrameOutcome), Signal()
        m.d.comb += [before.eq(ever & ~fresh), settled.eq(before | Cat(hits).any())]
        m.d.comb += outcome.eq(FrameOutcome.TRUNCATED)
        for lane in reversed(hits):
            with m.If(lane.any()):
                m.d.comb += outcome.eq(outcome_of(lane))
        with m.If(before):
            m.d.comb += outcome.eq(kept)
        m.d.sync += [fresh.eq(taken & first), ever.eq(settled), kept.eq(outcome)]
        m.d.comb += self.settled.eq(before)
        return settled, outcome


class _Keeper:
    """Keeps words of the packet, a clock after they have come.

    Where a word belongs is found out in one clock, so that this does not lie on the way to all registers of a packet.
    """

    def __init__(self, m: Module, words: data.View):
        self._m = m
        self._places = {PacketWord.TIME: words.time, PacketWord.PORTS: words.ports}
        self._places |= {PacketWord.SIZES: words.sizes, PacketWord.MARKS: words.marks}
        for n in range(4):
            self._places |= {PacketWord.SOURCE + n: words.source[n], PacketWord.DESTINATION + n: words.destination[n]}
        self._asked: list[tuple[list[int], Signal, Value]] = []

    def store(self, at: Value | int, value: Value) -> None:
        """Keeps ``value`` where this is called; ``at`` is known, or a number of a word of the body."""
        numbers = [at] if isinstance(at, int) else list(range(PacketWord.BODY, PacketWord.BODY + 8))
        stores = Signal(len(numbers), name=f"stores_{len(self._asked)}")
        self._m.d.comb += stores.eq(Cat(at == number for number in numbers))
        self._asked.append((numbers, stores, value))

    def add(self) -> None:
        """Adds what keeps them, outside of all conditions."""
        m = self._m
        for numbers, stores, value in self._asked:
            due, held = Signal.like(stores), Signal(32, name="held", reset_less=True)
            m.d.sync += [due.eq(stores), held.eq(value)]
            for bit, number in enumerate(numbers):
                with m.If(due[bit]):
                    m.d.sync += self._places[number].eq(held)
