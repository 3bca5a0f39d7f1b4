"""The sum: the total of the circuit is the sum of the votes, adder by adder.

Every word between the codes and the total is an exact integer: a table over the codes of a few trees, in gates or in
block RAM, or a sum of two words. An adder is exact when the range of its sum fits its word, since then nothing is lost.
So the total is a sum of tables. It equals the sum of the votes when each table, tried with all codes, equals the votes
of one group of trees but for a constant, every tree is in one group, and the constants cancel. Trees may share bits of
their codes, as equal ones do: what holds for all codes holds for those that can come together.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from hdl.vote_adder import grouped
from hdl.vote_code import TABLE_BITS, VoteCode

from ..errors import CheckFailed
from .moving import OUTPUT_OF
from .netlist import Adder, Bit, Gate, Netlist, Register
from .rom import Lookup

__all__ = ["prove_sum"]


class _Word(NamedTuple):
    """A word: the range that it stays in, and ``offset``, how far the total is above the votes because of it."""

    lowest: int
    highest: int
    offset: int


class _Group(NamedTuple):
    """Trees whose votes one table adds up, and the nets of their codes."""

    trees: tuple[int, ...]
    bits: frozenset[int]


class _Sums:
    """Turns words of a netlist into sums of votes; a table uses up the group of trees that it is for."""

    def __init__(
        self,
        netlist: Netlist,
        codes: Sequence[VoteCode],
        nets: Sequence[Sequence[Bit]],
        numbers: Sequence[int],
        table_bits: int,
    ):
        self._netlist, self._codes, self._nets, self._numbers = netlist, codes, nets, numbers
        self._code_bits = frozenset(bit for bits in nets for bit in bits if isinstance(bit, int))
        self.unused = [
            _Group(group.trees, frozenset(bit for tree in group.trees for bit in nets[tree] if isinstance(bit, int)))
            for group in grouped(tuple(codes), table_bits)
        ]

    def word(self, bits: Sequence[Bit], signed: bool, scale: int = 1) -> _Word:
        """The integer that a word is, by its sign; the total counts it ``scale`` times."""
        bits = [self._behind_registers(bit) for bit in bits]
        if "x" in bits:
            raise CheckFailed(f"{self._netlist.name}: a bit that votes are added up in is undefined")
        low = next((at for at, bit in enumerate(bits) if isinstance(bit, int)), len(bits))
        constant = sum(1 << at for at, bit in enumerate(bits[:low]) if bit == "1")
        if low == len(bits):
            constant -= 1 << len(bits) if signed and bits and bits[-1] == "1" else 0
            return _Word(constant, constant, constant * scale)
        is_sum = isinstance(self._netlist.drivers.get(bits[low]), Adder)
        upper = (self._sum if is_sum else self._table)(bits[low:], signed, scale << low)
        lowest, highest = ((end << low) + constant for end in (upper.lowest, upper.highest))
        return _Word(lowest, highest, upper.offset + constant * scale)

    def _sum(self, bits: list[Bit], signed: bool, scale: int) -> _Word:
        adder = self._netlist.drivers[bits[0]]
        if adder.bit != 0:
            raise self._strange(bits[0])
        count = next((at for at, bit in enumerate(bits) if at >= len(adder.y) or bit != adder.y[at]), len(bits))
        # Behind the word of the adder there may be more of its sign or zeros.
        extension = set(bits[count:])
        if extension - {"0"} and not (signed and extension == {bits[count - 1]}):
            raise self._strange(bits[0])
        signed = signed and extension != {"0"}
        a, b = (self.word(word, adder.signed, scale) for word in (adder.a, adder.b))
        lowest, highest = a.lowest + b.lowest, a.highest + b.highest
        least, most = (-(1 << count - 1), (1 << count - 1) - 1) if signed else (0, (1 << count) - 1)
        if lowest < least or highest > most:
            raise CheckFailed(
                f"{self._netlist.name}: adder {adder.name} reaches from {lowest} to {highest}, its word only from "
                f"{least} to {most}"
            )
        return _Word(lowest, highest, a.offset + b.offset)

    def _table(self, bits: list[Bit], signed: bool, scale: int) -> _Word:
        """A word of gates: the votes of a group that has all the codes it reads, tried with all codes."""
        cone = list(self._netlist.cone(bits, self._code_bits))
        read = {other for bit in cone for other in self._netlist.reads(bit)} | set(bits)
        said = []
        for group in self.unused:
            if read & self._code_bits <= group.bits:
                offsets: dict[int, str] = {}
                values = []
                for key, nets in self._keys_of(group):
                    values.append(self._value(bits, cone, nets, signed))
                    votes = sum(
                        self._codes[tree].lowest + self._codes[tree].steps[code]
                        for tree, code in zip(group.trees, key, strict=True)
                    )
                    offsets.setdefault(values[-1] * scale - votes, self._described(group, key))
                if len(offsets) == 1:
                    self.unused.remove(group)
                    return _Word(min(values), max(values), *offsets)
                said += list(offsets.values())[1:2]
        where = f"not the votes of {said[0]}" if said else "of no group of trees"
        raise CheckFailed(f"{self._netlist.name}: net {self._name(bits[0])} begins a word that is {where}")

    def _keys_of(self, group: _Group) -> Iterator[tuple[tuple[int, ...], dict[Bit, bool]]]:
        """All codes that the trees can have together, with what the nets are: shared bits and constants agree."""
        for key in itertools.product(*(self._codes[tree].steps for tree in group.trees)):
            nets: dict[Bit, bool] = {"0": False, "1": True}
            agree = True
            for tree, code in zip(group.trees, key, strict=True):
                for at, bit in enumerate(self._nets[tree]):
                    agree = agree and nets.setdefault(bit, bool(code >> at & 1)) == bool(code >> at & 1)
            if agree:
                yield key, nets

    def _value(self, bits: list[Bit], cone: list[int], nets: Mapping[Bit, bool], signed: bool) -> int:
        values = dict(nets)
        for bit in cone:
            driver = self._netlist.drivers.get(bit)
            match driver:
                case Register(data=data) if data != "x":
                    values[bit] = values[data]
                case Gate(kind, reads) if "x" not in reads:
                    values[bit] = bool(OUTPUT_OF[kind](*(values[read] for read in reads)))
                case Lookup(address=address, table=table) if "x" not in address:
                    values[bit] = bool(table >> sum(values[read] << at for at, read in enumerate(address)) & 1)
                case _:
                    raise self._strange(bit)
        number = sum(values[bit] << at for at, bit in enumerate(bits))
        return number - (1 << len(bits) if signed and values[bits[-1]] else 0)

    def votes_without_table(self) -> int:
        """The votes of the groups that no table was for; each must be constant."""
        total = 0
        for group in self.unused:
            votes = {
                sum(
                    self._codes[tree].lowest + self._codes[tree].steps[code]
                    for tree, code in zip(group.trees, key, strict=True)
                )
                for key, _ in self._keys_of(group)
            }
            if len(votes) > 1:
                raise CheckFailed(
                    f"{self._netlist.name}: the vote of tree {self._numbers[group.trees[0]]} is not in the sum"
                )
            total += votes.pop()
        return total

    def _behind_registers(self, bit: Bit) -> Bit:
        while bit not in self._code_bits and isinstance(driver := self._netlist.drivers.get(bit), Register):
            bit = driver.data
        return bit

    def _described(self, group: _Group, key: tuple[int, ...]) -> str:
        return ", ".join(
            f"tree {self._numbers[tree]} with code {code}" for tree, code in zip(group.trees, key, strict=True)
        )

    def _name(self, bit: Bit) -> Bit:
        return self._netlist.names.get(bit, bit)

    def _strange(self, bit: Bit) -> CheckFailed:
        return CheckFailed(f"{self._netlist.name}: net {self._name(bit)} is no word that votes are added up in")


def prove_sum(
    netlist: Netlist,
    codes: Sequence[VoteCode],
    nets: Sequence[Sequence[Bit]],
    total: Sequence[Bit],
    *,
    numbers: Sequence[int] | None = None,
    table_bits: int = TABLE_BITS,
) -> None:
    """Prove that the signed word ``total`` is the sum of the votes whose codes are on ``nets``.

    ``numbers`` are those of the trees in messages, where they are not 0, 1, … ``table_bits`` of codes are looked up
    together: what is proved does not hang on that, only whether the tables are found.

    Raises :class:`CheckFailed` with the trees and codes for which it is not.
    """
    sums = _Sums(netlist, codes, nets, range(len(codes)) if numbers is None else numbers, table_bits)
    offset = sums.word(total, signed=True).offset - sums.votes_without_table()
    if offset:
        raise CheckFailed(f"{netlist.name}: the sum of the votes is {offset:+} too much for every flow")
