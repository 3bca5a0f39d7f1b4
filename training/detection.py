"""How much spam a score catches at a rate of false alarms, and how sure that is: a bootstrap over senders."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .operating_point import PER_FLOWS

__all__ = ["Interval", "Resamples", "detection_at", "threshold_at"]


@dataclass(frozen=True)
class Interval:
    """A figure and the middle 95 % of it over resampled senders."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f}–{self.high:.3f})"


def detection_at(
    spam: NDArray,
    legitimate: NDArray,
    rate: float,
    spam_weight: NDArray | None = None,
    legitimate_weight: NDArray | None = None,
) -> float:
    """The share of spam that is caught with ``rate`` false alarms per 10 000 legitimate flows.

    Between two thresholds, as between flows of equal scores, it is that of a coin: the line of the ROC curve.

    Parameters
    ----------
    spam, legitimate: scores
    spam_weight, legitimate_weight: how often each flow counts; once by default
    """
    scores = np.concatenate([spam, legitimate])
    weight_spam = np.ones(len(spam)) if spam_weight is None else spam_weight
    weight_legitimate = np.ones(len(legitimate)) if legitimate_weight is None else legitimate_weight
    hits = np.concatenate([weight_spam, np.zeros(len(legitimate))])
    alarms = np.concatenate([np.zeros(len(spam)), weight_legitimate])
    order = np.argsort(-scores, kind="stable")
    last_of_equals = np.append(np.diff(scores[order]) != 0, True)
    caught = np.append(0.0, np.cumsum(hits[order])[last_of_equals]) / max(np.sum(weight_spam), 1e-9)
    alarmed = np.append(0.0, np.cumsum(alarms[order])[last_of_equals]) / max(np.sum(weight_legitimate), 1e-9)
    at = rate / PER_FLOWS
    # Of points above each other the highest.
    after = int(np.searchsorted(alarmed, at, "right"))
    if after == len(alarmed):
        return float(caught[-1])
    before = after - 1
    share = (at - alarmed[before]) / (alarmed[after] - alarmed[before])
    return float(caught[before] + share * (caught[after] - caught[before]))


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
        number = np.unique(senders, return_inverse=True)[1]
        count = int(number.max()) + 1
        generator = np.random.default_rng(seed)
        self.weights = [
            np.bincount(generator.integers(count, size=count), minlength=count)[number] for _ in range(samples)
        ]
        self._once = np.ones(len(senders), np.int64)

    def interval(self, measure) -> Interval:
        """Of a function of the weights of the flows; a sample on which it is nan does not count."""
        values = np.array([measure(weights) for weights in self.weights])
        values = values[~np.isnan(values)]
        low, high = np.percentile(values, (2.5, 97.5)) if len(values) else (float("nan"),) * 2
        return Interval(float(measure(self._once)), float(low), float(high))
