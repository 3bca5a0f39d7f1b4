"""AccumulatorUpdate: one word of a flow table entry after one packet."""

from amaranth.hdl import C, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.entry_layout import WORD_BITS, EntryLayout

__all__ = ["AccumulatorUpdate"]

HALF = WORD_BITS // 2


class AccumulatorUpdate(wiring.Component):
    """Combinational: two halves that add or choose, chained when the word is one accumulator.

    Parameters
    ----------
    layout: which accumulators lie in which word

    Attributes
    ----------
    index: which word of the block of its direction ``word`` is
    word, updated: the word before and after
    empty: no packet of this direction came before
    length, window, ttl, flags: the packet
    """

    def __init__(self, *, layout: EntryLayout):
        self._layout = layout
        super().__init__(
            {
                "index": In(range(layout.block_words)),
                "word": In(WORD_BITS),
                "empty": In(1),
                "length": In(16),
                "window": In(16),
                "ttl": In(8),
                "flags": In(8),
                "updated": Out(WORD_BITS),
            }
        )

    def elaborate(self, platform):
        m = Module()

        operand, active, add, maximum = [], [], [], []
        for half in range(2):
            operand.append(Signal(HALF, name=f"operand_{half}"))
            active.append(Signal(name=f"active_{half}"))
            add.append(Signal(name=f"add_{half}"))
            maximum.append(Signal(name=f"maximum_{half}"))
        chained = Signal()
        self._control(m, operand, active, add, maximum, chained)

        carry = C(0, 1)
        for half in range(2):
            old = self.word.word_select(half, HALF)
            total = Signal(HALF + 1, name=f"total_{half}")
            m.d.comb += total.eq(old + Mux(active[half], operand[half], 0) + (carry & chained))
            carry = total[HALF]
            larger = Signal(name=f"larger_{half}")
            m.d.comb += larger.eq(operand[half] > old)
            chosen = Mux(self.empty | (larger == maximum[half]), operand[half], old)
            m.d.comb += self.updated.word_select(half, HALF).eq(Mux(add[half], total[:HALF], chosen))

        return m

    def _control(self, m, operand, active, add, maximum, chained):
        """Drives what each half does from the index of the word."""
        operands = {"one": C(1, HALF), "length": self.length, "window": self.window, "ttl": self.ttl}
        with m.Switch(self.index):
            for index in range(self._layout.block_words):
                with m.Case(index):
                    here = [(a, s) for a, s in self._layout.slots.items() if s.word == index]
                    for accumulator, slot in here:
                        half = slot.shift // HALF
                        flag = C(1, 1) if accumulator.flag is None else self.flags[accumulator.flag]
                        m.d.comb += [
                            operand[half].eq(operands[accumulator.operand]),
                            active[half].eq(flag),
                            add[half].eq(accumulator.operation == "add"),
                            maximum[half].eq(accumulator.operation == "max"),
                        ]
                        if slot.width > HALF:
                            m.d.comb += [chained.eq(1), add[1].eq(1)]
                    if len(here) == 1 and here[0][1].width <= HALF:
                        m.d.comb += add[1].eq(1)  # nothing in the upper half: it stays 0
