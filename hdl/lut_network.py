"""LutNetwork: combinational logic as lookup tables of at most four inputs, the cells of the FPGAs we build for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["FALSE", "LUT_INPUTS", "TRUE", "Lut", "LutNetwork", "NetworkBuilder"]

LUT_INPUTS = 4

FALSE, TRUE = 0, 1
"""The numbers of the constant nodes."""

_CONSTANTS = 2


class Lut(NamedTuple):
    """One table: bit n of ``table`` is the output when the inputs, the first in bit 0, read n. Inputs are nodes."""

    table: int
    inputs: tuple[int, ...]


@dataclass(frozen=True)
class LutNetwork:
    """Tables that read inputs, constants and each other.

    Nodes are numbered: 0 and 1 are the constants, then come the inputs, then the tables, each behind all it reads.

    Parameters
    ----------
    inputs: how many there are
    luts: the tables
    outputs: nodes
    """

    inputs: int
    luts: tuple[Lut, ...]
    outputs: tuple[int, ...]

    def __post_init__(self):
        for index, lut in enumerate(self.luts):
            if not 1 <= len(lut.inputs) <= LUT_INPUTS or lut.table not in range(1 << (1 << len(lut.inputs))):
                raise ValueError(f"Table {index} must have 1 to {LUT_INPUTS} inputs and a bit for each of their values")
            if not all(0 <= node < self.first_lut + index for node in lut.inputs):
                raise ValueError(f"Table {index} must read nodes before it, not {lut.inputs!r}")
        if not all(0 <= node < self.first_lut + len(self.luts) for node in self.outputs):
            raise ValueError(f"Outputs must be nodes of the network, not {self.outputs!r}")

    @property
    def first_lut(self) -> int:
        """Number of the first table."""
        return _CONSTANTS + self.inputs

    @cached_property
    def levels(self) -> tuple[int, ...]:
        """For every node, the tables on the longest way to it from an input."""
        levels = [0] * self.first_lut
        for lut in self.luts:
            levels.append(1 + max(levels[node] for node in lut.inputs))
        return tuple(levels)

    @cached_property
    def depth(self) -> int:
        """The most tables between an input and an output."""
        return max((self.levels[node] for node in self.outputs), default=0)

    def evaluate(self, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The outputs, shape (rows, outputs), for rows of inputs, shape (rows, inputs)."""
        nodes = [np.zeros(len(rows), bool), np.ones(len(rows), bool), *np.asarray(rows, bool).T]
        for lut in self.luts:
            select = np.zeros(len(rows), np.uint8)
            for position, node in enumerate(lut.inputs):
                select |= nodes[node].astype(np.uint8) << position
            table = np.array([lut.table >> value & 1 for value in range(1 << len(lut.inputs))], bool)
            nodes.append(table[select])
        return np.array([nodes[node] for node in self.outputs], bool).reshape(len(self.outputs), len(rows)).T


class NetworkBuilder:
    """Collects tables; equal ones become one, and what a constant or a repeated input makes superfluous is left out."""

    def __init__(self, inputs: int):
        self.inputs = range(_CONSTANTS, _CONSTANTS + inputs)
        self._luts: list[Lut] = []
        self._known: dict[Lut, int] = {}

    def lut(self, table: int, inputs: Sequence[int]) -> int:
        """The node of a table over some nodes."""
        table, nodes = _reduced(table, tuple(inputs))
        if not nodes:
            return TRUE if table else FALSE
        if (table, len(nodes)) == (0b10, 1):
            return nodes[0]
        lut = Lut(table, nodes)
        if lut not in self._known:
            self._known[lut] = self.inputs.stop + len(self._luts)
            self._luts.append(lut)
        return self._known[lut]

    def function(self, inputs: Sequence[int], output: Callable[[int], bool]) -> int:
        """The node of a table given as a function of what its inputs read, the first in bit 0."""
        return self.lut(sum(bool(output(value)) << value for value in range(1 << len(inputs))), inputs)

    def select(self, select: int, when_set: int, when_clear: int) -> int:
        """A multiplexer."""
        return self.lut(0b1100_1010, (when_clear, when_set, select))

    def network(self, outputs: Sequence[int]) -> LutNetwork:
        """What has been built, without tables that no output reads."""
        first = self.inputs.stop
        read = set(outputs)
        for index in reversed(range(len(self._luts))):
            if first + index in read:
                read.update(self._luts[index].inputs)
        number = {node: node for node in range(first)}
        kept = []
        for index, lut in enumerate(self._luts):
            if first + index in read:
                number[first + index] = first + len(kept)
                kept.append(Lut(lut.table, tuple(number[node] for node in lut.inputs)))
        return LutNetwork(len(self.inputs), tuple(kept), tuple(number[node] for node in outputs))


def _reduced(table: int, nodes: tuple[int, ...]) -> Lut:
    """The same function of ascending, distinct nodes, each of which changes it."""
    used = sorted(set(nodes) - {FALSE, TRUE})

    def output(select: int) -> int:
        value = {FALSE: 0, TRUE: 1} | {node: select >> position & 1 for position, node in enumerate(used)}
        return table >> sum(value[node] << position for position, node in enumerate(nodes)) & 1

    outputs = [output(select) for select in range(1 << len(used))]
    for position in reversed(range(len(used))):
        clear = [bit for select, bit in enumerate(outputs) if not select >> position & 1]
        if clear == [bit for select, bit in enumerate(outputs) if select >> position & 1]:
            outputs = clear
            del used[position]
    return Lut(sum(bit << select for select, bit in enumerate(outputs)), tuple(used))
