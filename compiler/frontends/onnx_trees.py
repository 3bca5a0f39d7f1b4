"""The trees of an ONNX ensemble: tests by <= or <, leaves with a weight for one or more targets."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from ..errors import InputError
from ..forest import Column
from .score_tree import Score, ScoreTree, Split, at_most, below, grown, real

__all__ = ["OnnxTree", "trees_of"]

_COMPARISONS = {"BRANCH_LEQ": at_most, "BRANCH_LT": below}
_MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ", "BRANCH_MEMBER")
"""In the order of the numbers that version 5 gives them."""

_NODE_FIELDS = ("treeids", "nodeids", "modes", "featureids", "values", "truenodeids", "falsenodeids")
_WEIGHT_FIELDS = ("treeids", "nodeids", "ids", "weights")

Weights = Mapping[int, Fraction]


class OnnxTree(NamedTuple):
    """A tree whose leaves weigh targets, root first.

    Attributes
    ----------
    number: of the tree, in messages
    nodes: tests, or weights of targets
    """

    number: int
    nodes: tuple[Split | Weights, ...]

    @property
    def leaves(self) -> list[Weights]:
        return [node for node in self.nodes if not isinstance(node, Split)]

    def for_target(self, target: int, columns: Sequence[Column]) -> ScoreTree:
        """The tree with the weights of one target, 0 where a leaf has none."""

        def read(at: int) -> Split | Score:
            node = self.nodes[at]
            return node if isinstance(node, Split) else Score(node.get(target, Fraction(0)))

        try:
            return grown(read, columns)
        except InputError as error:
            raise InputError(f"tree {self.number}: {error}") from None


def trees_of(operator: str, attributes: Mapping[str, Any], columns: int) -> list[OnnxTree]:
    """All trees of an ensemble that sums up its leaves."""
    aggregate = attributes.get("aggregate_function", "SUM")
    if aggregate not in ("SUM", 1):
        raise InputError(f"{operator} must aggregate by SUM, not by {aggregate}")
    if operator == "TreeEnsemble":
        return _version_5(attributes, columns)
    return _versions_1_to_4(attributes, "class" if operator == "TreeEnsembleClassifier" else "target", columns)


def _versions_1_to_4(attributes: Mapping[str, Any], target: str, columns: int) -> list[OnnxTree]:
    nodes = _rows(attributes, "nodes", _NODE_FIELDS)
    members: dict[int, list[tuple]] = defaultdict(list)
    for tree, *node in nodes:
        members[tree].append(tuple(node))
    weights: dict[int, dict[int, dict[int, Fraction]]] = defaultdict(lambda: defaultdict(dict))
    leaves = {(tree, at) for tree, at, mode, *_ in nodes if mode == "LEAF"}
    for tree, at, to, weight in _rows(attributes, target, _WEIGHT_FIELDS):
        if (tree, at) not in leaves:
            raise InputError(f"tree {tree}, node {at}: must be a leaf, because it has a weight")
        if to in weights[tree][at]:
            raise InputError(f"tree {tree}, node {at}: must have one weight for {target} {to}")
        weights[tree][at][to] = real(weight)
    return [OnnxTree(tree, tuple(_placed(tree, members[tree], weights[tree], columns))) for tree in members]


def _placed(
    tree: int, nodes: Sequence[tuple], weights: Mapping[int, Weights], columns: int
) -> Sequence[Split | Weights]:
    """Nodes with places in the list instead of their numbers; the first is the root."""
    place = {number: at for at, (number, *_) in enumerate(nodes)}
    if len(place) != len(nodes):
        raise InputError(f"tree {tree}: must have no two nodes of the same number")
    placed: list[Split | Weights] = []
    children = []
    for number, mode, feature, value, *branches in nodes:
        if mode == "LEAF":
            placed.append(weights.get(number, {}))
            continue
        here = f"tree {tree}, node {number}"
        for child in branches:
            if child not in place:
                raise InputError(f"{here}: child {child} is not in the tree")
        left, right = (place[child] for child in branches)
        children += left, right
        placed.append(_test(here, mode, feature, value, left, right, columns))
    if sorted(children) != list(range(1, len(nodes))):
        raise InputError(f"tree {tree}: its first node must be the root, and every other the child of one node")
    return placed


def _version_5(attributes: Mapping[str, Any], columns: int) -> list[OnnxTree]:
    """Trees that share lists of nodes and leaves; a place is a node, or the leaf on one side of a node."""
    fields = ("modes", "featureids", "splits", "truenodeids", "trueleafs", "falsenodeids", "falseleafs")
    nodes = _rows(attributes, "nodes", fields)
    leaves = _rows(attributes, "leaf", ("targetids", "weights"))
    return [
        OnnxTree(number, tuple(_linked(number, root, nodes, leaves, columns)))
        for number, root in enumerate(attributes.get("tree_roots", ()))
    ]


def _linked(
    tree: int, root: int, nodes: Sequence[tuple], leaves: Sequence[tuple], columns: int
) -> Sequence[Split | Weights]:
    found: list[Split | Weights] = []
    ahead: list[tuple[int, bool, int, str]] = [(root, False, -1, "")]
    met: set[int] = set()
    while ahead:
        at, is_leaf, parent, side = ahead.pop()
        here = f"tree {tree}, node {at}"
        if not 0 <= at < len(leaves if is_leaf else nodes):
            raise InputError(f"{here}: is not in the ensemble")
        if parent >= 0:
            found[parent] = found[parent]._replace(**{side: len(found)})
        if is_leaf:
            target, weight = leaves[at]
            found.append({target: real(weight)})
            continue
        if at in met:
            raise InputError(f"{here}: must be the child of one node")
        met.add(at)
        mode, feature, value, true_child, true_is_leaf, false_child, false_is_leaf = nodes[at]
        name = _MODES[mode] if 0 <= mode < len(_MODES) else str(mode)
        ahead.append((false_child, bool(false_is_leaf), len(found), "right"))
        ahead.append((true_child, bool(true_is_leaf), len(found), "left"))
        found.append(_test(here, name, feature, value, -1, -1, columns))
    return found


def _test(here: str, mode: str, feature: int, value: float, left: int, right: int, columns: int) -> Split:
    if mode not in _COMPARISONS:
        raise InputError(f"{here}: mode must be {' or '.join(_COMPARISONS)}, not {mode}")
    if not 0 <= feature < columns:
        raise InputError(f"{here}: feature must be from 0 to {columns - 1}, not {feature}")
    return Split(feature, _COMPARISONS[mode](value), left, right)


def _rows(attributes: Mapping[str, Any], prefix: str, fields: Sequence[str]) -> list[tuple]:
    """Attributes that are columns of one table, row by row; version 3 has numbers as tensors too."""
    lists = []
    for field in fields:
        name = f"{prefix}_{field}"
        found = attributes.get(name) or attributes.get(f"{name}_as_tensor")
        if found is None:
            raise InputError(f"{name} must be given")
        lists.append(found)
    if len({len(each) for each in lists}) != 1:
        names = ", ".join(f"{prefix}_{field}" for field in fields)
        raise InputError(f"{names} must be of one length, not {[len(each) for each in lists]}")
    return list(zip(*lists, strict=True))
