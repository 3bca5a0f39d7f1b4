"""VoteAdder: the sum of all votes of a forest."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from amaranth.hdl import C, Cat, Module, Shape, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .block_rom import BlockRom, RomShape, RomTable
from .vote_code import TABLE_BITS, VoteCode

__all__ = ["Group", "VoteAdder", "grouped"]


@dataclass(frozen=True)
class Group:
    """Trees whose codes share one table; a tree that has none is a group by itself."""

    trees: tuple[int, ...]
    width: int

    def takes(self, code: VoteCode, table_bits: int) -> bool:
        return code.tabulated and self.width + code.width <= table_bits


def grouped(codes: tuple[VoteCode, ...], table_bits: int = TABLE_BITS) -> list[Group]:
    """The groups that share a table of so many inputs, each tree in one of them."""
    groups: list[Group] = []
    # Wide codes first: then the narrow ones fill what is left of a table.
    for index in sorted(range(len(codes)), key=lambda index: (-codes[index].width, index)):
        code = codes[index]
        for at, group in enumerate(groups):
            if group.takes(code, table_bits):
                groups[at] = Group((*group.trees, index), group.width + code.width)
                break
        else:
            groups.append(Group((index,), code.width if code.tabulated else table_bits + 1))
    return groups


class VoteAdder(wiring.Component):
    """Add up the votes: tables of four vote bits each, or of more in block RAM, then a tree of adders.

    The first table takes the constant part of the sum along, and the low bits that no vote changes pass all adders by.

    **Latency**: the number of its register boundaries, ``latency`` clocks of ``enable``, of which tables in block RAM
    count as two; one sum a clock.

    Parameters
    ----------
    codes:
        How the vote of each tree travels.
    shape:
        Shape of the sum.
    registered:
        Which of the boundaries ``tables`` and ``sums`` have registers (see :data:`hdl.forest_unrolled.BOUNDARIES`).
    rom:
        Where the tables are to be in block RAM, what fits one; see :meth:`fits_block_ram`. It has registers anyhow.

    Attributes
    ----------
    code_0, code_1, …:
        In: the vote of each tree.
    enable:
        In: registers hold while it is low.
    total:
        Out: the sum.
    """

    def __init__(
        self, *, codes: tuple[VoteCode, ...], shape: Shape, registered: frozenset[str], rom: RomShape | None = None
    ):
        if rom and not self.fits_block_ram(codes, rom):
            raise ValueError(f"Votes in block RAM must have tables with words of at most {rom.word_width} bits")
        self.codes = codes
        self.registered = registered
        self.rom = rom
        self.latency = self.latency_of(codes, registered, rom)
        super().__init__(
            {
                "enable": In(1),
                **{f"code_{index}": In(code.width) for index, code in enumerate(codes)},
                "total": Out(shape),
            }
        )

    @staticmethod
    def latency_of(codes: tuple[VoteCode, ...], registered: frozenset[str], rom: RomShape | None = None) -> int:
        """Clocks from the codes to the sum."""
        levels = (len(grouped(codes, rom.address_width if rom else TABLE_BITS)) - 1).bit_length()
        tables = BlockRom.latency if rom else "tables" in registered
        return tables + ("sums" in registered) * max(0, levels - 1)

    @staticmethod
    def fits_block_ram(codes: tuple[VoteCode, ...], rom: RomShape) -> bool:
        """Whether the tables can be in block RAM: each vote has one, not all are constant, and each sum fits a word."""
        if not all(code.tabulated for code in codes) or not any(code.width for code in codes):
            return False
        sums = _sums_of(codes, grouped(codes, rom.address_width))
        return all(_range_shape(group.values()).width <= rom.word_width for group in sums)

    @staticmethod
    def rom_tables(codes: tuple[VoteCode, ...], rom: RomShape) -> list[RomTable]:
        """The tables that are in block RAM, one for each group of trees."""
        groups = grouped(codes, rom.address_width)
        return [
            _rom_table(sums, f"votes of trees {', '.join(map(str, group.trees))}")
            for group, sums in zip(groups, _sums_of(codes, groups), strict=True)
        ]

    @staticmethod
    def model(codes: tuple[VoteCode, ...], numbers: Sequence[int]) -> int:
        """The sum for one code from each tree."""
        return sum(code.lowest + code.steps[number] for code, number in zip(codes, numbers, strict=True))

    def elaborate(self, platform):
        m = Module()

        lowest, idle = _constant_of(self.codes)
        if self.rom:
            terms = self._looked_up(m)
        else:
            groups = grouped(self.codes)
            terms = [
                self._register(m, "tables", self._summed(m, group, sums))
                for group, sums in zip(groups, _sums_of(self.codes, groups), strict=True)
            ]

        while len(terms) > 1:
            pairs = zip(terms[::2], terms[1::2], strict=False)
            rest = terms[len(terms) & ~1 :]
            terms = [first + second for first, second in pairs] + rest
            if len(terms) > 1:
                terms = [self._register(m, "sums", term) for term in terms]

        total = Cat(C(lowest & (1 << idle) - 1, idle), terms[0])
        m.d.comb += self.total.eq(total.as_signed() if terms[0].shape().signed else total)

        return m

    def _summed(self, m: Module, group: Group, sums: Mapping[int, int]) -> Value:
        """The votes of a group from a table in logic, or the vote of a tree that has none."""
        wires = [getattr(self, f"code_{index}") for index in group.trees]
        if not self.codes[group.trees[0]].tabulated:
            _, idle = _constant_of(self.codes)
            return (wires[0] >> idle) + sums[0] if sums[0] else wires[0] >> idle
        summed = Signal(_range_shape(sums.values()))
        with m.Switch(Cat(wires)):
            for select, total in sums.items():
                with m.Case(select):
                    m.d.comb += summed.eq(total)
        return summed

    def _looked_up(self, m: Module) -> list[Value]:
        """The votes of all groups from tables in block RAM."""
        groups = grouped(self.codes, self.rom.address_width)
        signed = [_range_shape(sums.values()).signed for sums in _sums_of(self.codes, groups)]
        tables = self.rom_tables(self.codes, self.rom)
        terms: dict[int, Value] = {}
        for number, sharing in enumerate(self.rom.grouped(tables)):
            m.submodules[f"rom_{number}"] = rom = BlockRom(tables=tuple(tables[index] for index in sharing))
            m.d.comb += rom.enable.eq(self.enable)
            for port, index in enumerate(sharing):
                codes = Cat(getattr(self, f"code_{tree}") for tree in groups[index].trees)
                m.d.comb += getattr(rom, f"address_{port}").eq(codes)
                word = getattr(rom, f"word_{port}")
                terms[index] = word.as_signed() if signed[index] else word
        return [terms[index] for index in range(len(groups))]

    def _register(self, m: Module, boundary: str, value: Value) -> Value:
        if boundary not in self.registered:
            return value
        register = Signal.like(value, reset_less=True)
        with m.If(self.enable):
            m.d.sync += register.eq(value)
        return register


def _constant_of(codes: Sequence[VoteCode]) -> tuple[int, int]:
    """The sum of the lowest votes, and how many low bits no vote changes."""
    steps = [step for code in codes for step in code.steps.values()]
    return sum(code.lowest for code in codes), _trailing_zeros(steps)


def _sums_of(codes: Sequence[VoteCode], groups: Sequence[Group]) -> list[dict[int, int]]:
    """For every group the sum for all codes of its trees, the first lowest, without the bits that no vote changes.

    The constant is in those of the first group. Of a tree without table only the sum for code 0 is there.
    """
    lowest, idle = _constant_of(codes)
    tables = []
    for index, group in enumerate(groups):
        sums, position = {0: lowest >> idle if index == 0 else 0}, 0
        for code in (codes[tree] for tree in group.trees if codes[tree].tabulated):
            sums = {
                select | number << position: total + (step >> idle)
                for select, total in sums.items()
                for number, step in code.steps.items()
            }
            position += code.width
        tables.append(sums)
    return tables


def _rom_table(sums: Mapping[int, int], holds: str) -> RomTable:
    """The sums as words in two's complement, and zeros where no code is."""
    width = _range_shape(sums.values()).width
    depth = 1 << max(1, max(sums).bit_length())
    return RomTable(width, tuple(sums.get(select, 0) & (1 << width) - 1 for select in range(depth)), holds)


def _trailing_zeros(numbers: list[int]) -> int:
    """Low bits that are zero in all numbers; none when the numbers are all zero."""
    together = 0
    for number in numbers:
        together |= number
    return max((together & -together).bit_length() - 1, 0)


def _range_shape(numbers: Iterable[int]) -> Shape:
    return Shape.cast(range(min(numbers), max(numbers) + 1))
