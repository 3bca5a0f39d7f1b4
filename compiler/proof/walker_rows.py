"""WalkerRows: what the memories of a lane hold at the start, as the step of a walk reads it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from hdl.walker_parameters import WalkerSize
from hdl.walker_table import GATE, Side

from ..errors import CheckFailed
from .walker_netlist import WalkerNetlist

__all__ = ["Row", "WalkerRows"]


class Row(NamedTuple):
    """A row of the tables, whatever it says. ``threshold`` is the greatest value that goes left."""

    feature: int
    threshold: int
    pointer: int
    left: Side
    right: Side

    def side(self, greater: bool) -> Side:
        """Where a walk goes."""
        return self.right if greater else self.left

    def child(self, greater: bool) -> int:
        """The row behind a side that is no leaf."""
        return self.pointer | (greater and not self.left.is_leaf and not self.right.is_leaf)


@dataclass(frozen=True)
class WalkerRows:
    """The tables of a lane; of double ones those that are in use at the start.

    Attributes
    ----------
    name:
        Of the lane, for messages.
    size:
        Of the tables.
    selectors, thresholds, links, votes:
        Their words, None where it is not said what they are.
    """

    name: str
    size: WalkerSize
    selectors: tuple[int | None, ...]
    thresholds: tuple[int | None, ...]
    links: tuple[int | None, ...]
    votes: tuple[int | None, ...]

    @classmethod
    def of(cls, netlist: WalkerNetlist, lane: int, size: WalkerSize) -> "WalkerRows":
        """Read from the contents of the memories."""
        words = {}
        for name, (_, bits) in size.tables.items():
            memory = netlist.lane_memory(lane, name)
            if len(memory.words) < 1 << bits:
                raise CheckFailed(f"{netlist.name}: memory {memory.name} must have {1 << bits} words at least")
            words[name] = memory.words[: 1 << bits]
        return cls(f"{netlist.name}.lane_{lane}", size, **words)

    @property
    def root_mask(self) -> int:
        """The last root."""
        return (1 << self.size.root_bits) - 1

    def row(self, number: int) -> Row:
        """One row; :class:`CheckFailed` if it is not said what it holds."""
        selector, inverted, link = (self._word(name, number) for name in (self.selectors, self.thresholds, self.links))
        number_bits, side_bits = self.size.number_bits, self.size.number_bits + 1
        sides = link >> self.size.row_bits
        left, right = (sides >> at & (1 << side_bits) - 1 for at in (0, side_bits))
        return Row(
            selector,
            (1 << self.size.value_bits) - 1 - inverted,
            link & (1 << self.size.row_bits) - 1,
            *(Side(bool(side >> number_bits), side & (1 << number_bits) - 1) for side in (left, right)),
        )

    def vote(self, side: Side, next_root: int) -> int:
        """What a side adds to the score, by the root that comes next; a signed number."""
        number_bits = self.size.number_bits
        word = self._word(self.votes, side.number | side.is_leaf << number_bits | next_root << number_bits + 1)
        return word - (1 << self.size.score_bits if word >> self.size.score_bits - 1 else 0)

    @cached_property
    def gate(self) -> Row:
        """The row where a walk begins and ends."""
        return self.row(GATE)

    @property
    def first(self) -> int:
        """The first root."""
        return self.gate.pointer & self.root_mask

    def _word(self, words: Sequence[int | None], at: int) -> int:
        if (word := words[at]) is None:
            raise CheckFailed(f"{self.name}: word {at} of a table that a walk comes to is undefined")
        return word
