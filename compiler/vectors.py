"""Test vectors: flows at random and flows at the thresholds of a forest, with the answers they must get."""

import csv
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


@dataclass(frozen=True)
class Vectors:
    """Rows of features and the score and verdict of each."""

    rows: NDArray[np.int64]
    scores: NDArray[np.int64]
    verdicts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)


def make_vectors(forest: Forest, seed: int) -> Vectors:
    """Vectors of a forest: first those at random, then those at thresholds.

    At random, every length of an integer is as likely, because thresholds lie closer the smaller they are. At
    thresholds, every feature of a row is a threshold of its column or one above it, and as far as
    :data:`MOST_AT_THRESHOLDS` allows every (feature, threshold) has a row on each side of it.
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

    rows = np.minimum(np.concatenate([at_random, at_thresholds]), (1 << widths) - 1)
    scores = forest.score(rows)
    return Vectors(rows, scores, forest.verdicts(scores))


def _at_random(rng: np.random.Generator, widths: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    lengths = rng.integers(0, widths + 1, (count, len(widths)))
    return rng.integers(0, 1 << lengths)


def write_vectors(path: str | Path, forest: Forest, vectors: Vectors) -> None:
    """Write a table with a column for every feature, then ``score`` and ``verdict``."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*forest.feature_names, "score", "verdict"])
        writer.writerows(np.column_stack([vectors.rows, vectors.scores, vectors.verdicts]).tolist())


def read_vectors(path: str | Path) -> Vectors:
    """Read what :func:`write_vectors` wrote."""
    table = np.loadtxt(path, np.int64, delimiter=",", skiprows=1, ndmin=2)
    return Vectors(table[:, :-2], table[:, -2], table[:, -1])
