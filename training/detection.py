"""How much spam a score catches at a rate of false alarms, and how sure that is: a bootstrap over senders."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .operating_point import PER_FLOWS

__all__ = ["Interval", "Resamples", "Roc", "caught_by", "detection_at", "threshold_at"]


@dataclass(frozen=True)
class Interval:
    """A figure and the middle 95 % of it over resampled senders."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f}–{self.high:.3f})"


class Roc:
    """How much spam is caught with how many false alarms, by threshold.

    Parameters
    ----------
    spam, legitimate:
        Scores of the flows of either kind.
    """

    def __init__(self, spam: NDArray, legitimate: NDArray):
        scores = np.concatenate([spam, legitimate])
        order = np.argsort(-scores, kind="stable")
        self._last_of_equals = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True)[: len(scores)])
        self._order = order
        self._is_spam = order < len(spam)
        self._spam, self._legitimate = len(spam), len(legitimate)

    def caught(
        self, rate: float, spam_weight: NDArray | None = None, legitimate_weight: NDArray | None = None
    ) -> float:
        """The share of spam that is caught with ``rate`` false alarms per 10 000 legitimate flows.

        Between two thresholds, as between flows of equal scores, it is that of a coin: the line of the ROC curve.
        Weights are how often each flow counts, once by default; nan without spam or without legitimate flows.
        """
        spam_weight = np.ones(self._spam) if spam_weight is None else spam_weight
        legitimate_weight = np.ones(self._legitimate) if legitimate_weight is None else legitimate_weight
        weight = np.concatenate([spam_weight, legitimate_weight])[self._order]
        hits = np.cumsum(np.where(self._is_spam, weight, 0))[self._last_of_equals]
        alarms = np.cumsum(np.where(self._is_spam, 0, weight))[self._last_of_equals]
        if not (len(hits) and hits[-1] and alarms[-1]):
            return float("nan")
        caught, alarmed = np.append(0, hits) / hits[-1], np.append(0, alarms) / alarms[-1]
        at = rate / PER_FLOWS
        # Of points above each other the highest.
        after = int(np.searchsorted(alarmed, at, "right"))
        if after == len(alarmed):
            return 1.0
        share = (at - alarmed[after - 1]) / (alarmed[after] - alarmed[after - 1])
        return float(caught[after - 1] + share * (caught[after] - caught[after - 1]))


def detection_at(spam: NDArray, legitimate: NDArray, rate: float) -> float:
    """:meth:`Roc.caught` of these scores."""
    return Roc(spam, legitimate).caught(rate)


def caught_by(
    scores: Iterable[NDArray], spam: NDArray[np.bool_], legitimate: NDArray[np.bool_], rate: float
) -> Callable[[NDArray], float]:
    """The same on average over several scores of each flow, as a measure for :meth:`Resamples.interval`."""
    curves = [Roc(found[spam], found[legitimate]) for found in scores]
    return lambda weights: float(np.mean([curve.caught(rate, weights[spam], weights[legitimate]) for curve in curves]))


def threshold_at(legitimate: NDArray, rate: float) -> float:
    """The lowest score so that no more than ``rate`` of 10 000 legitimate flows lie above it."""
    allowed = int(len(legitimate) * rate / PER_FLOWS)
    return float(np.sort(legitimate)[::-1][min(allowed, len(legitimate) - 1)])


class Resamples:
    """Bootstrap samples of senders, the same ones for all that is compared.

    Parameters
    ----------
    senders:
        The sender of every flow.
    """

    def __init__(self, senders: NDArray, samples: int = 500, seed: int = 0):
        different, number = np.unique(senders, return_inverse=True)
        count = len(different)
        generator = np.random.default_rng(seed)
        self.weights = [
            np.bincount(generator.integers(count, size=count), minlength=count)[number] for _ in range(samples)
        ]
        self._once = np.ones(len(senders), np.int64)

    def interval(self, measure: Callable[[NDArray], float]) -> Interval:
        """Of a function of the weights of the flows; a sample on which it is nan does not count."""
        values = np.array([measure(weights) for weights in self.weights])
        values = values[~np.isnan(values)]
        low, high = np.percentile(values, (2.5, 97.5)) if len(values) else (float("nan"),) * 2
        return Interval(float(measure(self._once)), float(low), float(high))
