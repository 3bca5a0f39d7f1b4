"""WalkerTable: a forest as the rows of the memories that a tree walker reads.

One walk goes through all trees of a forest: behind a leaf it goes on with the root of the next tree, which stands in
the next row, and behind the last row of all roots with row 0, the **gate**, where a walk waits for a flow. Behind the
trees stand two rows that test nothing and move the score by the ends of the band, so that its sign tells the verdict
and no comparison with the band is needed beside the memories.
"""

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .forest_parameters import ForestParameters
from .tree import Leaf, Tree

__all__ = ["GATE", "Side", "TestRow", "WalkerTable"]

GATE = 0
"""The row where a walk begins and ends.

Its pointer is the row of the first root. Its sides are leaves: a walk that comes there out of reset, with root 0 before
it, stays.
"""


class Side(NamedTuple):
    """Where a walk goes on one side of a test: to a leaf, with the number of its vote in its tree, or to a test."""

    is_leaf: bool
    number: int = 0


class TestRow(NamedTuple):
    """A test: ``x[feature] <= threshold`` goes left.

    ``pointer`` is the row of the child that is a test. Of two, the left one lies there, in an even row, and the right
    one behind it.
    """

    feature: int = 0
    threshold: int = 0
    pointer: int = GATE
    left: Side = Side(False)
    right: Side = Side(False)

    @property
    def both(self) -> bool:
        """Whether the row of the child depends on the side."""
        return not (self.left.is_leaf or self.right.is_leaf)


_CONSTANT = TestRow(left=Side(True), right=Side(True))
"""Adds the first vote, whatever the flow is."""

_VERDICT_ROWS = 2


@dataclass(frozen=True, kw_only=True)
class WalkerTable:
    """The memories of a walker.

    Attributes
    ----------
    rows:
        The tests. Those that nothing leads to lead to the gate.
    votes:
        For every root, what each number of a leaf adds to the score.
    root_bits:
        Of the row of a root: the last root has the highest number of so many bits.
    score_bits:
        Of the score, signed, and of all that it becomes on the way.
    most_visits:
        Rows other than the gate that a walk visits at most.
    """

    rows: tuple[TestRow, ...]
    votes: tuple[tuple[int, ...], ...]
    root_bits: int
    score_bits: int
    most_visits: int

    @classmethod
    @functools.lru_cache(maxsize=4)
    def of(cls, forest: ForestParameters, *, root_bits: int | None = None) -> "WalkerTable":
        """The table of a forest; ``root_bits`` may be more than are needed."""
        votes, score_bits = _votes(forest)
        root_bits = root_bits or len(votes).bit_length()
        return cls(
            rows=_lay_out(_Subtrees(forest.trees), root_bits),
            votes=votes,
            root_bits=root_bits,
            score_bits=score_bits,
            most_visits=sum(max(tree.depth, 1) for tree in forest.trees) + _VERDICT_ROWS,
        )

    def walk(self, features: Sequence[int]) -> tuple[int, int, int]:
        """Score, verdict, and how many rows other than the gate are visited, for one flow."""
        first = self.rows[GATE].pointer
        at = root = first
        score = visits = 0
        before: list[int] = []
        while at != GATE:
            row = self.rows[at]
            goes_left = features[row.feature] <= row.threshold
            side = row.left if goes_left else row.right
            visits += 1
            if side.is_leaf:
                before.append(score)
                score += self.votes[root - first][side.number]
                root += 1
                at = root % (1 << self.root_bits)
            else:
                at = row.pointer + (row.both and not goes_left)
        above, below = before[-2] >= 0, before[-1] < 0
        return score, above - below, visits


class _Subtrees:
    """All distinct subtrees of some trees, by number; leaves differ only in the number of their vote.

    Attributes
    ----------
    content: of a leaf its number alone; of a test feature, threshold and the numbers of its left and right subtree
    roots: the number of each tree
    """

    def __init__(self, trees: Sequence[Tree]):
        self._numbers: dict[tuple[int, ...], int] = {}
        self.content: list[tuple[int, ...]] = []
        self.roots = [self._enter(tree) for tree in trees]

    def _enter(self, tree: Tree) -> int:
        values = sorted(tree.leaf_values)
        number_of: dict[int, int] = {}
        for at in tree.children_first():
            node = tree.nodes[at]
            if isinstance(node, Leaf):
                content: tuple[int, ...] = (values.index(node.value),)
            else:
                content = (node.feature, node.threshold, number_of[node.left], number_of[node.right])
            number_of[at] = self._numbers.setdefault(content, len(self.content))
            if number_of[at] == len(self.content):
                self.content.append(content)
        return number_of[0]

    def is_leaf(self, subtree: int) -> bool:
        return len(self.content[subtree]) == 1

    def tests_below(self, subtree: int) -> tuple[int, ...]:
        """The children of a subtree that are tests."""
        return tuple(child for child in self.content[subtree][2:] if not self.is_leaf(child))


def _lay_out(subtrees: _Subtrees, root_bits: int) -> tuple[TestRow, ...]:
    """The gate and, up to a power of two, the roots; pairs of tests and single ones where there is room."""
    below = [subtrees.tests_below(subtree) for subtree in range(len(subtrees.content))]
    after = 1 << root_bits
    first = after - _VERDICT_ROWS - len(subtrees.roots)
    held: dict[int, int] = dict(enumerate(subtrees.roots, first))

    free = itertools.chain(range(2, first - 1, 2), itertools.count(after, 2))
    pointers: dict[tuple[int, ...], int] = {(): GATE}
    for children in below:
        if len(children) == 2 and children not in pointers:
            pointers[children] = row = next(free)
            held |= {row: children[0], row + 1: children[1]}
    row_of = {subtree: row for row, subtree in held.items()}
    free = (row for row in itertools.count(1) if row not in held and row not in range(first, after))
    for children in below:
        if len(children) == 1 and children not in pointers:
            if children[0] not in row_of:
                row_of[children[0]] = row = next(free)
                held[row] = children[0]
            pointers[children] = row_of[children[0]]

    rows = [TestRow()] * max(after, 1 + max(held))
    rows[GATE] = _CONSTANT._replace(pointer=first)
    rows[after - _VERDICT_ROWS : after] = [_CONSTANT] * _VERDICT_ROWS
    for row, subtree in held.items():
        rows[row] = _row(subtrees, subtree, pointers[below[subtree]])
    return tuple(rows)


def _row(subtrees: _Subtrees, subtree: int, pointer: int) -> TestRow:
    if subtrees.is_leaf(subtree):
        return _CONSTANT
    feature, threshold, *children = subtrees.content[subtree]
    left, right = (Side(True, *subtrees.content[at]) if subtrees.is_leaf(at) else Side(False) for at in children)
    return TestRow(feature, threshold, pointer, left, right)


def _votes(forest: ForestParameters) -> tuple[tuple[tuple[int, ...], ...], int]:
    """Votes of all roots, and the bits of the score."""
    votes = [tuple(tree.weight * value for value in sorted(tree.leaf_values)) for tree in forest.trees]
    lowest, highest = sum(map(min, votes)), sum(map(max, votes))
    # A band beyond all scores decides the same at their end, and keeps what is added narrow.
    above = min(max(forest.hi, lowest - 1), highest) + 1
    below = min(max(forest.lo, lowest), highest + 1)
    # With the first tree the score drops by the upper end: after the last it is negative unless it is above the band.
    # The verdict rows make it negative if it is below the band, and itself again.
    dropped = tuple(vote - above for vote in votes[0])
    ends = (lowest, highest, lowest - above, highest - above, lowest - below, highest - below)
    score_bits = 1 + max((end if end >= 0 else ~end).bit_length() for end in ends)
    return (dropped, *votes[1:], (above - below,), (below,)), score_bits
