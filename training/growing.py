"""Growing one tree of a vote: on the whole senders that were drawn for it, weighed on those that were not."""

import sys
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier

__all__ = ["GrownTree", "Lesson", "TreeLimits", "grow", "said_by", "shared_grid"]


@dataclass(frozen=True)
class Lesson:
    """Rows to learn from.

    Attributes
    ----------
    X:
        Features.
    y:
        Classes as indices from 0.
    group:
        The sender of every row, as an index.
    source:
        The source of every row, as an index.
    class_share:
        What every class counts in all, whatever its number of rows.
    """

    X: NDArray
    y: NDArray[np.int64]
    group: NDArray[np.int64]
    source: NDArray[np.int64]
    class_share: NDArray[np.float64]

    @cached_property
    def by_sender(self) -> "SenderRows":
        """All rows by sender."""
        order = np.argsort(self.group, kind="stable")
        return SenderRows.of(order, self.group[order])

    @cached_property
    def sources(self) -> NDArray[np.int64]:
        """Those that have rows."""
        return np.flatnonzero(np.bincount(self.source))

    @cached_property
    def classes(self) -> NDArray[np.int64]:
        """Those that have rows."""
        return np.flatnonzero(np.bincount(self.y))

    def row_weight(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Of these rows, so that the classes count as they should; 1 on average."""
        sizes = np.bincount(self.y[rows], minlength=len(self.class_share))
        each = self.class_share / np.maximum(sizes, 1)
        return each[self.y[rows]] * len(rows) / np.sum(self.class_share[sizes > 0])


class SenderRows(NamedTuple):
    """Rows, those of a sender side by side: where each begins among them, and how many it has."""

    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @classmethod
    def of(cls, rows: NDArray[np.int64], senders: NDArray[np.int64]) -> "SenderRows":
        """Of rows that are in the order of their senders."""
        starts = np.flatnonzero(np.diff(senders, prepend=-1))
        return cls(rows, starts, np.diff(np.append(starts, len(rows))))


@dataclass(frozen=True)
class TreeLimits:
    """How large a tree may be, how many of the columns it may use, and about how many rows it learns from."""

    max_depth: int | None
    max_leaf_nodes: int | None
    min_samples_leaf: int
    columns: int
    max_samples: int | None = None


@dataclass(frozen=True)
class GrownTree:
    """A fitted tree, the columns that it was fitted on, and how often it is right about rows of other senders."""

    tree: DecisionTreeClassifier
    columns: NDArray[np.int64]
    accuracy: float


def grow(lesson: Lesson, limits: TreeLimits, grid: list[NDArray] | None, seed: int) -> GrownTree:
    """Grow a tree on columns, sources and senders that the seed draws.

    As many senders are drawn, with replacement, as the drawn sources have, but no more once they have ``max_samples``
    rows, and then the tree is weighed on as many rows of other senders at most. With a ``grid`` the thresholds of every
    column are among those it names.
    """
    generator = np.random.default_rng(seed)
    columns = np.sort(generator.choice(lesson.X.shape[1], limits.columns, replace=False))
    rows, others = _draw(lesson, limits.max_samples, generator)
    tree = DecisionTreeClassifier(
        max_depth=limits.max_depth,
        max_leaf_nodes=limits.max_leaf_nodes,
        min_samples_leaf=limits.min_samples_leaf,
        random_state=int(generator.integers(2**31)),
    )
    X = lesson.X[np.ix_(rows, columns)]
    if grid is None:
        tree.fit(X, lesson.y[rows], sample_weight=lesson.row_weight(rows))
    else:
        chosen = [grid[column] for column in columns]
        ranks = np.column_stack([np.searchsorted(grid, X[:, at]) for at, grid in enumerate(chosen)])
        tree.fit(ranks, lesson.y[rows], sample_weight=lesson.row_weight(rows))
        _name_thresholds(tree, chosen)
    accuracy = float(np.mean(said_by(tree, lesson.X[np.ix_(others, columns)]) == lesson.y[others]))
    return GrownTree(tree, columns, accuracy)


def said_by(tree: DecisionTreeClassifier, X: NDArray) -> NDArray[np.int64]:
    """The class that the tree says of every row, as an index."""
    return tree.predict(X).astype(np.int64, copy=False)


def shared_grid(trees: list[GrownTree], columns: int, most: int) -> list[NDArray]:
    """For every column at most so many thresholds, spread over those that these trees test as often as they do."""
    tested: list[list[float]] = [[] for _ in range(columns)]
    for grown in trees:
        fitted = grown.tree.tree_
        for feature, threshold in zip(fitted.feature.tolist(), fitted.threshold.tolist(), strict=True):
            if feature >= 0:
                tested[grown.columns[feature]].append(threshold)
    places = (np.arange(most) + 0.5) / most
    return [
        np.unique(np.quantile(thresholds, places, method="inverted_cdf")) if thresholds else np.zeros(1)
        for thresholds in tested
    ]


def _draw(
    lesson: Lesson, most: int | None, generator: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to learn from, and rows of senders that none of them is of; all rows where no sender is left."""
    most = sys.maxsize if most is None else most
    sources = lesson.sources
    drawn_sources = sources[generator.random(len(sources)) < 0.5] if len(sources) > 1 else sources
    if not len(drawn_sources):
        drawn_sources = sources[generator.integers(len(sources), size=1)]
    within = lesson.by_sender
    if len(drawn_sources) < len(sources):
        chosen = within.rows[np.isin(lesson.source[within.rows], drawn_sources)]
        within = SenderRows.of(chosen, lesson.group[chosen])
    order, starts, sizes = within
    drawn = generator.integers(len(starts), size=len(starts))
    drawn = drawn[: np.searchsorted(np.cumsum(sizes[drawn]), most) + 1]
    rows = np.concatenate([order[starts[at] : starts[at] + sizes[at]] for at in drawn])
    # A class that was not drawn sends one of its senders.
    for missing in np.setdiff1d(lesson.classes, lesson.y[rows]):
        have = np.unique(lesson.group[lesson.y == missing])
        rows = np.append(rows, np.flatnonzero(lesson.group == have[generator.integers(len(have))]))
    known = np.zeros(lesson.group.max() + 1, bool)
    known[lesson.group[rows]] = True
    others = np.flatnonzero(~known[lesson.group])
    if not len(others):
        return rows, np.arange(len(lesson.y))
    return rows, others if len(others) <= most else np.sort(generator.choice(others, most, replace=False))


def _name_thresholds(tree: DecisionTreeClassifier, grid: list[NDArray]) -> None:
    """Turn thresholds between ranks into values: a rank of at most r is a value of at most the r-th threshold."""
    fitted = tree.tree_
    for node in np.flatnonzero(fitted.feature >= 0):
        values = grid[fitted.feature[node]]
        fitted.threshold[node] = values[min(int(np.floor(fitted.threshold[node])), len(values) - 1)]
