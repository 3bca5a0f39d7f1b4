"""WideParser: items in, eight bytes a clock; whole packets out."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hdl.block_fifo import BlockFifo
from hdl.item import WORD_BYTES, framed_words
from hdl.packet import ParsedItem
from hdl.word_parser import WordParser

__all__ = ["WIDE_BYTES", "WideParser"]

WIDE_BYTES = 8
_DEPTH = 512
"""Words of eight bytes that may wait before each of the two parsers: what a block RAM holds."""


class WideParser(wiring.Component):
    """Two parsers take items in turn, each half of a word a clock; the rest of an item that is settled goes whole.

    **Throughput**: a word of eight bytes a clock, with one more clock for an item. An item waits while both parsers are
    behind by a block RAM full of words.

    Parameters
    ----------
    ports, chunks, checksum: see :class:`~hdl.word_parser.WordParser`

    Attributes
    ----------
    i: items, see :func:`~hdl.item.padded`
    o: items, read, in the same order
    """

    def __init__(self, *, ports: tuple[int, ...] | None, chunks: bool = False, checksum: bool = False):
        self._parsers = [WordParser(ports=ports, chunks=chunks, checksum=checksum) for _ in range(2)]
        super().__init__(
            {
                "i": In(stream.Signature(framed_words(WIDE_BYTES))),
                "o": Out(stream.Signature(ParsedItem)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        enters, leaves = Signal(), Signal()
        with m.If(self.i.valid & self.i.ready & self.i.p.last):
            m.d.sync += enters.eq(~enters)
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += leaves.eq(~leaves)
        for number, parser in enumerate(self._parsers):
            m.submodules[f"parser_{number}"] = parser
            m.submodules[f"halves_{number}"] = halves = _Halves()
            connect(m, halves.o, parser.i)
            m.d.comb += [
                halves.settled.eq(parser.settled),
                halves.i.payload.eq(self.i.payload),
                halves.i.valid.eq(self.i.valid & (enters == number)),
                parser.o.ready.eq(self.o.ready & (leaves == number)),
            ]
            with m.If(enters == number):
                m.d.comb += self.i.ready.eq(halves.i.ready)
            with m.If(leaves == number):
                m.d.comb += [self.o.valid.eq(parser.o.valid), self.o.payload.eq(parser.o.payload)]

        return m


class _Halves(wiring.Component):
    """Keeps words of eight bytes and gives them by halves; words of an item that is ``settled`` only as its last."""

    i: In(stream.Signature(framed_words(WIDE_BYTES)))
    settled: In(1)
    o: Out(stream.Signature(framed_words(WORD_BYTES)))

    def elaborate(self, platform):
        m = Module()
        m.submodules.fifo = fifo = BlockFifo(shape=self.i.p.shape(), depth=_DEPTH)
        connect(m, flipped(self.i), fifo.i)
        word, there, second = Signal(framed_words(WIDE_BYTES), reset_less=True), Signal(), Signal()
        skips = self.settled & ~word.first & ~word.last
        alone = word.bytes <= WORD_BYTES
        ends = second | alone | skips
        leaves = self.o.ready | skips
        m.d.comb += [
            self.o.valid.eq(there & ~skips),
            self.o.p.data.eq(Mux(second, word.data[:32], word.data[32:])),
            self.o.p.bytes.eq(Mux(second, word.bytes - WORD_BYTES, Mux(alone, word.bytes, WORD_BYTES))),
            self.o.p.first.eq(word.first & ~second),
            self.o.p.last.eq(word.last & ends),
            fifo.o.ready.eq(~there | (leaves & ends)),
        ]
        with m.If(fifo.o.ready):
            m.d.sync += [word.eq(fifo.o.payload), there.eq(fifo.o.valid), second.eq(0)]
        with m.Elif(leaves):
            m.d.sync += second.eq(1)

        return m
