"""From fitted trees and their weights to a forest of integers."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier

from compiler.features import CATALOGUE
from compiler.forest import Column, Forest, Leaf, Node, Tree
from compiler.frontends.decision_tree import class_tree, tree_of

__all__ = ["forest_of_votes"]

Vote = tuple[DecisionTreeClassifier, NDArray, int]
"""A tree, the columns that it was fitted on, and its weight."""


def forest_of_votes(votes: list[Vote], features: tuple[str, ...], classes: tuple[str, ...], **fields: Any) -> Forest:
    """The forest of the trees that have a weight; ``features`` are the catalogue's names of all columns.

    Of several ``classes`` a tree speaks for the one it says, so it becomes a tree for each.
    """
    columns = tuple(Column(f.name, f.bits, f.fraction, f.unit) for f in map(CATALOGUE.__getitem__, features))
    trees = [
        _placed(tree, dict(enumerate(chosen.tolist())))
        for fitted, chosen, weight in votes
        if weight
        for tree in _trees_of(fitted, tuple(columns[at] for at in chosen), weight, classes)
    ]
    # A probe measures every column of a forest, so those that no tree tests are left out.
    tested = sorted({node.feature for tree in trees for node in tree.nodes if isinstance(node, Node)})
    trees = [_placed(tree, {at: place for place, at in enumerate(tested)}) for tree in trees]
    kept = tuple(columns[at] for at in tested) or columns[:1]
    return Forest(columns=kept, trees=tuple(trees), classes=classes, **fields)


def _trees_of(
    fitted: DecisionTreeClassifier, columns: tuple[Column, ...], weight: int, classes: tuple[str, ...]
) -> list[Tree]:
    if not classes:
        return [tree_of(fitted, columns, weight)]
    trees = []
    for place, index in enumerate(fitted.classes_.tolist()):
        nodes = class_tree(fitted, columns, place).nodes
        whole = tuple(node if isinstance(node, Node) else Leaf(int(node.value)) for node in nodes)
        trees.append(Tree(weight, whole, index))
    return trees


def _placed(tree: Tree, place: Mapping[int, int]) -> Tree:
    """The tree with its features renumbered."""
    nodes = (node._replace(feature=place[node.feature]) if isinstance(node, Node) else node for node in tree.nodes)
    return tree._replace(nodes=tuple(nodes))
