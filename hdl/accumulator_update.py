"""AccumulatorUpdate: one word of a flow table entry after one packet."""

from amaranth.hdl import C, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.entry_layout import WORD_BITS, EntryLayout, Slot

__all__ = ["AccumulatorUpdate"]

HALF = WORD_BITS // 2


class AccumulatorUpdate(wiring.Component):
    """Two halves that add or choose, chained when the word is one accumulator or half of one.

    The adder compares too: what a half chooses from comes to it inverted, so that the sum carries when the old value is
    the greater one.

    **Latency**: ``index`` and the packet must hold from the clock before on; ``updated`` follows ``word`` and
    ``empty`` at once.

    Parameters
    ----------
    layout: which accumulators lie in which word

    Attributes
    ----------
    index: which word of the block of its direction ``word`` is
    word, updated: the word before and after
    empty: no packet of this direction came before
    first: no word came before: ``updated`` is what the packet alone makes
    length, window, ttl, flags: the packet
    square: of its length, only where that is added up; the second word of such a sum comes in the clock after the first
    """

    def __init__(self, *, layout: EntryLayout):
        self._layout = layout
        super().__init__(
            {
                "index": In(range(layout.block_words)),
                "word": In(WORD_BITS),
                "empty": In(1),
                "first": In(1),
                "length": In(16),
                "window": In(16),
                "ttl": In(8),
                "flags": In(8),
                "updated": Out(WORD_BITS),
            }
            | ({"square": In(WORD_BITS)} if layout.squares else {})
        )

    def elaborate(self, platform):
        m = Module()

        operands = [self._operand(m, half) for half in range(2)]
        chained = self._register(m, "chained", lambda index, here: any(s.width > HALF for _, s in here))
        # One adder for both halves: the bit between them passes the carry on only when it is set.
        word, operand = Cat(self.word[:HALF], chained, self.word[HALF:]), Cat(operands[0], C(0, 1), operands[1])
        total = Signal(2 * HALF + 2)
        if self._layout.squares:
            # What a first word overflows by goes into the second one, through a bit below the lowest.
            is_second = self._register(m, "is_second", lambda index, here: any(_continues(index, s) for _, s in here))
            overflowed, carry = Signal(), Signal()
            carried = Signal(2 * HALF + 3)
            m.d.sync += overflowed.eq(carried[-1])
            m.d.comb += carry.eq(overflowed & is_second)
            m.d.comb += [carried.eq(Cat(carry, word) + Cat(carry, operand)), total.eq(carried[1:])]
        else:
            m.d.comb += total.eq(word + operand)
        for half in range(2):
            add = self._register(m, f"add_{half}", lambda _, here, half=half: self._adds(half, here))
            maximum = self._register(m, f"maximum_{half}", lambda _, here, half=half: self._is_maximum(half, here))
            old = self.word.word_select(half, HALF)
            added = total[half * (HALF + 1) :][: HALF + 1]
            takes = Signal(name=f"takes_{half}")
            m.d.comb += takes.eq(self.first | self.empty | (added[-1] != maximum))
            chosen = Mux(takes, operands[half] ^ (~add).replicate(HALF), old)
            m.d.comb += self.updated.word_select(half, HALF).eq(Mux(add & ~self.first, added[:HALF], chosen))

        return m

    def _operand(self, m, half):
        """What the packet contributes to one half of the word, 0 when it has not the flag that is asked for.

        It is inverted where the half chooses.
        """
        operands = {"one": C(1, HALF), "length": self.length, "window": self.window, "ttl": self.ttl}
        if self._layout.squares:
            operands["length_squared"] = self.square.word_select(half, HALF)
        operand = Signal(HALF, name=f"operand_{half}")
        with m.Switch(self.index):
            for index in range(self._layout.block_words):
                accumulator = self._in_half(index, half)
                value = C(0, HALF) if accumulator is None else operands[accumulator.operand]
                if accumulator is not None and accumulator.flag is not None:
                    value = Mux(self.flags[accumulator.flag], value, 0)
                with m.Case(index):
                    m.d.sync += operand.eq(value if self._adds(half, self._in_word(index)) else ~Cat(value, C(0, HALF)))
        return operand

    def _register(self, m, name, rule):
        """A register that follows the index: what ``rule`` says of a word and the accumulators in it."""
        register = Signal(name=name)
        with m.Switch(self.index):
            for index in range(self._layout.block_words):
                with m.Case(index):
                    m.d.sync += register.eq(bool(rule(index, self._in_word(index))))
        return register

    def _in_word(self, index):
        return [(a, s) for a, s in self._layout.slots.items() if s.word == index or _continues(index, s)]

    def _in_half(self, index, half):
        """Whose operand the half takes; the second word of a sum takes what the first one overflows by."""
        here = [(a, s) for a, s in self._in_word(index) if not _continues(index, s)]
        return next((a for a, s in here if s.shift == HALF * half or s.width > WORD_BITS), None)

    @staticmethod
    def _adds(half, here):
        # The upper half of an accumulator that fills the word takes the carry; an empty half stays 0 by adding 0.
        accumulator = next((a for a, s in here if s.shift == HALF * half), None)
        return accumulator is None or accumulator.operation == "add"

    @staticmethod
    def _is_maximum(half, here):
        return any(a.operation == "max" for a, s in here if s.shift == HALF * half)


def _continues(index: int, slot: Slot) -> bool:
    """Whether the word is the second one of an accumulator."""
    return slot.width > WORD_BITS and index == slot.word + 1
