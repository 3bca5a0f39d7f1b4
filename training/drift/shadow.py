"""A second forest beside the first: where their verdicts differ, and which of the two is right then."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from compiler.forest import Forest

from ..flow_set import FlowSet

__all__ = ["VERDICTS", "Paired", "SenderDisagreement", "Shadow", "shadow_of"]

VERDICTS = (1, 0, -1)
"""SPAM, UNCERTAIN, BACKGROUND."""


@dataclass(frozen=True)
class SenderDisagreement:
    """A sender, its flows, and how many of them the two call differently, and SPAM."""

    sender: str
    flows: int
    different: int
    first_spam: int
    second_spam: int


@dataclass(frozen=True)
class Paired:
    """Which forest is right where one is and the other is not.

    Attributes
    ----------
    first_right, second_right:
        Flows that this one alone is right about.
    first_better, second_better:
        Senders of whose flows this one is right about more.
    p:
        Of so uneven a number of senders, if either forest were as likely to be the better one: McNemar's exact test
        (1947) with a sender as one observation, since flows of a sender are alike.
    """

    first_right: int
    second_right: int
    first_better: int
    second_better: int
    p: float


@dataclass(frozen=True)
class Shadow:
    """Two forests on the same flows.

    Attributes
    ----------
    first, second:
        Verdicts.
    scores:
        Of both, as shares of the highest score each can give (2 × flow).
    """

    flows: FlowSet
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    scores: NDArray[np.float64]

    @property
    def different(self) -> NDArray[np.bool_]:
        return self.first != self.second

    def counts(self, rows: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """Flows by the verdict of the first (rows) and the second (columns), in the order of :data:`VERDICTS`."""
        chosen = np.ones(len(self.flows), bool) if rows is None else rows
        pairs = [[(self.first == one) & (self.second == other) & chosen for other in VERDICTS] for one in VERDICTS]
        return np.sum(pairs, axis=2)

    def senders(self) -> list[SenderDisagreement]:
        """Senders with flows that the two call differently, those with the most of them first."""
        names, number = np.unique(self.flows.sender, return_inverse=True)
        columns = (np.ones(len(number)), self.different, self.first == 1, self.second == 1)
        counts = [np.bincount(number, column, len(names)).astype(int).tolist() for column in columns]
        found = [SenderDisagreement(*row) for row in zip(names.tolist(), *counts, strict=True)]
        return sorted((row for row in found if row.different), key=lambda row: (-row.different, row.sender))

    def furthest(self, number: int) -> NDArray[np.int64]:
        """The rows of so many flows about which the two differ, those whose scores are furthest apart first."""
        rows = np.flatnonzero(self.different)
        return rows[np.argsort(-np.abs(self.scores[0] - self.scores[1])[rows], kind="stable")][:number]

    def paired(self, *, spam: bool) -> Paired:
        """On spam, which it is right to call SPAM, or on legitimate flows, which it is right not to."""
        rows = self.flows.is_spam if spam else self.flows.is_legitimate
        right = [(said[rows] == 1) == spam for said in (self.first, self.second)]
        gain = right[1].astype(np.int64) - right[0]
        number = np.unique(self.flows.sender[rows], return_inverse=True)[1]
        of_senders = np.bincount(number, gain) if len(number) else np.zeros(0)
        first, second = int(np.sum(of_senders < 0)), int(np.sum(of_senders > 0))
        p = float(binomtest(first, first + second).pvalue) if first + second else 1.0
        return Paired(int(np.sum(gain < 0)), int(np.sum(gain > 0)), first, second, p)


def shadow_of(first: Forest, second: Forest, flows: FlowSet) -> Shadow:
    """Ask both about every flow."""
    scores = [forest.score(flows.columns(forest.feature_names)) for forest in (first, second)]
    shares = [
        score / max(abs(end) for end in forest.score_range)
        for forest, score in zip((first, second), scores, strict=True)
    ]
    return Shadow(flows, first.verdicts(scores[0]), second.verdicts(scores[1]), np.array(shares))
