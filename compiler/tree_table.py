"""TreeTable: one decision tree as numpy arrays, and the walk of many rows down it."""

import numpy as np
from numpy.typing import NDArray

from hdl.tree import Leaf, Tree

__all__ = ["TreeTable"]


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
