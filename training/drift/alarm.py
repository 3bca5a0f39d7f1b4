"""The drift alarm: whether flows have other features than those that a forest learnt from, by more than chance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .histograms import Histograms

__all__ = ["Alarm", "FeatureDrift", "Trials", "compare", "population_stability", "trials"]

_MOST_SENDERS = 1000


@dataclass(frozen=True)
class FeatureDrift:
    """How far a feature is from what was learnt.

    Attributes
    ----------
    stability:
        Population stability index.
    p:
        Of an index as unusual as that in any feature, if senders then and now were of one kind.
    moved:
        The bin whose share has changed most: its bounds, and its share then and now. A bound of None is none.
    """

    name: str
    stability: float
    p: float
    moved: tuple[int | None, int | None, float, float]


@dataclass(frozen=True)
class Alarm:
    """The rule: an index of at least ``stability`` in a feature whose p is at most ``level``."""

    stability: float = 0.1
    level: float = 0.01

    def raised_by(self, found: Sequence[FeatureDrift]) -> list[FeatureDrift]:
        """The features that raise it."""
        return [drift for drift in found if drift.stability >= self.stability and drift.p <= self.level]


@dataclass(frozen=True)
class Trials:
    """How often the alarm was raised.

    Attributes
    ----------
    among_halves:
        Between two halves of the same senders, where there is nothing to be found.
    against_learnt:
        Between one half and what was learnt.
    """

    count: int
    senders: int
    among_halves: int
    against_learnt: int


def population_stability(learnt: NDArray, now: NDArray) -> NDArray[np.float64]:
    """The population stability index of counts in bins, the last axis: Σ (b − a)·ln(b / a) of the shares a and b.

    It is Jeffreys' divergence; half a flow is added to each bin, as an empty one would make it infinite. Customary
    readings are below .1 no change, above .25 another population (Siddiqi, Credit Risk Scorecards, 2006).
    """
    shares = []
    for counts in (learnt, now):
        filled = counts + 0.5
        shares.append(filled / filled.sum(axis=-1, keepdims=True))
    # A difference of logarithms: the index of then and now is that of now and then to the last bit.
    return np.sum((shares[1] - shares[0]) * (np.log(shares[1]) - np.log(shares[0])), axis=-1)


def compare(
    learnt: Histograms, now: NDArray[np.int64], *, permutations: int = 999, seed: int = 1
) -> list[FeatureDrift]:
    """Every feature of flows by sender, as ``learnt.counts_of`` gives them, against what was learnt.

    Flows of a sender are alike, so it is senders that are permuted between then and now, all features together. The
    p of a feature is adjusted for their number: the share of permutations in which the index of any feature is as far
    out, each measured by its own mean over the permutations (single-step maxT of Westfall and Young, Resampling-Based
    Multiple Testing, 1993).
    """
    generator = np.random.default_rng(seed)
    drawn = now if len(now) <= _MOST_SENDERS else now[generator.permutation(len(now))[:_MOST_SENDERS]]
    p = _adjusted(learnt.counts, drawn, learnt.slices, permutations, generator)
    found, total = [], now.sum(axis=0)
    for at, (name, part, edges) in enumerate(zip(learnt.features, learnt.slices, learnt.edges, strict=True)):
        then, today = learnt.total[part], total[part]
        shares = then / then.sum(), today / today.sum()
        most = int(np.argmax(np.abs(shares[1] - shares[0])))
        bounds = (None, *edges, None)
        found.append(
            FeatureDrift(
                name,
                float(population_stability(then, today)),
                float(p[at]),
                (bounds[most], bounds[most + 1], float(shares[0][most]), float(shares[1][most])),
            )
        )
    return found


def trials(
    learnt: Histograms, now: NDArray[np.int64], alarm: Alarm, *, count: int, permutations: int = 199, seed: int = 1
) -> Trials:
    """Try the alarm on halves of the senders of ``now``, drawn anew each time."""
    generator = np.random.default_rng(seed)
    half = len(now) // 2
    raised = [0, 0]
    for _ in range(count):
        order = generator.permutation(len(now))
        one, other = now[order[:half]], now[order[half:]]
        for at, reference in enumerate((other, learnt.counts)):
            p = _adjusted(reference, one, learnt.slices, permutations, generator)
            index = np.array([population_stability(*_totals(reference, one, part)) for part in learnt.slices])
            raised[at] += bool(np.any((index >= alarm.stability) & (p <= alarm.level)))
    return Trials(count, half, *raised)


def _totals(learnt: NDArray, now: NDArray, part: slice) -> tuple[NDArray, NDArray]:
    return learnt[:, part].sum(axis=0), now[:, part].sum(axis=0)


def _adjusted(
    learnt: NDArray[np.int64],
    now: NDArray[np.int64],
    slices: Sequence[slice],
    permutations: int,
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """The adjusted p of every feature."""
    pooled = np.concatenate([now, learnt]).astype(np.float64)
    chosen = np.zeros((permutations + 1, len(pooled)))
    chosen[0, : len(now)] = 1
    for row in chosen[1:]:
        row[generator.permutation(len(pooled))[: len(now)]] = 1
    today = chosen @ pooled
    then = pooled.sum(axis=0) - today
    indices = np.column_stack([population_stability(then[:, part], today[:, part]) for part in slices])
    ratios = indices / np.maximum(indices.mean(axis=0), np.finfo(float).tiny)
    furthest = ratios[1:].max(axis=1)
    # Sums of floats in another order may differ in their last bits.
    return (1 + np.sum(furthest[:, None] >= ratios[0] - 1e-9, axis=0)) / (permutations + 1)
