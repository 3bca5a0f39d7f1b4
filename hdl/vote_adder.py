"""VoteAdder: the sum of all votes of a forest."""

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import C, Cat, Module, Shape, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .vote_code import TABLE_BITS, VoteCode

__all__ = ["Group", "VoteAdder", "grouped"]


@dataclass(frozen=True)
class Group:
    """Trees whose codes share one table; a tree that has none is a group by itself."""

    trees: tuple[int, ...]
    width: int

    def takes(self, code: VoteCode) -> bool:
        return code.tabulated and self.width + code.width <= TABLE_BITS


def grouped(codes: tuple[VoteCode, ...]) -> list[Group]:
    """The groups that share a table, each tree in one of them."""
    groups: list[Group] = []
    # Wide codes first: then the narrow ones fill what is left of a table.
    for index in sorted(range(len(codes)), key=lambda index: (-codes[index].width, index)):
        code = codes[index]
        for at, group in enumerate(groups):
            if group.takes(code):
                groups[at] = Group((*group.trees, index), group.width + code.width)
                break
        else:
            groups.append(Group((index,), code.width if code.tabulated else TABLE_BITS + 1))
    return groups


class VoteAdder(wiring.Component):
    """Add up the votes: tables of four vote bits each, then a tree of adders.

    The first table takes the constant part of the sum along, and the low bits that no vote changes pass all adders by.

    **Latency**: the number of its register boundaries, ``latency`` clocks of ``enable``; one sum a clock.

    Parameters
    ----------
    codes:
        How the vote of each tree travels.
    shape:
        Shape of the sum.
    registered:
        Which of the boundaries ``tables`` and ``sums`` have registers (see :data:`hdl.forest_unrolled.BOUNDARIES`).

    Attributes
    ----------
    code_0, code_1, …:
        In: the vote of each tree.
    enable:
        In: registers hold while it is low.
    total:
        Out: the sum.
    """

    def __init__(self, *, codes: tuple[VoteCode, ...], shape: Shape, registered: frozenset[str]):
        self.codes = codes
        self.registered = registered
        self.latency = self.latency_of(codes, registered)
        super().__init__(
            {
                "enable": In(1),
                **{f"code_{index}": In(code.width) for index, code in enumerate(codes)},
                "total": Out(shape),
            }
        )

    @staticmethod
    def latency_of(codes: tuple[VoteCode, ...], registered: frozenset[str]) -> int:
        """Clocks from the codes to the sum."""
        levels = (len(grouped(codes)) - 1).bit_length()
        return ("tables" in registered) + ("sums" in registered) * max(0, levels - 1)

    @staticmethod
    def model(codes: tuple[VoteCode, ...], numbers: Sequence[int]) -> int:
        """The sum for one code from each tree."""
        return sum(code.lowest + code.steps[number] for code, number in zip(codes, numbers, strict=True))

    def elaborate(self, platform):
        m = Module()

        lowest = sum(code.lowest for code in self.codes)
        steps = [step for code in self.codes for step in code.steps.values()]
        idle = _trailing_zeros(steps)
        terms: list[Value] = []
        for index, group in enumerate(grouped(self.codes)):
            constant = lowest >> idle if index == 0 else 0
            terms.append(self._register(m, "tables", self._summed(m, group, idle, constant)))

        while len(terms) > 1:
            pairs = zip(terms[::2], terms[1::2], strict=False)
            rest = terms[len(terms) & ~1 :]
            terms = [first + second for first, second in pairs] + rest
            if len(terms) > 1:
                terms = [self._register(m, "sums", term) for term in terms]

        total = Cat(C(lowest & (1 << idle) - 1, idle), terms[0])
        m.d.comb += self.total.eq(total.as_signed() if terms[0].shape().signed else total)

        return m

    def _summed(self, m: Module, group: Group, idle: int, constant: int) -> Value:
        """The votes of a group, without the bits that no vote changes, plus a constant."""
        codes = [self.codes[index] for index in group.trees]
        wires = [getattr(self, f"code_{index}") for index in group.trees]
        if not codes[0].tabulated:
            return (wires[0] >> idle) + constant if constant else wires[0] >> idle
        sums = {0: constant}
        position = 0
        for code in codes:
            sums = {
                select | number << position: total + (step >> idle)
                for select, total in sums.items()
                for number, step in code.steps.items()
            }
            position += code.width
        summed = Signal(_range_shape(min(sums.values()), max(sums.values())))
        with m.Switch(Cat(wires)):
            for select, total in sums.items():
                with m.Case(select):
                    m.d.comb += summed.eq(total)
        return summed

    def _register(self, m: Module, boundary: str, value: Value) -> Value:
        if boundary not in self.registered:
            return value
        register = Signal.like(value, reset_less=True)
        with m.If(self.enable):
            m.d.sync += register.eq(value)
        return register


def _trailing_zeros(numbers: list[int]) -> int:
    """Low bits that are zero in all numbers; none when the numbers are all zero."""
    together = 0
    for number in numbers:
        together |= number
    return max((together & -together).bit_length() - 1, 0)


def _range_shape(lowest: int, highest: int) -> Shape:
    return Shape.cast(range(lowest, highest + 1))
