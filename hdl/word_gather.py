"""WordGather: items that come a byte a clock as words of four bytes."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.item import ITEM_HEADER_BYTES, WORD_BYTES, WORD_PADDING, ItemKind, framed, framed_words

__all__ = ["WordGather"]


class WordGather(wiring.Component):
    """Puts bytes into words, and the padding of a word stream between the header of an item and its frame.

    **Throughput**: a byte a clock. **Latency**: 1 cycle from the last byte of a word.

    Attributes
    ----------
    i: items
    o: the same, padded; see :func:`~hdl.item.padded`
    """

    def __init__(self):
        super().__init__(
            {
                "i": In(stream.Signature(framed(8))),
                "o": Out(stream.Signature(framed_words(WORD_BYTES))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        before = Signal(8 * (WORD_BYTES - 1))
        held, word, starts = Signal(range(WORD_BYTES)), Signal(range(3)), Signal()
        is_frame = Signal()
        byte = self.i.p
        whole = byte.last | (held == WORD_BYTES - 1)
        together = Cat(byte.data, before)
        begins = (word == 0) & (held == 0)
        m.d.comb += self.i.ready.eq(~whole | ~self.o.valid | self.o.ready)

        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [before.eq(together), held.eq(held + 1)]
            with m.If(begins):
                m.d.sync += [is_frame.eq(byte.data == ItemKind.FRAME), starts.eq(1)]
            with m.If(whole):
                m.d.sync += [
                    self.o.valid.eq(1),
                    self.o.p.bytes.eq(held + 1),
                    self.o.p.first.eq(starts | begins),
                    self.o.p.last.eq(byte.last),
                    starts.eq(0),
                    before.eq(0),
                    held.eq(0),
                    word.eq(Mux(word == 2, 2, word + 1)),
                ]
                with m.Switch(held):
                    for count in range(WORD_BYTES):
                        with m.Case(count):
                            missing = Const(0, 8 * (WORD_BYTES - 1 - count))
                            m.d.sync += self.o.p.data.eq(Cat(missing, together))
                with m.If(is_frame & (word == ITEM_HEADER_BYTES // WORD_BYTES - 1)):
                    m.d.sync += held.eq(WORD_PADDING)
                with m.If(byte.last):
                    m.d.sync += [word.eq(0), held.eq(0)]

        return m
