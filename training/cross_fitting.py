"""Cross-fitting: every flow is judged by a classifier that has not learnt from its sender."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from compiler.errors import InputError

from .flow_set import FlowSet, sender_parts

__all__ = ["FOLDS", "Judge", "Learner", "cross_scores", "require_both"]

FOLDS = 5

Judge = Callable[[FlowSet], NDArray[np.float64]]
"""Gives every flow a score, the higher the more like spam."""

Learner = Callable[[FlowSet], Judge]


def cross_scores(
    flows: FlowSet, learner: Learner, seed: int, folds: int = FOLDS, parts: list[NDArray] | None = None
) -> NDArray[np.float64]:
    """The score of every flow, from what was learnt of the senders of the other folds.

    ``parts`` are the rows of the folds; by default folds that share no sender.
    """
    if parts is None:
        parts = [part for part in sender_parts(flows, (1,) * folds, seed) if len(part)]
    scores = np.zeros(len(flows))
    for part in parts:
        rest = np.setdiff1d(np.arange(len(flows)), part)
        learnt = flows.select(rest)
        require_both(learnt)
        scores[part] = learner(learnt)(flows.select(part))
    return scores


def require_both(flows: FlowSet) -> None:
    """Refuse flows that cannot teach: both classes, of two senders at least, must be among them."""
    spam, legitimate = int(np.sum(flows.target == 1)), int(np.sum(flows.target == -1))
    if not (spam and legitimate):
        raise InputError(
            f"{flows.name}: the learning senders must have complete flows of both classes, "
            f"not {spam} of spam and {legitimate} legitimate"
        )
    for sign, kind in ((1, "spam"), (-1, "legitimate")):
        if len(np.unique(flows.sender[flows.target == sign])) == 1:
            raise InputError(f"{flows.name}: all {kind} flows are of one sender, so nothing can be said of others")
