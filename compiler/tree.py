"""Tree: one decision tree of a forest, and the walk of many rows down it.

A **node** tests, a **leaf** answers: ``x <= threshold`` goes left, everything else goes right.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Leaf", "Node", "Tree", "TreeTable"]


class Node(NamedTuple):
    """A test: ``x[feature] <= threshold`` goes to node ``left``, else to node ``right`` (indices in the same tree)."""

    feature: int
    threshold: int
    left: int
    right: int


class Leaf(NamedTuple):
    """An answer: +1 speaks for spam, −1 against; other integers are allowed."""

    value: int


class Tree(NamedTuple):
    """A decision tree; node 0 is the root. Its vote is ``weight`` times the value of the leaf that is reached."""

    weight: int
    nodes: tuple[Node | Leaf, ...]

    @property
    def leaf_values(self) -> frozenset[int]:
        return frozenset(node.value for node in self.nodes if isinstance(node, Leaf))

    @property
    def depth(self) -> int:
        """Tests on the longest way from the root to a leaf."""
        depth, level = 0, [0]
        while level := [child for at in level if isinstance(node := self.nodes[at], Node) for child in node[2:]]:
            depth += 1
            if depth >= len(self.nodes):
                raise ValueError("A tree must not have a cycle")
        return depth


class TreeTable:
    """A tree as arrays: all rows go down one level a step, and a leaf leads to itself."""

    def __init__(self, tree: Tree):
        size = len(tree.nodes)
        self.depth = tree.depth
        self.feature, self.threshold, self.value = (np.zeros(size, np.int64) for _ in range(3))
        self.left, self.right = np.arange(size), np.arange(size)
        for at, node in enumerate(tree.nodes):
            if isinstance(node, Leaf):
                self.value[at] = node.value
            else:
                self.feature[at], self.threshold[at], self.left[at], self.right[at] = node

    def leaves(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The index of the leaf that every row reaches."""
        at = np.zeros(len(rows), np.int64)
        every = np.arange(len(rows))
        for _ in range(self.depth):
            goes_left = rows[every, self.feature[at]] <= self.threshold[at]
            at = np.where(goes_left, self.left[at], self.right[at])
        return at

    def values(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The value of the leaf that every row reaches."""
        return self.value[self.leaves(rows)]
