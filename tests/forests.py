"""Forests for tests: random ones for hypothesis, a seeded one of some size, and the rows that try them."""

import dataclasses
import random

import numpy as np
from hypothesis import strategies as st

from compiler.features import CATALOGUE, UNIVERSAL
from compiler.forest import Band, Column, Forest, Leaf, Node, Tree

__all__ = [
    "SMALL_FOREST",
    "class_forests",
    "columns",
    "forests",
    "grown_class_forest",
    "grown_forest",
    "one_tree",
    "rows_for",
]


def columns(*names: str) -> tuple[Column, ...]:
    """Columns of the catalogue."""
    return tuple(Column(f.name, f.bits, f.fraction, f.unit) for f in map(CATALOGUE.__getitem__, names))


def one_tree(**changes) -> Forest:
    """A forest of one tree of two nodes."""
    nodes = (Node(0, 1400, 1, 4), Node(1, 0, 2, 3), Leaf(-1), Leaf(1), Leaf(1))
    return Forest(**{"name": "one tree", "columns": columns("maxpl", "syn"), "trees": (Tree(1, nodes),)} | changes)


def grown_forest(
    *, names: tuple[str, ...] = UNIVERSAL, trees: int = 6, depth: int = 4, seed: int = 1, **changes
) -> Forest:
    """A forest of full trees, with weights as validation gives them."""
    rng = random.Random(seed)
    used = columns(*names)
    return Forest(
        name="grown",
        columns=used,
        trees=tuple(Tree(rng.randint(2100, 2900), _full_tree(rng, used, depth)) for _ in range(trees)),
        band=Band(-700, 400),
        validation_rows=4000,
        **changes,
    )


def _full_tree(rng: random.Random, used: tuple[Column, ...], depth: int) -> tuple[Node | Leaf, ...]:
    tests = (1 << depth) - 1

    def test(at: int) -> Node:
        feature = rng.randrange(len(used))
        return Node(feature, rng.getrandbits(rng.randint(0, used[feature].bits)), 2 * at + 1, 2 * at + 2)

    return (*map(test, range(tests)), *(Leaf(rng.choice((-1, 1))) for _ in range(tests + 1)))


@st.composite
def forests(draw, *, catalogue: bool = False) -> Forest:
    """Forests of all shapes: single leaves, thresholds 0 and greatest, unused features, wide weights and leaves."""
    if catalogue:
        names = draw(st.lists(st.sampled_from(sorted(CATALOGUE)), min_size=1, max_size=5, unique=True))
        used = columns(*names)
    else:
        widths = draw(st.lists(st.sampled_from([1, 2, 3, 8, 16, 24]), min_size=1, max_size=5))
        used = tuple(Column(f"f{index}", width) for index, width in enumerate(widths))
    leaf = draw(st.sampled_from([st.sampled_from([-1, 1]), st.integers(-3, 3), st.integers(-5000, 5000), st.just(7)]))
    weight = draw(st.sampled_from([st.integers(1, 3), st.integers(2000, 4000), st.just(1)]))
    count = draw(st.integers(1, 7))
    grown = tuple(Tree(draw(weight), tuple(draw(_nodes(used, leaf)))) for _ in range(count))
    forest = Forest(name="drawn", columns=used, trees=grown)
    lowest, highest = forest.score_range
    lo, hi = sorted(draw(st.tuples(*[st.integers(lowest - 2, highest + 2)] * 2)))
    return Forest(name="drawn", columns=used, trees=grown, band=draw(st.sampled_from([Band(lo, hi), Band()])))


@st.composite
def class_forests(draw, *, most_classes: int = 6, **options) -> Forest:
    """Forests of several classes, some of one tree each, with scores that tie often and others that never do."""
    forest = draw(forests(**options))
    count = draw(st.integers(2, most_classes))
    trees = [
        Tree(tree.weight, tree.nodes, draw(st.integers(0, count - 1)))
        for tree in forest.trees * draw(st.integers(1, 2))
    ]
    for index in range(count):
        if all(tree.class_index != index for tree in trees):
            (nodes, weight) = draw(st.sampled_from([(forest.trees[0].nodes, forest.trees[0].weight), ((Leaf(0),), 1)]))
            trees.append(Tree(weight, nodes, index))
    names = tuple(f"class {index}" for index in range(count))
    return Forest(name="drawn", columns=forest.columns, trees=tuple(trees), classes=names)


def grown_class_forest(classes: int = 3, *, trees: int = 4, seed: int = 1, **options) -> Forest:
    """As many full trees for each class."""
    grown = grown_forest(trees=trees * classes, seed=seed, **options)
    return dataclasses.replace(
        grown,
        trees=tuple(tree._replace(class_index=at % classes) for at, tree in enumerate(grown.trees)),
        band=Band(),
        classes=tuple(f"class {index}" for index in range(classes)),
    )


@st.composite
def _nodes(draw, used: tuple[Column, ...], leaf) -> list[Node | Leaf]:
    nodes: list[Node | Leaf] = [Leaf(draw(leaf))]
    for _ in range(draw(st.integers(0, 24))):
        # A leaf becomes a test over two new leaves.
        at = draw(st.sampled_from([index for index, node in enumerate(nodes) if isinstance(node, Leaf)]))
        feature = draw(st.integers(0, len(used) - 1))
        greatest = (1 << used[feature].bits) - 1
        threshold = draw(st.one_of(st.sampled_from([0, greatest]), st.integers(0, greatest)))
        nodes[at] = Node(feature, threshold, len(nodes), len(nodes) + 1)
        nodes += [Leaf(draw(leaf)), Leaf(draw(leaf))]
    return nodes


def rows_for(forest: Forest, count: int, seed: int) -> np.ndarray:
    """Rows of which most features lie at a threshold, one above it, or at an end of their range."""
    rng = random.Random(seed)
    choices = []
    for column, thresholds in zip(forest.columns, forest.thresholds(), strict=True):
        greatest = (1 << column.bits) - 1
        edges = {0, greatest, *thresholds, *(min(t + 1, greatest) for t in thresholds)}
        choices.append(sorted(edges | {rng.randint(0, greatest) for _ in range(4)}))
    return np.array([[rng.choice(values) for values in choices] for _ in range(count)], np.int64)


SMALL_FOREST = grown_forest(names=("maxpl", "rsp"), trees=3, depth=2, seed=4)
"""Its tables take few bytes."""
