"""The trees of a forest as rows of a table, and its features as strips."""

from collections import Counter
from dataclasses import dataclass

from ..features import CATALOGUE
from ..forest import Column, Forest, Node
from .quantities import in_unit
from .threshold_drawing import draw_thresholds, threshold_uses
from .tree_drawing import miniature

__all__ = ["FeatureRow", "TreeRow", "feature_rows", "tree_row"]

_LISTED = 200
"""Thresholds that are written out."""


@dataclass(frozen=True)
class TreeRow:
    """One tree; ``shape`` is SVG."""

    number: int
    weight: int
    depth: int
    tests: int
    leaves: int
    features: str
    shape: str


@dataclass(frozen=True)
class FeatureRow:
    """One feature that is in a test; ``strip`` is SVG."""

    name: str
    meaning: str
    unit: str
    range: str
    thresholds: int
    tests: int
    trees: int
    listed: str
    strip: str


def tree_row(forest: Forest, number: int) -> TreeRow:
    """What there is to say of a tree in one line."""
    tree = forest.trees[number]
    tests = [node for node in tree.nodes if isinstance(node, Node)]
    used = sorted({node.feature for node in tests})
    return TreeRow(
        number=number,
        weight=tree.weight,
        depth=tree.depth,
        tests=len(tests),
        leaves=len(tree.nodes) - len(tests),
        features=", ".join(forest.columns[feature].name for feature in used),
        shape=miniature(tree),
    )


def feature_rows(forest: Forest) -> list[FeatureRow]:
    """The features that are in a test, in the order of the columns."""
    trees = Counter(
        feature for tree in forest.trees for feature in {node.feature for node in tree.nodes if isinstance(node, Node)}
    )
    return [
        _feature_row(column, uses, trees[index])
        for index, (column, uses) in enumerate(zip(forest.columns, threshold_uses(forest), strict=True))
        if uses
    ]


def _feature_row(column: Column, uses: Counter[int], trees: int) -> FeatureRow:
    plain = column._replace(unit="")
    listed = [in_unit(threshold, plain) for threshold in sorted(uses)]
    more = f" and {len(listed) - _LISTED} more" if len(listed) > _LISTED else ""
    known = CATALOGUE.get(column.name)
    return FeatureRow(
        name=column.name,
        meaning=known.meaning if known else "",
        unit=column.unit,
        range=f"0 to {in_unit((1 << column.bits) - 1, column)}",
        thresholds=len(uses),
        tests=uses.total(),
        trees=trees,
        listed=", ".join(listed[:_LISTED]) + more,
        strip=draw_thresholds(column, uses),
    )
