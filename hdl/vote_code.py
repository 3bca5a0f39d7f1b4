"""VoteCode: how the vote of one tree travels from the tree to the adder."""

from collections.abc import Mapping
from dataclasses import dataclass

from .tree import Tree

__all__ = ["TABLE_BITS", "VoteCode"]

TABLE_BITS = 4
"""Inputs of a LUT: a table of so many vote bits costs one LUT a bit of its sum."""


@dataclass(frozen=True)
class VoteCode:
    """How the vote of one tree travels from the tree to the adder.

    A tree of few distinct votes, most often the two of spam and background, sends the number of its vote in ascending
    order, and a table turns that into the vote. A tree of many sends the vote itself, less the lowest.

    Attributes
    ----------
    width:
        Bits of the code.
    lowest:
        The lowest vote.
    steps:
        For every code in use what its vote is above the lowest.
    tabulated:
        Whether codes are numbers of votes, so that ``steps`` is a table.
    """

    width: int
    lowest: int
    steps: Mapping[int, int]
    tabulated: bool

    @classmethod
    def of(cls, tree: Tree) -> "VoteCode":
        votes = sorted(tree.weight * value for value in tree.leaf_values)
        steps = [vote - votes[0] for vote in votes]
        width = (len(votes) - 1).bit_length()
        if width <= TABLE_BITS:
            return cls(width, votes[0], dict(enumerate(steps)), True)
        return cls(steps[-1].bit_length(), votes[0], {step: step for step in steps}, False)
