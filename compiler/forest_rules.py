"""The rules every forest keeps. Each error names the model, the tree and the node that break one."""

import itertools
import math
from typing import TYPE_CHECKING, Any

from hdl.flow_table_parameters import MAX_EARLY
from hdl.tree import Leaf, Node, Tree

from .errors import InputError
from .features import CATALOGUE, MAX_FEATURE_BITS
from .score_grid import score_grid

if TYPE_CHECKING:
    from .forest import Column, Forest

__all__ = ["MAX_SCORE", "SCORE_BITS", "verify"]

SCORE_BITS = 32
MAX_SCORE = (1 << SCORE_BITS - 1) - 1
"""A flow record carries the score as a signed integer of 32 bits."""


def verify(forest: "Forest", *, catalogue: bool = True) -> list[str]:
    """Raise :class:`InputError` at the first rule that is broken; return warnings about what is odd but right."""
    place = f"forest {forest.name!r}"
    _require(bool(forest.columns), place, f"columns must name at least one feature, not {forest.columns!r}")
    for index, column in enumerate(forest.columns):
        _verify_column(column, f"{place}, column {index}", forest, catalogue)
    names = forest.feature_names
    for name in names:
        _require(names.count(name) == 1, place, f"feature {name!r} must be one column, not {names.count(name)}")

    _require(bool(forest.trees), place, "trees must hold at least one tree, not none")
    for index, tree in enumerate(forest.trees):
        _verify_tree(tree, f"{place}, tree {index}", forest.columns)
    _verify_classes(forest, place)
    _verify_operation(forest, place)

    lowest, highest = forest.score_range
    reach = max(-lowest, highest)
    _require(reach <= MAX_SCORE, place, f"score must fit a signed integer of 32 bits, but reaches {reach}")
    return [f"{place}: {oddity}" for oddity in _oddities(forest)]


def _verify_column(column: "Column", place: str, forest: "Forest", catalogue: bool) -> None:
    name, bits = column.name, column.bits
    _require(isinstance(name, str) and bool(name), place, f"name must be a word, not {name!r}")
    _require(
        _is_integer(bits) and 1 <= bits <= MAX_FEATURE_BITS,
        place,
        f"feature {name!r} must be 1 to {MAX_FEATURE_BITS} bits wide, not {bits!r}",
    )
    _require(
        _is_integer(column.fraction) and 0 <= column.fraction <= bits,
        place,
        f"feature {name!r} must have 0 to {bits} fraction bits, not {column.fraction!r}",
    )
    if not catalogue:
        return
    _require(name in CATALOGUE, place, f"feature {name!r} is not in the catalogue (python -m compiler features)")
    known = CATALOGUE[name]
    _require(
        (bits, column.fraction) == (known.bits, known.fraction),
        place,
        f"feature {name!r} must be {known.bits} bits with {known.fraction} of them fraction, as in the catalogue, "
        f"not {bits} with {column.fraction}",
    )
    if forest.directions == "forward":
        _require(
            known.direction != "response",
            place,
            f"feature {name!r} must not be of the response, because the forest is forward-only",
        )


def _verify_tree(tree: Tree, place: str, columns: tuple["Column", ...]) -> None:
    _require(_is_integer(tree.weight) and tree.weight > 0, place, f"weight must be above 0, not {tree.weight!r}")
    _require(len(tree.nodes) > 0, place, "nodes must hold at least one node, not none")
    parents: dict[int, int] = {}
    for at, node in enumerate(tree.nodes):
        here = f"{place}, node {at}"
        if isinstance(node, Leaf):
            _require(_is_integer(node.value), here, f"leaf value must be an integer, not {node.value!r}")
            continue
        _require(isinstance(node, Node), here, f"must be a node or a leaf, not {node!r}")
        _verify_test(node, here, columns)
        for child in (node.left, node.right):
            _require(
                _is_integer(child) and 0 <= child < len(tree.nodes),
                here,
                f"child must be a node from 0 to {len(tree.nodes) - 1}, not {child!r}",
            )
            _require(child != 0, here, "child must not be the root")
            _require(child not in parents, here, f"child {child} is shared with node {parents.get(child)}")
            parents[child] = at
    _verify_reached(tree, place)


def _verify_test(node: Node, here: str, columns: tuple["Column", ...]) -> None:
    _require(
        _is_integer(node.feature) and 0 <= node.feature < len(columns),
        here,
        f"feature must be a column from 0 to {len(columns) - 1}, not {node.feature!r}",
    )
    column = columns[node.feature]
    _require(_is_integer(node.threshold), here, f"threshold must be an integer, not {node.threshold!r}")
    _require(node.threshold >= 0, here, f"threshold {node.threshold} is below 0")
    _require(
        node.threshold < 1 << column.bits,
        here,
        f"threshold {node.threshold} exceeds feature {column.name!r} (unsigned({column.bits}))",
    )


def _verify_reached(tree: Tree, place: str) -> None:
    # Every node but the root has at most one parent by now, so what the root does not reach hangs in the air or in a
    # cycle, and what it reaches is a tree.
    reached, ahead = {0}, [0]
    while ahead:
        node = tree.nodes[ahead.pop()]
        if isinstance(node, Node):
            ahead += node.left, node.right
            reached.update((node.left, node.right))
    for at in range(len(tree.nodes)):
        _require(at in reached, f"{place}, node {at}", "cannot be reached from the root")


def _verify_classes(forest: "Forest", place: str) -> None:
    classes = forest.classes
    _require(
        len(classes) != 1 and all(isinstance(name, str) and name for name in classes),
        place,
        f"classes must be two names or more, or none, not {list(classes)!r}",
    )
    for name in classes:
        _require(classes.count(name) == 1, place, f"class {name!r} must be one class, not {classes.count(name)}")
    most = max(len(classes) - 1, 0)
    for index, tree in enumerate(forest.trees):
        _require(
            _is_integer(tree.class_index) and 0 <= tree.class_index <= most,
            f"{place}, tree {index}",
            f"class index must be from 0 to {most}, not {tree.class_index!r}",
        )
    for index, name in enumerate(classes):
        voted = any(tree.class_index == index for tree in forest.trees)
        _require(voted, place, f"class {name!r} must have a tree that votes for it")
    if classes:
        _require(tuple(forest.band) == (0, 0), place, f"band must be 0 to 0 with classes, not {tuple(forest.band)}")


def _verify_operation(forest: "Forest", place: str) -> None:
    lo, hi = forest.band
    _require(_is_integer(lo) and _is_integer(hi), place, f"band must be two integers, not {lo!r} and {hi!r}")
    _require(lo <= hi, place, f"band must have lo <= hi, not {lo} > {hi}")
    if forest.ports is not None:
        _require(bool(forest.ports), place, "ports must name at least one port, or be null for all")
        for port in forest.ports:
            _require(_is_integer(port) and 0 < port < 1 << 16, place, f"port must be from 1 to 65535, not {port!r}")
    for name, value, allowed in (
        ("orientation", forest.orientation, ("initiator", "first")),
        ("directions", forest.directions, ("both", "forward")),
    ):
        _require(value in allowed, place, f"{name} must be {' or '.join(allowed)}, not {value!r}")
    for name, value in (("min_packets", forest.min_packets), ("validation_rows", forest.validation_rows)):
        _require(_is_integer(value) and value >= 0, place, f"{name} must be 0 or more, not {value!r}")
    _require(
        _is_integer(forest.prefix) and (forest.prefix == 0 or 2 <= forest.prefix <= MAX_EARLY),
        place,
        f"prefix must be 0 or from 2 to {MAX_EARLY}, not {forest.prefix!r}",
    )
    if forest.prefix:
        _require(
            forest.min_packets <= forest.prefix,
            place,
            f"min_packets must be at most prefix, {forest.prefix}, not {forest.min_packets}",
        )
    _require(
        isinstance(forest.monitor_only, bool), place, f"monitor_only must be true or false, not {forest.monitor_only!r}"
    )
    fraction, error = forest.score_fraction, forest.score_error
    _require(
        _is_integer(fraction) and 0 <= fraction < SCORE_BITS,
        place,
        f"score_fraction must be from 0 to {SCORE_BITS - 1}, not {fraction!r}",
    )
    _require(
        isinstance(error, float) and math.isfinite(error) and error >= 0,
        place,
        f"score_error must be a finite float of 0 or more, not {error!r}",
    )


def _oddities(forest: "Forest") -> list[str]:
    oddities = _odd_classes(forest) if forest.classes else _odd_verdicts(forest)
    for column, thresholds in zip(forest.columns, forest.thresholds(), strict=True):
        if not thresholds:
            oddities.append(f"feature {column.name!r} is in no node")
    # Scores lie on a grid. An error that does not reach from the grid to where decisions change changes none.
    places = forest.score_error * 2**forest.score_fraction
    if places and places >= _nearest(forest):
        where = "its two highest scores are" if forest.classes else "its score is"
        what = "each other" if forest.classes else "the band"
        oddities.append(
            f"decisions can differ from the model's where {where} within {forest.score_error:.3g} of {what} "
            f"(score_error, {places:.3g} of the score's last place)"
        )
    return oddities


def _odd_verdicts(forest: "Forest") -> list[str]:
    (lowest, highest), (lo, hi) = forest.score_range, forest.band
    oddities = []
    if hi >= highest:
        oddities.append(f"no flow can be SPAM: the score reaches {highest}, the band {hi}")
    if lo <= lowest:
        oddities.append(f"no flow can be BACKGROUND: the score reaches down to {lowest}, the band to {lo}")
    return oddities


def _odd_classes(forest: "Forest") -> list[str]:
    oddities = []
    for index, (name, (_, highest)) in enumerate(zip(forest.classes, forest.score_ranges, strict=True)):
        # A class before it wins ties too.
        if any(
            lowest + (other < index) > highest
            for other, (lowest, _) in enumerate(forest.score_ranges)
            if other != index
        ):
            oddities.append(f"no flow can be of class {name!r}: another always has the higher score")
    return oddities


def _nearest(forest: "Forest") -> int:
    """How near scores come to an end of the band, or the scores of two classes to each other."""
    if not forest.classes:
        grid = score_grid(forest.votes)
        return min(grid.distance(end) for end in forest.band)
    # A difference of two scores is a sum of the votes for one and of those against the other.
    grids = [score_grid(votes) for votes in forest.class_votes]
    return min(first.less(second).distance(0) for first, second in itertools.combinations(grids, 2))


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _require(holds: bool, place: str, message: str) -> None:
    if not holds:
        raise InputError(f"{place}: {message}")
