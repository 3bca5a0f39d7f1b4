"""Test vectors: flows at random, at the thresholds and at the band of a forest, with the answers they must get."""

import csv
import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .forest import Forest

__all__ = ["Vectors", "make_vectors", "read_vectors", "write_vectors"]

HALF = 1000
"""Vectors at random, and at least as many at thresholds."""

MOST_AT_THRESHOLDS = 10_000
"""A forest of more thresholds than half of this has some of them tested on one side only."""

NEAREST = 8
"""Vectors on either side of either end of the band, or in every class next to another."""

_Leads = Callable[[NDArray[np.int64]], NDArray[np.int64]]

_PARENTS, _CHILDREN, _STEPS = 32, 4, 60
_FAR = 1 << 40
_TREES_WALKED = 10_000
"""At most, all steps of the search for scores at the band together, so that it ends in time for large forests."""


@dataclass(frozen=True)
class Vectors:
    """Rows of features and the answer to each: its score and decision, as :meth:`Forest.answer` gives them."""

    rows: NDArray[np.int64]
    scores: NDArray[np.int64]
    decisions: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)


def make_vectors(forest: Forest, seed: int) -> Vectors:
    """Vectors of a forest: first those at random, then those at thresholds, last those where decisions change.

    At random, every length of an integer is as likely, because thresholds lie closer the smaller they are. At
    thresholds, every feature of a row is a threshold of its column or one above it, and as far as
    :data:`MOST_AT_THRESHOLDS` allows every (feature, threshold) has a row on each side of it. Where decisions change,
    scores are the nearest on both sides of ``lo`` and of ``hi`` that a search has found; of several classes,
    every class with the nearest second one.
    """
    rng = np.random.default_rng(seed)
    widths = np.array([column.bits for column in forest.columns])
    thresholds = [np.array(sorted(found)) for found in forest.thresholds()]
    pairs = [(feature, int(t)) for feature, found in enumerate(thresholds) for t in found]
    # Shuffled, so that what is cut off a large forest is spread over all features.
    pairs = [pairs[at] for at in rng.permutation(len(pairs))]
    both_sides = [(feature, t + above) for feature, t in pairs for above in (0, 1)][:MOST_AT_THRESHOLDS]

    at_random = _at_random(rng, widths, HALF)
    at_thresholds = _at_random(rng, widths, max(HALF, len(both_sides)))
    for feature, found in enumerate(thresholds):
        if len(found):
            at_thresholds[:, feature] = rng.choice(found, len(at_thresholds)) + rng.integers(0, 2, len(at_thresholds))
    for row, (feature, value) in enumerate(both_sides):
        at_thresholds[row, feature] = value

    greatest = (1 << widths) - 1
    at_thresholds = np.minimum(at_thresholds, greatest)
    edges = [
        np.minimum(np.concatenate([found, found + 1]), top) for found, top in zip(thresholds, greatest, strict=True)
    ]
    rows = np.concatenate([at_random, at_thresholds, _where_decisions_change(forest, rng, at_thresholds, edges)])
    return Vectors(rows, *forest.answer(rows))


def _where_decisions_change(
    forest: Forest, rng: np.random.Generator, start: NDArray[np.int64], edges: list[NDArray[np.int64]]
) -> NDArray[np.int64]:
    """Rows with scores next to where another decision begins: a search that moves features to other ``edges``."""
    sides = _sides_of_classes(forest) if forest.classes else _sides_of_band(forest)
    movable = [feature for feature, values in enumerate(edges) if len(values)]
    steps = max(1, min(_STEPS, _TREES_WALKED // len(forest.trees))) if movable else 0
    found = []
    for leads_of in sides:
        parents = start[: _PARENTS * _CHILDREN]
        for _ in range(steps):
            rows = np.concatenate([parents, _moved(rng, parents, movable, edges)])
            # One row of every lead keeps the parents unlike each other.
            leads, first = np.unique(leads_of(rows), return_index=True)
            distances = np.where(leads >= 0, leads, _FAR - leads)
            parents = rows[first[np.argsort(distances, kind="stable")[:_PARENTS]]]
        # A side that no score reaches gets rows like any other.
        found.append(np.resize(parents, (NEAREST, start.shape[1])))
    return np.concatenate(found)


def _sides_of_band(forest: Forest) -> list[_Leads]:
    """How far scores are inside of each side of each end of the band; below 0 on its other side."""
    lo, hi = forest.band
    return [
        lambda rows: lo - 1 - forest.score(rows),
        lambda rows: forest.score(rows) - lo,
        lambda rows: hi - forest.score(rows),
        lambda rows: forest.score(rows) - hi - 1,
    ]


def _sides_of_classes(forest: Forest) -> list[_Leads]:
    """How far the score of each class is above what it needs to be the answer; below 0 where another one is."""

    def leads_of(index: int, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        scores = forest.score(rows)
        needed = scores + (np.arange(scores.shape[1]) < index)
        needed[:, index] = -_FAR
        return scores[:, index] - needed.max(axis=1)

    return [functools.partial(leads_of, index) for index in range(len(forest.classes))]


def _moved(
    rng: np.random.Generator, parents: NDArray[np.int64], movable: list[int], edges: list[NDArray[np.int64]]
) -> NDArray[np.int64]:
    """Children of rows, each with one to three features elsewhere."""
    children = np.repeat(parents, _CHILDREN, axis=0)
    for row in children:
        for feature in rng.choice(movable, rng.integers(1, 4)):
            row[feature] = rng.choice(edges[feature])
    return children


def _at_random(rng: np.random.Generator, widths: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    lengths = rng.integers(0, widths + 1, (count, len(widths)))
    return rng.integers(0, 1 << lengths)


def write_vectors(path: str | Path, forest: Forest, vectors: Vectors) -> None:
    """Write a table with a column for every feature, then ``score``, and ``verdict`` or ``class_index``."""
    decision = "class_index" if forest.classes else "verdict"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*forest.feature_names, "score", decision])
        writer.writerows(np.column_stack([vectors.rows, vectors.scores, vectors.decisions]).tolist())


def read_vectors(path: str | Path) -> Vectors:
    """Read what :func:`write_vectors` wrote."""
    table = np.loadtxt(path, np.int64, delimiter=",", skiprows=1, ndmin=2)
    return Vectors(table[:, :-2], table[:, -2], table[:, -1])
