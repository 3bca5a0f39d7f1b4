"""The score above which a record speaks against its sender, chosen for the list of senders apart from the band."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..flow_set import FlowSet
from .block_list import LOWEST_SHARE, MINIMUM, seems_shared
from .ranking import wilson_lower

__all__ = ["ListScore", "choose_list_score", "would_list"]

_STRICTER = 2
"""A legitimate sender must stay off a list of so many times fewer records and so many times less SPAM among them."""
_SCORES = 128
"""That are looked at, from the highest down."""


@dataclass(frozen=True)
class ListScore:
    """A score, and what a list made by it would have stopped.

    Attributes
    ----------
    score: a record above it counts as SPAM
    spam_listed: share of spam flows that are of listed senders
    """

    score: int
    spam_listed: float

    def to_notes(self) -> dict[str, Any]:
        """For forest.json."""
        return {"score": self.score, "spam_flows_listed": round(self.spam_listed, 4)}


def choose_list_score(scores: NDArray[np.int64], flows: FlowSet) -> ListScore:
    """The score whose list holds the senders of the most spam flows, the highest of several.

    A list rests on many records of a sender, so it bears a lower score than the verdict on one flow. No legitimate flow
    may be of a sender that half the records (:data:`~.block_list.MINIMUM`) with half the share of SPAM
    (:data:`~.block_list.LOWEST_SHARE`) would list.

    Parameters
    ----------
    scores: of the flows, from what has not learnt from their senders
    """
    sender = np.unique(flows.sender, return_inverse=True)[1]
    spam, legitimate = flows.is_spam, flows.is_legitimate
    places = np.linspace(1, 0, _SCORES)
    best = ListScore(int(scores.max()), 0.0)
    for score in dict.fromkeys(np.quantile(scores, places, method="inverted_cdf").tolist()):
        strictly = would_list(scores, sender, score, MINIMUM // _STRICTER, LOWEST_SHARE / _STRICTER)
        if np.any(strictly & legitimate):
            break
        listed = float(np.mean(would_list(scores, sender, score)[spam])) if np.any(spam) else 0.0
        if listed > best.spam_listed:
            best = ListScore(int(score), listed)
    return best


def would_list(
    scores: NDArray[np.int64],
    sender: NDArray[np.int64],
    score: int,
    minimum: int = MINIMUM,
    lowest_share: float = LOWEST_SHARE,
) -> NDArray[np.bool_]:
    """Whether the sender of each flow would be on a list, by its flows alone; senders are indices."""
    records = np.bincount(sender)
    above = np.bincount(sender[scores > score], minlength=len(records))
    below = np.bincount(sender[scores < score], minlength=len(records))
    is_listed = (above >= minimum) & (wilson_lower(above, records) >= lowest_share) & ~seems_shared(below, records)
    return is_listed[sender]
