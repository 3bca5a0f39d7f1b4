"""ScoreTree: a decision tree whose tests are final and whose leaf scores are still exact fractions.

On integers ``x <= t`` equals ``x <= floor(t)`` and ``x < t`` equals ``x <= ceil(t) - 1``, so nothing is lost. A test
that always goes one way, because its threshold lies outside the feature, is left out with the branch behind it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from hdl.tree import Node

from ..errors import InputError
from ..forest import Column

__all__ = ["Score", "ScoreTree", "Split", "at_most", "below", "fitted_tree", "grown", "real"]


class Score(NamedTuple):
    """A leaf: what the tree adds to the score."""

    value: Fraction


class Split(NamedTuple):
    """A test as a library holds it: ``x[feature] <= threshold`` goes to ``left``; the threshold can be any number."""

    feature: int
    threshold: float
    left: int
    right: int


class ScoreTree(NamedTuple):
    """Nodes as in :class:`~hdl.tree.Tree`, leaves with real scores; node 0 is the root."""

    nodes: tuple[Node | Score, ...]

    @property
    def scores(self) -> frozenset[Fraction]:
        return frozenset(node.value for node in self.nodes if isinstance(node, Score))

    def times(self, factor: Fraction) -> "ScoreTree":
        """The tree with every leaf score multiplied."""
        return self.mapped(lambda value: value * factor)

    def mapped(self, score: Callable[[Fraction], Fraction]) -> "ScoreTree":
        """The tree with another score in the place of every leaf's."""
        return ScoreTree(tuple(Score(score(n.value)) if isinstance(n, Score) else n for n in self.nodes))

    def placed(self, columns: Sequence[int]) -> "ScoreTree":
        """The tree whose feature ``i`` has become column ``columns[i]``."""
        return ScoreTree(
            tuple(n._replace(feature=int(columns[n.feature])) if isinstance(n, Node) else n for n in self.nodes)
        )


def real(value: float) -> Fraction:
    """A library's number, exactly."""
    if not math.isfinite(value):
        raise InputError(f"scores must be finite, not {value}")
    return Fraction(value)


def at_most(threshold: float) -> float:
    """The integer t (or infinity) for which an integer x keeps ``x <= threshold`` just when ``x <= t``."""
    # No x is below or at a threshold that is not a number.
    return math.floor(threshold) if math.isfinite(threshold) else math.inf if threshold > 0 else -math.inf


def below(threshold: float) -> float:
    """The integer t (or infinity) for which an integer x keeps ``x < threshold`` just when ``x <= t``."""
    return math.ceil(threshold) - 1 if math.isfinite(threshold) else at_most(threshold)


def grown(read: Callable[[int], Split | Score], columns: Sequence[Column]) -> ScoreTree:
    """The tree from its root 0 on, in the order root, left branch, right branch; ``read`` gives what stands at a place.

    A stack instead of recursion: trees of unlimited depth are deeper than Python's. Files can hold anything, so a place
    that is met twice or is not there is refused.
    """
    met: set[int] = set()

    def read_once(at: int) -> Split | Score:
        if at in met:
            raise InputError(f"tree must not meet node {at} twice")
        met.add(at)
        try:
            return read(at)
        except IndexError:
            raise InputError(f"tree must not lead to node {at}, which it does not hold") from None

    nodes: list[Node | Score] = []
    # What is to be placed, and the node and field that wait for its index.
    ahead: list[tuple[int, int, str]] = [(0, -1, "")]
    while ahead:
        at, parent, side = ahead.pop()
        here = len(nodes)
        found = read_once(at)
        while isinstance(found, Split):
            if found.threshold < 0:
                found = read_once(found.right)
            elif found.threshold >= 1 << columns[found.feature].bits:
                found = read_once(found.left)
            else:
                break
        if parent >= 0:
            nodes[parent] = nodes[parent]._replace(**{side: here})
        if isinstance(found, Split):
            nodes.append(Node(found.feature, int(found.threshold), -1, -1))
            ahead += (found.right, here, "right"), (found.left, here, "left")
        else:
            nodes.append(found)
    return ScoreTree(tuple(nodes))


def fitted_tree(fitted: Any, score: Callable[[int], Fraction], columns: Sequence[Column]) -> ScoreTree:
    """The tree of scikit-learn's ``tree_``, which compares a float32 of x (exact here) with a float64 threshold.

    Parameters
    ----------
    score: the score of the leaf at a place
    """
    tests: Mapping[str, list] = {
        name: getattr(fitted, name).tolist() for name in ("feature", "threshold", "children_left", "children_right")
    }
    features, thresholds, lefts, rights = tests.values()

    def read(at: int) -> Split | Score:
        if lefts[at] < 0:
            return Score(score(at))
        return Split(features[at], at_most(thresholds[at]), lefts[at], rights[at])

    return grown(read, columns)
