"""Passes: rewrites of the trees that make the circuit smaller and change no answer.

Each takes a tree and the widths of the features and gives a tree. :func:`simplify` runs them in order and verifies the
forest after each. The forest that is exported keeps its own trees and its id; only circuits are made of the result.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from hdl.tree import Leaf, Node, Tree

from .forest import Forest

__all__ = ["PASSES", "drop_decided_tests", "merge_equal_branches", "simplify"]


def drop_decided_tests(tree: Tree, widths: Sequence[int]) -> Tree:
    """Leave out every test whose answer the tests above it, or the width of the feature, have settled."""
    becomes: dict[int, int] = {}
    ahead: list[tuple[int, Mapping[int, tuple[int, int]]]] = [(0, {})]
    while ahead:
        at, ranges = ahead.pop()
        node = tree.nodes[at]
        if isinstance(node, Leaf):
            continue
        lowest, highest = ranges.get(node.feature, (0, (1 << widths[node.feature]) - 1))
        if highest <= node.threshold:
            becomes[at] = node.left
            ahead.append((node.left, ranges))
        elif lowest > node.threshold:
            becomes[at] = node.right
            ahead.append((node.right, ranges))
        else:
            ahead.append((node.left, {**ranges, node.feature: (lowest, node.threshold)}))
            ahead.append((node.right, {**ranges, node.feature: (node.threshold + 1, highest)}))
    return _rebuilt(tree, becomes)


def merge_equal_branches(tree: Tree, widths: Sequence[int]) -> Tree:
    """Put one branch in the place of a test whose two branches are the same, leaves or whole subtrees."""
    becomes: dict[int, int] = {}
    # Equal subtrees have the same number.
    numbers: dict[tuple[int, ...], int] = {}
    number_of: dict[int, int] = {}
    for at in tree.children_first():
        node = tree.nodes[at]
        if isinstance(node, Node):
            left, right = number_of[node.left], number_of[node.right]
            if left == right:
                becomes[at] = node.left
                number_of[at] = left
                continue
            content = (node.feature, node.threshold, left, right)
        else:
            content = (node.value,)
        number_of[at] = numbers.setdefault(content, len(numbers))
    return _rebuilt(tree, becomes)


def _rebuilt(tree: Tree, becomes: Mapping[int, int]) -> Tree:
    """The tree with nodes replaced as ``becomes`` says, without what is then out of reach, the root first."""

    def final(at: int) -> int:
        while at in becomes:
            at = becomes[at]
        return at

    order, ahead = [], [final(0)]
    while ahead:
        order.append(at := ahead.pop())
        if isinstance(node := tree.nodes[at], Node):
            ahead += final(node.right), final(node.left)
    place = {at: index for index, at in enumerate(order)}
    nodes = [
        node if isinstance(node, Leaf) else node._replace(left=place[final(node.left)], right=place[final(node.right)])
        for node in map(tree.nodes.__getitem__, order)
    ]
    return tree._replace(nodes=tuple(nodes))


PASSES: tuple[Callable[[Tree, Sequence[int]], Tree], ...] = (drop_decided_tests, merge_equal_branches)


def simplify(forest: Forest) -> Forest:
    """The forest after all passes: the same answers from fewer tests."""
    widths = [column.bits for column in forest.columns]
    for rewrite in PASSES:
        forest = dataclasses.replace(forest, trees=tuple(rewrite(tree, widths) for tree in forest.trees))
        forest.verify(catalogue=False)
    return forest
