"""The tables of a walker: a walk through them adds up the votes of all trees, and its sign tells the verdict.

What a step does with a row is proved of the gates (``walker_step``). Here all walks are followed, exactly and for all
flows: from the row of each root together with the tree of the forest as it was given, before all passes, splitting the
ranges of the features wherever one of the two tests. Where both have come to a leaf, the votes must be equal. The last
two roots must move the score by the ends of the band: before them its sign tells what is not above the band, between
them what is below, and behind them it must be the sum of the votes.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from hdl.tree import Leaf, Tree
from hdl.walker_table import GATE

from ..errors import CheckFailed
from ..forest import Forest
from .votes import WrongVote
from .walker_rows import WalkerRows

__all__ = ["prove_tables"]

_VERDICT_ROOTS = 2

_Ranges = Mapping[int, tuple[int, int]]
"""Least and greatest value of the features."""


class _Meeting(NamedTuple):
    """A walk and a tree at their leaves: a flow that comes there, the leaf of the tree, what the walk adds."""

    features: tuple[int, ...]
    node: int
    vote: int


def prove_tables(rows: WalkerRows, forest: Forest) -> frozenset[int]:
    """Prove that for every flow a walk ends with the score of the forest and the signs of its verdict.

    Raises :class:`CheckFailed` with a flow, tree and node for which it does not. Gives the rows that walks visit.
    """
    _check_features(rows, forest)
    _check_gate(rows)
    roots = rows.root_mask + 1 - rows.first
    if roots != len(forest.trees) + _VERDICT_ROOTS:
        raise CheckFailed(f"{rows.name}: a walk must visit {len(forest.trees) + _VERDICT_ROOTS} roots, not {roots}")
    walks = _Walks(rows, forest)
    meetings = [list(walks.through(tree, rows.first + number)) for number, tree in enumerate(forest.trees)]
    ends = [walks.constant(rows.root_mask - 1), walks.constant(rows.root_mask)]
    # Only leaves that a flow reaches: circuits are made without the others.
    votes = [
        {tree.weight * tree.nodes[meeting.node].value for meeting in met}
        for tree, met in zip(forest.trees, meetings, strict=True)
    ]
    _check_band(rows, forest, (sum(map(min, votes)), sum(map(max, votes))), *ends)
    for number, (tree, met) in enumerate(zip(forest.trees, meetings, strict=True)):
        dropped = sum(ends) if number == 0 else 0
        for meeting in met:
            expected = tree.weight * tree.nodes[meeting.node].value
            if (wrong := _wrapped(meeting.vote + dropped - expected, rows.size.score_bits)) != 0:
                found = WrongVote(meeting.features, number, meeting.node, expected + wrong, expected)
                raise CheckFailed(f"{rows.name}: {found.describe(forest)}")
    return frozenset({GATE, *walks.visited})


def _check_features(rows: WalkerRows, forest: Forest) -> None:
    """The banks hold every feature of a flow, and all its bits."""
    widest = max(column.bits for column in forest.columns)
    if widest > rows.size.value_bits or len(forest.columns) > 1 << rows.size.index_bits:
        raise CheckFailed(
            f"{rows.name}: a flow has {len(forest.columns)} features of up to {widest} bits; there is room for "
            f"{1 << rows.size.index_bits} of {rows.size.value_bits}"
        )


def _check_gate(rows: WalkerRows) -> None:
    """At the gate a walk stays until it takes a flow, and the score as it is."""
    gate = rows.gate
    if not (gate.left.is_leaf and gate.right.is_leaf):
        raise CheckFailed(f"{rows.name}: row {GATE}, the gate, has a side that is no leaf")
    # With the first root to come next, and behind the last root, where the number has gone on from 0.
    for next_root in {rows.first, 1 & rows.root_mask}:
        for side in (gate.left, gate.right):
            if rows.vote(side, next_root):
                raise CheckFailed(f"{rows.name}: the score changes at the gate, by {rows.vote(side, next_root)}")


def _check_band(rows: WalkerRows, forest: Forest, reach: tuple[int, int], first: int, second: int) -> None:
    """The signs before the two verdict roots and between them, for all scores that the votes can make."""
    lowest, highest = reach
    bits = rows.size.score_bits
    dropped = -first - second
    for name, moved in (("before the verdict", dropped), ("within the verdict", dropped + first), ("answered", 0)):
        for score in reach:
            if _wrapped(score + moved, bits) != score + moved:
                raise CheckFailed(
                    f"{rows.name}: the score {name} reaches {score + moved}, which is more than {bits} bits hold"
                )
    # The scores where one of two signs changes.
    edges = {forest.band.hi, forest.band.hi + 1, forest.band.lo - 1, forest.band.lo}
    edges |= {-dropped, -dropped - 1, second, second - 1, lowest, highest}
    for score in sorted(edge for edge in edges if lowest <= edge <= highest):
        said = int(score + dropped >= 0), int(score + dropped + first < 0)
        expected = int(score > forest.band.hi), int(score < forest.band.lo)
        if said != expected:
            raise CheckFailed(
                f"{rows.name}: the verdict on score {score} is {said[0] - said[1]}, not {expected[0] - expected[1]}: "
                f"it is not that of the band {tuple(forest.band)}"
            )


def _wrapped(value: int, bits: int) -> int:
    """A number as so many bits hold it, with sign."""
    half = 1 << bits - 1
    return (value + half) % (2 * half) - half


class _Walks:
    """Follows walks and trees together.

    Attributes
    ----------
    visited: rows that walks came to
    """

    def __init__(self, rows: WalkerRows, forest: Forest):
        self._rows = rows
        self.visited: set[int] = set()
        self._names = [column.name for column in forest.columns]
        self._greatest = [(1 << column.bits) - 1 for column in forest.columns]

    def constant(self, root: int) -> int:
        """What a root adds that does not look at the flow."""
        met = {meeting.vote for meeting in self.through(Tree(1, (Leaf(0),)), root)}
        if len(met) > 1:
            raise CheckFailed(f"{self._rows.name}: row {root} must move the score by one number, not by {sorted(met)}")
        return met.pop()

    def through(self, tree: Tree, root: int) -> Iterator[_Meeting]:
        """All the leaves of a root and a tree that a flow comes to at once."""
        next_root = (root + 1) & self._rows.root_mask
        ahead: list[tuple[int, int, _Ranges, tuple[int, ...]]] = [(root, 0, {}, ())]
        while ahead:
            at, node, ranges, path = ahead.pop()
            if at in path:
                raise self._astray(ranges, f"comes back to row {at} and never ends")
            self.visited.add(at)
            row = self._rows.row(at)
            if at == GATE:
                raise self._astray(ranges, "comes to the gate before its leaf")
            outcomes = [
                (side, None if side.is_leaf else row.child(greater))
                for greater, side in ((False, row.left), (True, row.right))
            ]
            split = [(ranges, 0)] if outcomes[0] == outcomes[1] else self._split(ranges, row.feature, row.threshold)
            for narrowed, greater in split:
                side, child = outcomes[greater]
                vote = self._rows.vote(side, next_root)
                if child is None:
                    yield from self._leaves(tree, node, narrowed, vote)
                elif vote:
                    raise self._astray(narrowed, f"adds {vote} to the score at row {at}, which is no leaf")
                else:
                    ahead.append((child, self._decided(tree, node, narrowed), narrowed, (*path, at)))

    def _leaves(self, tree: Tree, node: int, ranges: _Ranges, vote: int) -> Iterator[_Meeting]:
        ahead = [(node, ranges)]
        while ahead:
            node, ranges = ahead.pop()
            test = tree.nodes[node]
            if isinstance(test, Leaf):
                yield _Meeting(self._flow(ranges), node, vote)
            else:
                split = self._split(ranges, test.feature, test.threshold)
                ahead += [(test.right if greater else test.left, narrowed) for narrowed, greater in split]

    def _decided(self, tree: Tree, node: int, ranges: _Ranges) -> int:
        """The node behind all tests that the ranges decide."""
        while not isinstance(test := tree.nodes[node], Leaf):
            split = self._split(ranges, test.feature, test.threshold)
            if len(split) > 1:
                break
            node = test.right if split[0][1] else test.left
        return node

    def _split(self, ranges: _Ranges, feature: int, threshold: int) -> list[tuple[_Ranges, int]]:
        """The ranges on both sides of a test, 0 for the left one, without one that is empty."""
        if feature >= len(self._greatest):
            raise self._astray(ranges, f"asks for feature {feature} of {len(self._greatest)}")
        lowest, highest = ranges.get(feature, (0, self._greatest[feature]))
        sides = ((lowest, min(highest, threshold)), (max(lowest, threshold + 1), highest))
        return [
            (ranges if side == (lowest, highest) else {**ranges, feature: side}, greater)
            for greater, side in enumerate(sides)
            if side[0] <= side[1]
        ]

    def _flow(self, ranges: _Ranges) -> tuple[int, ...]:
        return tuple(ranges.get(feature, (0, 0))[0] for feature in range(len(self._greatest)))

    def _astray(self, ranges: _Ranges, what: str) -> CheckFailed:
        flow = self._flow(ranges)
        values = ", ".join(f"{self._names[feature]} = {flow[feature]}" for feature in sorted(ranges))
        return CheckFailed(f"{self._rows.name}: a walk {what}, for {values or 'any flow'}")
