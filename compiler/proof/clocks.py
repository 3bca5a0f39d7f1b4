"""Clocks: the nets of a walker in one clock after another, as terms for the solver."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import z3

from .gates import TERMS
from .netlist import Adder, Bit, Gate, Register
from .walker_netlist import WalkerNetlist

__all__ = ["Clocks", "as_word"]


def as_word(bits: Sequence[z3.BoolRef]) -> z3.BitVecRef:
    """A word of bits, the least significant first."""
    ones = [z3.If(bit, z3.BitVecVal(1, 1), z3.BitVecVal(0, 1)) for bit in reversed(bits)]
    return z3.Concat(*ones) if len(ones) > 1 else ones[0]


class Clocks:
    """Terms of nets by clock, from clock 0 on; each is built once.

    In clock 0 registers and what memories put out are variables. Inputs are variables in every clock, and so are nets
    that are cut. A memory gives ``read(name, address, clock)`` of the address and the clock before.

    Parameters
    ----------
    known: nets that are constant, by clock or in all of them
    cut: nets whose drivers are not looked at
    start: what registers and memories put out in clock 0, of those where that is known
    """

    def __init__(
        self,
        netlist: WalkerNetlist,
        read: Callable[[str, z3.BitVecRef, int], z3.BitVecRef],
        *,
        known: Callable[[int], Mapping[int, bool]],
        cut: Iterable[Bit] = (),
        start: Mapping[int, bool] | None = None,
    ):
        self.netlist = netlist
        self.read, self._known, self._start = read, known, start or {}
        self._cut = frozenset(cut)
        self._stored = {
            bit: (name, at)
            for name, memory in netlist.memories.items()
            for at, bit in enumerate(memory.read_data)
            if isinstance(bit, int)
        }
        self._terms: list[dict[Bit, z3.BoolRef]] = []
        self._words: dict[tuple[int, str], z3.BitVecRef] = {}

    def bits(self, clock: int, nets: Sequence[Bit]) -> list[z3.BoolRef]:
        """The terms of some nets in a clock."""
        while len(self._terms) <= clock:
            constants = {bit: z3.BoolVal(value) for bit, value in self._known(len(self._terms)).items()}
            self._terms.append({"0": z3.BoolVal(False), "1": z3.BoolVal(True), **constants})
        terms = self._terms[clock]
        # An undefined net may be anything, each time anew.
        return [
            z3.FreshBool("undefined") if bit == "x" else terms[bit] if bit in terms else self._bit(clock, bit)
            for bit in nets
        ]

    def bit(self, clock: int, net: Bit) -> z3.BoolRef:
        """The term of a net in a clock."""
        return self.bits(clock, (net,))[0]

    def word(self, clock: int, nets: Sequence[Bit]) -> z3.BitVecRef:
        """A word of nets in a clock."""
        return as_word(self.bits(clock, nets))

    def _bit(self, clock: int, bit: int) -> z3.BoolRef:
        """The term of a net: those that it depends on in the same clock come before it."""
        terms, ahead = self._terms[clock], [bit]
        while ahead:
            at = ahead[-1]
            missing = [other for other in self._same_clock(at) if isinstance(other, int) and other not in terms]
            if missing:
                ahead += missing
            else:
                ahead.pop()
                if at not in terms:
                    terms[at] = self._term(clock, at)
        return terms[bit]

    def _same_clock(self, bit: int) -> tuple[Bit, ...]:
        driver = None if bit in self._cut else self.netlist.drivers.get(bit)
        match driver:
            case Gate():
                return driver.reads
            case Adder():
                return driver.a + driver.b
        return ()

    def _term(self, clock: int, bit: int) -> z3.BoolRef:
        driver = None if bit in self._cut else self.netlist.drivers.get(bit)
        match driver:
            case Gate(kind, reads):
                return TERMS[kind](*self.bits(clock, reads))
            case Adder():
                return self._sum_bit(clock, driver)
            case Register() if clock:
                held = self.bit(clock - 1, driver.data)
                if driver.enable == "1":
                    return held
                return z3.If(self.bit(clock - 1, driver.enable), held, self.bit(clock - 1, bit))
        if bit in self._stored and clock:
            name, at = self._stored[bit]
            if (clock, name) not in self._words:
                address = self.word(clock - 1, self.netlist.memories[name].read_address)
                self._words[clock, name] = self.read(name, address, clock - 1)
            return z3.Extract(at, at, self._words[clock, name]) == 1
        if clock == 0 and bit in self._start:
            return z3.BoolVal(self._start[bit])
        return z3.Bool(f"{self.netlist.names.get(bit, bit)} in clock {clock} ({bit})")

    def _sum_bit(self, clock: int, adder: Adder) -> z3.BoolRef:
        key = (clock, f"sum of {adder.name}")
        if key not in self._words:
            width = len(adder.y)
            words = (self.word(clock, word) for word in (adder.a, adder.b))
            extend = z3.SignExt if adder.signed else z3.ZeroExt
            a, b = (
                extend(width - word.size(), word) if word.size() < width else z3.Extract(width - 1, 0, word)
                for word in words
            )
            self._words[key] = a + b
        return z3.Extract(adder.bit, adder.bit, self._words[key]) == 1
