"""RankEncoder: features become their ranks among the thresholds of a forest, by binary search in block RAM."""

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import MemoryData
from amaranth.lib.wiring import In, Out

from .block_ram import BlockRam
from .feature_stream import feature_word
from .rank_table import RankTable

__all__ = ["RankEncoder"]


class RankEncoder(wiring.Component):
    """Search for one feature after the other, a word of the table every clock.

    **Latency**: of a feature, from its transfer, one clock more than its rank has bits. **Throughput**: a flow every
    ``table.search_clocks``, if ranks are taken at once.

    Parameters
    ----------
    table:
        The thresholds.

    Attributes
    ----------
    i:
        In: the features of a flow, in the order of the table.
    o:
        Out: their ranks. Of a feature whose rank is narrower than others the further bits mean nothing.
    """

    def __init__(self, *, table: RankTable):
        self.table = table
        super().__init__(
            {
                "i": In(stream.Signature(feature_word(table.value_bits))),
                "o": Out(stream.Signature(feature_word(table.rank_bits))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        t = self.table
        m.submodules.thresholds = memory = BlockRam(
            MemoryData(shape=t.value_bits, depth=1 << t.address_bits, init=t.words)
        )

        # The bit of the rank that is being searched for, and the place in the table: the rank so far with that bit.
        # Each on a line of its own, so that all have their names in the circuit, where its proof finds them.
        index = Signal(range(len(t.depths)))
        bit = Signal(t.rank_bits)
        place = Signal(t.address_bits, reset_less=True)
        value = Signal(t.value_bits, reset_less=True)
        last = Signal(reset_less=True)
        searches, found = Signal(), Signal(t.address_bits)
        first_bit = Array(1 << depth - 1 for depth in t.depths)[index]
        first_place = Array(base | 1 << depth - 1 for base, depth in zip(t.bases, t.depths, strict=True))[index]
        m.d.comb += [
            searches.eq(bit.any()),
            found.eq(Mux(value > memory.read_data, place, place ^ bit)),
            memory.read_address.eq(Mux(searches, found | bit[1:], first_place)),
            self.i.ready.eq(~searches & (~self.o.valid | self.o.ready)),
        ]
        m.d.sync += place.eq(memory.read_address)
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(searches):
            m.d.sync += bit.eq(bit[1:])
            with m.If(bit[0]):
                m.d.sync += [self.o.valid.eq(1), self.o.p.value.eq(found), self.o.p.last.eq(last)]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [value.eq(self.i.p.value), last.eq(self.i.p.last), bit.eq(first_bit)]
            m.d.sync += index.eq(Mux(self.i.p.last, 0, index + 1))

        return m
