"""Forest: the intermediate representation of an ensemble of decision trees, and the one meaning it has.

The vote of a tree is its weight times the value of the leaf that is reached; the **score** is the sum of all votes;
the **verdict** is SPAM (+1) when the score is above the band, BACKGROUND (−1) below it, else UNCERTAIN (0). A forest of
several classes has a score for each, the sum of the votes of its trees, and decides for the class of the highest score,
the lowest index on a tie. All of it is integer arithmetic.

:meth:`Forest.score` and :meth:`Forest.decide` are the only interpreter: circuits, proofs and reports are held to them.
"""

import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hdl.tree import Leaf, Node, Tree

from .forest_rules import verify
from .tree_table import TreeTable

__all__ = ["Band", "Column", "Forest", "Leaf", "Node", "Tree"]


class Column(NamedTuple):
    """One feature as the forest reads it: an unsigned integer, the last ``fraction`` of its bits behind the point."""

    name: str
    bits: int
    fraction: int = 0
    unit: str = ""


class Band(NamedTuple):
    """The scores from ``lo`` to ``hi``, both included, that decide nothing."""

    lo: int = 0
    hi: int = 0


_TIE = Band()


@dataclass(frozen=True, kw_only=True)
class Forest:
    """An ensemble with everything that changes its answers, and the notes that travel with it.

    Parameters
    ----------
    name:
        What reports call it.
    columns, trees, band:
        The features in the order of the input rows, the trees, and the scores that decide nothing.
    validation_rows:
        N, the number of rows that the weights count hits out of; 0 when they do not come from a validation set.
    ports:
        The TCP ports whose flows it was trained on, None for all.
    orientation:
        ``initiator`` or ``first``: which side of a flow is called forward.
    directions:
        ``both`` or ``forward``: which directions of a flow its features may use.
    min_packets:
        Flows of fewer packets (both ways) are not classified.
    prefix:
        0, or the number of packets (both ways) of which it judges the first of every flow, and what it was trained on.
    monitor_only:
        No band met the budget of false alarms: its verdicts are to be looked at, not acted on.
    operating_point, provenance:
        JSON objects for people: the false alarms that were measured; data, seeds and versions it was made from.
    score_fraction, score_error:
        Notes on a forest made from real scores: how many bits of the score lie behind the point, and an upper bound of
        how far ``score / 2 ** score_fraction`` is from the score of that model (times the factor that made whole votes
        of it, if it was), over all inputs; of several classes, how far the difference of any two scores is. Error 0:
        every decision is the model's own.
    classes:
        The names of the classes, in the order of their indices; empty for verdicts.
    """

    name: str
    columns: tuple[Column, ...]
    trees: tuple[Tree, ...]
    band: Band = _TIE
    validation_rows: int = 0
    ports: tuple[int, ...] | None = (25,)
    orientation: str = "initiator"
    directions: str = "both"
    min_packets: int = 2
    monitor_only: bool = False
    operating_point: Mapping[str, Any] = field(default_factory=dict, hash=False)
    provenance: Mapping[str, Any] = field(default_factory=dict, hash=False)
    score_fraction: int = 0
    score_error: float = 0.0
    classes: tuple[str, ...] = ()
    prefix: int = 0

    @functools.cached_property
    def id(self) -> str:
        """First 8 hex digits of the SHA-256 of everything that changes answers; flow records carry it as 32 bits."""
        answers = {
            "columns": [(c.name, c.bits, c.fraction) for c in self.columns],
            "trees": [(tree.weight, tree.nodes) for tree in self.trees],
            "band": self.band,
            "ports": self.ports if self.ports is None else sorted(self.ports),
            "orientation": self.orientation,
            "directions": self.directions,
            "min_packets": self.min_packets,
        }
        if self.classes:
            answers["classes"] = [self.classes, [tree.class_index for tree in self.trees]]
        if self.prefix:
            answers["prefix"] = self.prefix
        canonical = json.dumps(answers, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:8]

    @property
    def feature_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @functools.cached_property
    def score_range(self) -> tuple[int, int]:
        """The lowest and the highest sum that votes can make, whether or not one row reaches both ends.

        Of several classes, over the scores of all.
        """
        lowest, highest = zip(*self.score_ranges, strict=True)
        return min(lowest), max(highest)

    @functools.cached_property
    def score_ranges(self) -> tuple[tuple[int, int], ...]:
        """The range of every score: of every class, or of the one there is."""
        return tuple((sum(map(min, votes)), sum(map(max, votes))) for votes in self.class_votes)

    @functools.cached_property
    def class_votes(self) -> tuple[tuple[frozenset[int], ...], ...]:
        """What the trees behind every score can add to it."""
        return tuple(
            tuple(votes for tree, votes in zip(self.trees, self.votes, strict=True) if tree.class_index == index)
            for index in range(len(self.classes) or 1)
        )

    @functools.cached_property
    def votes(self) -> tuple[frozenset[int], ...]:
        """What every tree can add to the score."""
        return tuple(frozenset(tree.weight * value for value in tree.leaf_values) for tree in self.trees)

    def verify(self, *, catalogue: bool = True) -> list[str]:
        """Raise :class:`~compiler.errors.InputError` at the first rule it breaks; return warnings.

        ``catalogue=False`` leaves out that every column must be a feature of the catalogue.
        """
        return verify(self, catalogue=catalogue)

    def score(self, X: ArrayLike) -> NDArray[np.int64]:
        """The sum of the votes for every row of ``X``, an integer array of shape (rows, columns).

        The result has shape (rows,), or (rows, classes) of several classes.
        """
        rows = self._rows(X)
        totals = np.zeros((len(rows), len(self.classes) or 1), np.int64)
        for tree, table in zip(self.trees, self._tables, strict=True):
            totals[:, tree.class_index] += tree.weight * table.values(rows)
        return totals if self.classes else totals[:, 0]

    def decide(self, X: ArrayLike) -> NDArray[np.int64]:
        """The verdict for every row: +1 SPAM, −1 BACKGROUND, 0 UNCERTAIN; of several classes, the index of one."""
        return self.answer(X)[1]

    def answer(self, X: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """What a circuit answers for every row: the score, of several classes the highest, and the decision."""
        scores = self.score(X)
        if not self.classes:
            return scores, self.verdicts(scores)
        # numpy's argmax gives the first of equals.
        return scores.max(axis=1), scores.argmax(axis=1)

    def verdicts(self, scores: NDArray[np.int64]) -> NDArray[np.int64]:
        """The verdict for every score."""
        return (scores > self.band.hi).astype(np.int64) - (scores < self.band.lo).astype(np.int64)

    @functools.cached_property
    def _tables(self) -> tuple[TreeTable, ...]:
        return tuple(TreeTable(tree) for tree in self.trees)

    def _rows(self, X: ArrayLike) -> NDArray[np.int64]:
        rows = np.asarray(X)
        if rows.ndim != 2 or rows.shape[1] != len(self.columns):
            raise ValueError(f"X must have shape (rows, {len(self.columns)}), not {rows.shape}")
        if rows.dtype.kind not in "iu":
            raise ValueError(f"X must hold integers, not {rows.dtype}")
        for index, column in enumerate(self.columns):
            values = rows[:, index]
            if len(values) and (values.min() < 0 or values.max() >= 1 << column.bits):
                wrong = int(np.argmax((values < 0) | (values >= 1 << column.bits)))
                raise ValueError(
                    f"Row {wrong} of X must hold {column.name!r} as unsigned({column.bits}), not {int(values[wrong])}"
                )
        return rows.astype(np.int64, copy=False)

    def to_json(self, path: str | Path) -> None:
        """Write forest.json."""
        from .forest_json import write_forest

        write_forest(self, path)

    @classmethod
    def from_json(cls, path: str | Path) -> "Forest":
        """Read and verify forest.json."""
        from .forest_json import read_forest

        return read_forest(path)

    def thresholds(self) -> Sequence[frozenset[int]]:
        """The distinct thresholds of every column, in the order of the columns."""
        found: list[set[int]] = [set() for _ in self.columns]
        for tree in self.trees:
            for node in tree.nodes:
                if isinstance(node, Node):
                    found[node.feature].add(node.threshold)
        return [frozenset(thresholds) for thresholds in found]
