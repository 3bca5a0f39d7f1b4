"""What of a tree is drawn: all of it, or its upper levels and how much lies below them."""

from collections.abc import Mapping
from dataclasses import dataclass

from hdl.tree import Node, Tree

__all__ = ["FoldedTree", "fold"]


@dataclass(frozen=True)
class FoldedTree:
    """The part of a tree that is drawn.

    Attributes
    ----------
    children:
        The children of every node that is drawn with them.
    hidden:
        For nodes that stand for all that is below them: the tests they stand for, their own among them.
    """

    children: Mapping[int, tuple[int, int]]
    hidden: Mapping[int, int]

    @property
    def nodes(self) -> list[int]:
        """All that are drawn, parents first and level by level."""
        level, found = [0], []
        while level:
            found += level
            level = [child for node in level for child in self.children.get(node, ())]
        return found


def fold(tree: Tree, most: int) -> FoldedTree:
    """Whole levels of a tree from its root on, while there are at most so many nodes."""
    children: dict[int, tuple[int, int]] = {}
    level, shown = [0], 1
    while tests := [at for at in level if isinstance(tree.nodes[at], Node)]:
        shown += 2 * len(tests)
        if shown > most:
            break
        children |= {at: (tree.nodes[at].left, tree.nodes[at].right) for at in tests}
        level = [child for at in tests for child in children[at]]
    return FoldedTree(children, {at: _tests(tree, at) for at in tests})


def _tests(tree: Tree, root: int) -> int:
    tests, ahead = 0, [root]
    while ahead:
        if isinstance(node := tree.nodes[ahead.pop()], Node):
            tests += 1
            ahead += node.left, node.right
    return tests
