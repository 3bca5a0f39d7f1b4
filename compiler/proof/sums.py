"""The sum: the total of the circuit is the sum of the votes, adder by adder.

Every word between the codes and the total is an exact integer: a table over the codes of a few trees, or a sum of two
words. A table is tried with all codes; an adder is exact when the range of its sum fits its word, since then nothing
is lost. The total is then a sum of tables, each of trees of its own, and equals the sum of the votes when each table
equals the votes of its trees but for a constant, and those constants cancel.

Trees that share a bit of their codes, as equal ones do, are one *group* here.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hdl.vote_code import VoteCode

from ..errors import CheckFailed
from .moving import OUTPUT_OF
from .netlist import Adder, Bit, Gate, Netlist, Register

__all__ = ["prove_sum"]

_MOST_KEYS = 1 << 16
"""Of a table."""


@dataclass(frozen=True)
class _Group:
    """Trees with codes that share bits, and all codes they can have together; ``bits`` says which net is which bit."""

    trees: tuple[int, ...]
    keys: tuple[tuple[int, ...], ...]
    bits: Mapping[int, tuple[int, int]]

    def votes(self, key: tuple[int, ...], codes: Sequence[VoteCode]) -> int:
        """The sum of the votes."""
        return sum(codes[tree].lowest + codes[tree].steps[code] for tree, code in zip(self.trees, key, strict=True))

    def values(self, key: tuple[int, ...]) -> dict[Bit, bool]:
        """What the nets are."""
        return {bit: bool(key[place] >> at & 1) for bit, (place, at) in self.bits.items()}


def _groups(codes: Sequence[VoteCode], nets: Sequence[Sequence[Bit]]) -> list[_Group]:
    trees_of: dict[int, list[int]] = defaultdict(list)
    for tree, bits in enumerate(nets):
        for bit in bits:
            if isinstance(bit, int):
                trees_of[bit].append(tree)
    parents = list(range(len(nets)))

    def root(tree: int) -> int:
        while parents[tree] != tree:
            tree = parents[tree]
        return tree

    for first, *others in trees_of.values():
        for other in others:
            parents[root(other)] = root(first)
    members: dict[int, list[int]] = defaultdict(list)
    for tree in range(len(nets)):
        members[root(tree)].append(tree)
    return [_group(tuple(trees), codes, nets) for trees in members.values()]


def _group(trees: tuple[int, ...], codes: Sequence[VoteCode], nets: Sequence[Sequence[Bit]]) -> _Group:
    bits: dict[int, tuple[int, int]] = {}
    # Tree by tree, only what agrees on shared bits; a bit that is a constant agrees with that alone.
    keys: list[tuple[tuple[int, ...], dict[Bit, int]]] = [((), {"0": 0, "1": 1})]
    for place, tree in enumerate(trees):
        grown = []
        for (key, values), code in itertools.product(keys, codes[tree].steps):
            more = {bit: code >> at & 1 for at, bit in enumerate(nets[tree])}
            if all(values.get(bit, value) == value for bit, value in more.items()):
                grown.append(((*key, code), values | more))
        keys = grown
        bits |= {bit: (place, at) for at, bit in enumerate(nets[tree]) if isinstance(bit, int)}
    return _Group(trees, tuple(key for key, _ in keys), bits)


_Numbers = tuple[int, ...]
_Table = Mapping[tuple[tuple[int, ...], ...], int]


@dataclass(frozen=True)
class _Sum:
    """A word: ``constant`` and for some groups together a table from the key of each to a number."""

    constant: int
    tables: Mapping[_Numbers, _Table]

    @property
    def range(self) -> tuple[int, int]:
        lows = sum(min(table.values()) for table in self.tables.values())
        highs = sum(max(table.values()) for table in self.tables.values())
        return self.constant + lows, self.constant + highs


class _Words:
    """Turns words of a netlist into sums."""

    def __init__(self, netlist: Netlist, groups: Sequence[_Group]):
        self._netlist, self._groups = netlist, groups
        self._group_of = {bit: number for number, group in enumerate(groups) for bit in group.bits}

    def value(self, bits: Sequence[Bit], signed: bool) -> _Sum:
        """The integer that a word is, by its sign."""
        bits = [self._behind_registers(bit) for bit in bits]
        low = next((at for at, bit in enumerate(bits) if isinstance(bit, int)), len(bits))
        constant = sum(1 << at for at, bit in enumerate(bits[:low]) if bit == "1")
        if low == len(bits):
            return _Sum(constant - (1 << len(bits) if signed and bits and bits[-1] == "1" else 0), {})
        upper = self._upper(bits[low:], signed)
        return _Sum(
            constant + (upper.constant << low),
            {groups: {key: value << low for key, value in table.items()} for groups, table in upper.tables.items()},
        )

    def _upper(self, bits: list[Bit], signed: bool) -> _Sum:
        driver = self._netlist.drivers.get(bits[0])
        if not isinstance(driver, Adder):
            return self._table(bits, signed)
        if driver.bit != 0:
            raise self._strange(bits[0])
        count = next((at for at, bit in enumerate(bits) if at >= len(driver.y) or bit != driver.y[at]), len(bits))
        # Behind the word of the adder there may be more of its sign or zeros.
        extension = set(bits[count:])
        if extension - {"0"} and not (signed and extension == {bits[count - 1]}):
            raise self._strange(bits[0])
        taken_signed = signed and extension != {"0"}
        total = self._added(driver)
        lowest, highest = total.range
        least, most = (-(1 << count - 1), (1 << count - 1) - 1) if taken_signed else (0, (1 << count) - 1)
        if lowest < least or highest > most:
            raise CheckFailed(
                f"{self._netlist.name}: adder {driver.name} reaches from {lowest} to {highest}, its word only from "
                f"{least} to {most}"
            )
        return total

    def _added(self, adder: Adder) -> _Sum:
        a, b = self.value(adder.a, adder.signed), self.value(adder.b, adder.signed)
        tables = dict(a.tables)
        for groups, table in b.tables.items():
            # Tables that share a group become one, so that groups stay independent of each other.
            while shared := next((other for other in tables if set(other) & set(groups)), None):
                groups, table = self._joined(shared, tables.pop(shared), groups, table)
            tables[groups] = table
        return _Sum(a.constant + b.constant, tables)

    def _joined(self, one: _Numbers, of_one: _Table, two: _Numbers, of_two: _Table) -> tuple[_Numbers, _Table]:
        groups = tuple(sorted({*one, *two}))
        table = {}
        for keys in self._keys_of(groups):
            key_of = dict(zip(groups, keys, strict=True))
            table[keys] = of_one[tuple(key_of[g] for g in one)] + of_two[tuple(key_of[g] for g in two)]
        return groups, table

    def _keys_of(self, groups: _Numbers) -> Iterator[tuple[tuple[int, ...], ...]]:
        """All keys of some groups together."""
        if math.prod(len(self._groups[group].keys) for group in groups) > _MOST_KEYS:
            tree = self._groups[groups[0]].trees[0]
            raise CheckFailed(f"{self._netlist.name}: the vote of tree {tree} meets too many others in one table")
        return itertools.product(*(self._groups[group].keys for group in groups))

    def _table(self, bits: list[Bit], signed: bool) -> _Sum:
        """A word of gates: all codes of the trees that it reads are tried."""
        cone = list(self._netlist.cone(bits, frozenset(self._group_of)))
        read = {other for bit in cone for other in self._netlist.reads(bit)} | set(bits)
        groups = tuple(sorted({self._group_of[bit] for bit in read if bit in self._group_of}))
        table = {}
        for keys in self._keys_of(groups):
            values: dict[Bit, bool] = {"0": False, "1": True}
            for group, key in zip(groups, keys, strict=True):
                values |= self._groups[group].values(key)
            for bit in cone:
                values[bit] = self._evaluate(bit, values)
            number = sum(values[bit] << at for at, bit in enumerate(bits))
            table[keys] = number - (1 << len(bits) if signed and values[bits[-1]] else 0)
        return _Sum(0, {groups: table})

    def _evaluate(self, bit: int, values: Mapping[Bit, bool]) -> bool:
        match self._netlist.drivers.get(bit):
            case Register(data=data):
                return values[data]
            case Gate(kind, reads):
                return bool(OUTPUT_OF[kind](*(values[other] for other in reads)))
        raise self._strange(bit)

    def _behind_registers(self, bit: Bit) -> Bit:
        while bit not in self._group_of and isinstance(driver := self._netlist.drivers.get(bit), Register):
            bit = driver.data
        return bit

    def _strange(self, bit: Bit) -> CheckFailed:
        name = self._netlist.names.get(bit, bit)
        return CheckFailed(f"{self._netlist.name}: net {name} is no word that votes are added up in")


def prove_sum(
    netlist: Netlist, codes: Sequence[VoteCode], nets: Sequence[Sequence[Bit]], total: Sequence[Bit]
) -> tuple[int, int]:
    """Prove that the signed word ``total`` is the sum of the votes whose codes are on ``nets``; give its range.

    Raises :class:`CheckFailed` with the trees and codes for which it is not.
    """
    groups = _groups(codes, nets)
    found = _Words(netlist, groups).value(total, signed=True)
    offset = found.constant
    for numbers, table in found.tables.items():
        chosen = [groups[number] for number in numbers]
        differences = {
            keys: value - sum(group.votes(key, codes) for group, key in zip(chosen, keys, strict=True))
            for keys, value in table.items()
        }
        first = next(iter(differences.values()))
        for keys, difference in differences.items():
            if difference != first:
                said = ", ".join(
                    f"tree {tree} code {code}"
                    for group, key in zip(chosen, keys, strict=True)
                    for tree, code in zip(group.trees, key, strict=True)
                )
                raise CheckFailed(f"{netlist.name}: the votes of {said} count {difference - first:+} too much")
        offset += first
    added = {number for numbers in found.tables for number in numbers}
    for number, group in enumerate(groups):
        if number not in added:
            votes = {group.votes(key, codes) for key in group.keys}
            if len(votes) > 1:
                raise CheckFailed(f"{netlist.name}: the vote of tree {group.trees[0]} is not in the sum")
            offset -= votes.pop()
    if offset:
        raise CheckFailed(f"{netlist.name}: the sum of the votes is {offset:+} too much for every flow")
    return found.range
