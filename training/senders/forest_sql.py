"""A forest as SQL, so that a database judges records while it reads them; integers, so with equal answers."""

from compiler.forest import Band, Forest
from hdl.tree import Node, Tree

__all__ = ["score_sql", "verdict_sql"]


def score_sql(forest: Forest) -> str:
    """The score of a row whose columns have the names of the forest's."""
    return " + ".join(f"{tree.weight} * {_tree_sql(forest, tree, 0)}" for tree in forest.trees)


def verdict_sql(band: Band, score: str) -> str:
    """1 SPAM, 0 UNCERTAIN, -1 BACKGROUND of a score."""
    return f"CASE WHEN {score} > {band.hi} THEN 1 WHEN {score} < {band.lo} THEN -1 ELSE 0 END"


def _tree_sql(forest: Forest, tree: Tree, at: int) -> str:
    node = tree.nodes[at]
    if not isinstance(node, Node):
        return f"({node.value})"
    left, right = _tree_sql(forest, tree, node.left), _tree_sql(forest, tree, node.right)
    name = forest.feature_names[node.feature].replace('"', '""')
    return f'CASE WHEN "{name}" <= {node.threshold} THEN {left} ELSE {right} END'
