"""The band of scores that decides nothing, chosen so that false alarms stay within a budget."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from compiler.forest import Band

__all__ = ["CONFIDENCE", "PER_FLOWS", "FalseAlarms", "OperatingPoint", "choose_band", "count_false_alarms"]

CONFIDENCE = 0.95
PER_FLOWS = 10_000
_TELLING = 5
"""So many alarms show whether they come from few senders."""
_MOST_BANDS = 512
"""That are looked at when none keeps the budget."""


@dataclass(frozen=True)
class FalseAlarms:
    """Legitimate flows that were called spam.

    Attributes
    ----------
    alarms, flows, senders:
        Alarms among so many legitimate flows of so many senders.
    effective_flows:
        How many flows of as many senders would tell as much.
    rate, bound:
        Alarms per 10 000 flows, as measured, and the upper end of its one-sided 95 % interval over senders.
    """

    alarms: int
    flows: int
    senders: int
    effective_flows: float
    rate: float
    bound: float


@dataclass(frozen=True)
class OperatingPoint:
    """A band and what it was chosen by.

    Attributes
    ----------
    within_budget:
        The bound of the false alarms is.
    caught:
        Share of spam above the band.
    """

    band: Band
    budget: float
    within_budget: bool
    caught: float
    false_alarms: FalseAlarms

    def to_notes(self) -> dict[str, Any]:
        """For forest.json."""
        return {
            "measured_on": "all senders, each by trees that have not learnt from it",
            "budget_per_10000_legitimate_flows": self.budget,
            "within_budget": self.within_budget,
            "spam_flows_caught": round(self.caught, 4),
            "false_alarms": {
                name: round(value, 2) if isinstance(value, float) else value
                for name, value in asdict(self.false_alarms).items()
            },
            "bound": f"one-sided {CONFIDENCE:.0%} Clopper-Pearson, with the effective number of flows (Korn, Graubard)",
        }


def count_false_alarms(alarms: NDArray[np.bool_], senders: NDArray) -> FalseAlarms:
    """Count alarms on legitimate flows and bound their rate.

    Flows of one sender may be alike, so the bound is Clopper and Pearson's with an effective number of flows (Korn and
    Graubard, 1998): theirs divided by the design effect, which is how many times the variance over senders is that of
    independent flows, but at least 1. Fewer than five alarms do not show how alike they are; then every sender counts
    as one observation, (Σ n)² / Σ n² of the n flows of each (Kish). Without any legitimate flow nothing is known and
    the bound is 10 000.
    """
    number, sizes = np.unique(senders, return_inverse=True, return_counts=True)[1:]
    flows, hits = len(alarms), int(np.sum(alarms))
    if not flows:
        return FalseAlarms(0, 0, 0, 0.0, 0.0, float(PER_FLOWS))
    rate = hits / flows
    if min(hits, flows - hits) < _TELLING:
        effective = float(flows**2 / np.sum(sizes.astype(np.int64) ** 2))
    else:
        residuals = np.bincount(number, alarms, len(sizes)) - rate * sizes
        spread = len(sizes) / max(1, len(sizes) - 1) * float(np.sum(residuals**2))
        effective = flows / max(1.0, spread / (flows * rate * (1 - rate)))
    observed = rate * effective
    bound = 1.0 if hits == flows else float(beta.ppf(CONFIDENCE, observed + 1, effective - observed))
    return FalseAlarms(hits, flows, len(sizes), effective, rate * PER_FLOWS, bound * PER_FLOWS)


def choose_band(
    legitimate_scores: NDArray[np.int64],
    senders: NDArray,
    spam_scores: NDArray[np.int64],
    budget: float,
    lowest: int = 0,
) -> OperatingPoint:
    """The smallest upper end of the band whose bound of false alarms is within the budget.

    The band begins at ``lowest``, 0 so that BACKGROUND is what eq. 5 calls it, and some spam must lie above it. When no
    band does, it is the one with the lowest bound among those that still catch half of what ``lowest`` catches.
    """
    numbers = np.unique(senders, return_inverse=True)[1]
    spam_scores = np.sort(spam_scores)

    def points(ends: list[int]) -> Iterator[OperatingPoint]:
        for end in ends:
            false_alarms = count_false_alarms(legitimate_scores > end, numbers)
            above = len(spam_scores) - np.searchsorted(spam_scores, end, "right")
            caught = float(above / len(spam_scores)) if len(spam_scores) else 0.0
            yield OperatingPoint(Band(lowest, end), budget, false_alarms.bound <= budget, caught, false_alarms)

    ends = np.unique(np.append(legitimate_scores[legitimate_scores > lowest], lowest)).astype(np.int64)
    # The bound is never below the rate, so most ends need not be looked at.
    above = len(legitimate_scores) - np.searchsorted(np.sort(legitimate_scores), ends, "right")
    for point in points(ends[above <= len(legitimate_scores) * budget / PER_FLOWS].tolist()):
        if point.within_budget and point.caught > 0:
            return point
    some = np.unique(np.linspace(0, len(ends) - 1, min(_MOST_BANDS, len(ends))).astype(np.int64))
    looked_at = list(points(ends[some].tolist()))
    useful = [point for point in looked_at if point.caught >= looked_at[0].caught / 2]
    return replace(min(useful, key=lambda point: point.false_alarms.bound), within_budget=False)
