"""check_same_trees: trees that were rewritten answer as before, by following both at once."""

from hdl.tree import Leaf, Tree

from ..errors import CheckFailed
from ..forest import Forest

__all__ = ["check_same_trees"]


def check_same_trees(forest: Forest, rewritten: Forest) -> None:
    """Raise :class:`CheckFailed` unless the trees of both have the same votes for all flows."""
    widths = [column.bits for column in forest.columns]
    for number, (tree, other) in enumerate(zip(forest.trees, rewritten.trees, strict=True)):
        if (leaf := _differing_leaf(tree, other, widths)) is not None:
            raise CheckFailed(f"forest {forest.name!r}: tree {number}, node {leaf}: the passes changed its vote")


def _differing_leaf(tree: Tree, other: Tree, widths: list[int]) -> int | None:
    """A leaf of the tree that some flow reaches for which the other has another vote."""
    everything = {feature: (0, (1 << width) - 1) for feature, width in enumerate(widths)}
    ahead = [(0, 0, everything)]
    while ahead:
        at, other_at, ranges = ahead.pop()
        node, other_node = tree.nodes[at], other.nodes[other_at]
        if isinstance(node, Leaf) and isinstance(other_node, Leaf):
            if tree.weight * node.value != other.weight * other_node.value:
                return at
            continue
        first = isinstance(other_node, Leaf)
        test = node if first or not isinstance(node, Leaf) else other_node
        lowest, highest = ranges[test.feature]
        for low, high, child in (
            (lowest, min(highest, test.threshold), test.left),
            (max(lowest, test.threshold + 1), highest, test.right),
        ):
            if low <= high:
                places = (child, other_at) if test is node else (at, child)
                ahead.append((*places, {**ranges, test.feature: (low, high)}))
    return None
