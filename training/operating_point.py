"""The band of scores that decides nothing, chosen so that false alarms stay within a budget."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from compiler.forest import Band

__all__ = ["CONFIDENCE", "FalseAlarms", "OperatingPoint", "choose_band", "count_false_alarms"]

CONFIDENCE = 0.95
PER_FLOWS = 10_000


@dataclass(frozen=True)
class FalseAlarms:
    """Legitimate flows that were called spam.

    Attributes
    ----------
    alarms, flows, senders:
        Alarms among so many legitimate flows of so many senders.
    effective_senders:
        (Σ n)² / Σ n² of the n flows of each sender: how many senders of equal size tell as much.
    rate, bound:
        Alarms per 10 000 flows, as measured, and the upper end of its one-sided 95 % interval over senders.
    """

    alarms: int
    flows: int
    senders: int
    effective_senders: float
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
            "measured_on": "validation senders",
            "budget_per_10000_legitimate_flows": self.budget,
            "within_budget": self.within_budget,
            "spam_flows_caught": round(self.caught, 4),
            "false_alarms": {
                name: round(value, 2) if isinstance(value, float) else value
                for name, value in asdict(self.false_alarms).items()
            },
            "bound": f"one-sided {CONFIDENCE:.0%} Clopper-Pearson, with the effective number of senders for flows",
        }


def count_false_alarms(alarms: NDArray[np.bool_], senders: NDArray[np.str_]) -> FalseAlarms:
    """Count alarms on legitimate flows and bound their rate.

    Flows of one sender are alike, so they count as one observation, not as many: the bound is Clopper and Pearson's
    with the effective number of senders in place of the number of flows (after Korn and Graubard, 1998). Without any
    legitimate flow nothing is known and the bound is 10 000.
    """
    sizes = np.unique(senders, return_counts=True)[1]
    flows, hits = len(alarms), int(np.sum(alarms))
    if not flows:
        return FalseAlarms(0, 0, 0, 0.0, 0.0, float(PER_FLOWS))
    effective = float(flows**2 / np.sum(sizes.astype(np.int64) ** 2))
    observed = hits / flows * effective
    bound = 1.0 if hits == flows else float(beta.ppf(CONFIDENCE, observed + 1, effective - observed))
    return FalseAlarms(hits, flows, len(sizes), effective, hits / flows * PER_FLOWS, bound * PER_FLOWS)


def choose_band(
    legitimate_scores: NDArray[np.int64],
    senders: NDArray[np.str_],
    spam_scores: NDArray[np.int64],
    budget: float,
) -> OperatingPoint:
    """The smallest upper end of the band whose bound of false alarms is within the budget.

    The band begins at 0, so that BACKGROUND is what eq. 5 calls it, and some spam must lie above it. When no band does,
    it is the one with the lowest bound among those that still catch half of the spam that eq. 5 catches.
    """
    ends = np.unique(np.concatenate([[0], legitimate_scores[legitimate_scores > 0]])).tolist()
    points = [_point(int(end), legitimate_scores, senders, spam_scores, budget) for end in ends]
    for point in points:
        if point.within_budget and point.caught > 0:
            return point
    useful = [point for point in points if point.caught >= points[0].caught / 2]
    return replace(min(useful, key=lambda point: point.false_alarms.bound), within_budget=False)


def _point(
    end: int,
    legitimate_scores: NDArray[np.int64],
    senders: NDArray[np.str_],
    spam_scores: NDArray[np.int64],
    budget: float,
) -> OperatingPoint:
    false_alarms = count_false_alarms(legitimate_scores > end, senders)
    caught = float(np.mean(spam_scores > end)) if len(spam_scores) else 0.0
    return OperatingPoint(Band(0, end), budget, false_alarms.bound <= budget, caught, false_alarms)
