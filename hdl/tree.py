"""Tree: one decision tree of a forest, as plain integers.

A **node** tests, a **leaf** answers: ``x <= threshold`` goes left, everything else goes right.
"""

from typing import NamedTuple

__all__ = ["Leaf", "Node", "Tree"]


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
    """A decision tree; node 0 is the root. Its vote is ``weight`` times the value of the leaf that is reached.

    ``class_index`` says whose score it adds to in a forest of several classes; where all trees share one score it is 0.
    """

    weight: int
    nodes: tuple[Node | Leaf, ...]
    class_index: int = 0

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

    def children_first(self) -> list[int]:
        """All nodes that the root reaches, every one behind its children."""
        order, ahead = [], [0]
        while ahead:
            order.append(at := ahead.pop())
            if isinstance(node := self.nodes[at], Node):
                ahead += node.left, node.right
        return order[::-1]
