"""The course of forests through periods: one that is kept, one that is retrained, and one that goes on learning."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from compiler.forest import Forest

from ..detection import Interval, Resamples, caught_by
from ..fit_report import Assessment, assess
from ..fitting import FitParameters, fit_forest
from ..flow_set import FlowSet, split_senders
from ..growth import add_trees
from .periods import Period

__all__ = ["ADDED", "KEPT", "RETRAINED", "WAYS", "Step", "course"]

KEPT, RETRAINED, ADDED = "kept", "retrained", "added to"
WAYS = (KEPT, RETRAINED, ADDED)


@dataclass(frozen=True)
class Step:
    """A period and the forests that judge it, of which none has learnt from it.

    Attributes
    ----------
    known:
        Senders that one of them may have learnt from.
    """

    period: Period
    forests: Mapping[str, Forest]
    known: NDArray[np.str_]

    @property
    def seen(self) -> NDArray[np.bool_]:
        """The flows of known senders."""
        return np.isin(self.period.flows.sender, self.known)

    def verdicts(self, way: str) -> NDArray[np.int64]:
        return verdicts_of(self.forests[way], self.period.flows)

    def detection(self, way: str, rate: float) -> Interval:
        """Share of the spam of new senders that is caught at so many false alarms per 10 000, whatever the band."""
        return self._resamples.interval(self._caught(way, rate))

    def gain(self, way: str, rate: float) -> Interval:
        """How much more that is than what the forest that is kept catches, on the same samples of senders."""
        mine, kept = self._caught(way, rate), self._caught(KEPT, rate)
        return self._resamples.interval(lambda weights: mine(weights) - kept(weights))

    @cached_property
    def _new(self) -> FlowSet:
        return self.period.flows.select(~self.seen)

    @cached_property
    def _resamples(self) -> Resamples:
        return Resamples(self._new.sender)

    def _caught(self, way: str, rate: float) -> Callable[[NDArray], float]:
        flows, forest = self._new, self.forests[way]
        scores = forest.score(flows.columns(forest.feature_names))
        return caught_by([scores], flows.is_spam, flows.is_legitimate, rate)

    def of_new_senders(self, way: str) -> Assessment:
        return assess(self._new, self.verdicts(way)[~self.seen])

    def of_all(self, way: str) -> Assessment:
        return assess(self.period.flows, self.verdicts(way))


def verdicts_of(forest: Forest, flows: FlowSet) -> NDArray[np.int64]:
    """What the forest calls these flows."""
    return forest.decide(flows.columns(forest.feature_names))


def course(
    periods: Sequence[Period],
    parameters: FitParameters,
    *,
    new_trees: int,
    cap: int,
    last_only: bool,
    hold_out: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[Step]:
    """A step for every period but the first one.

    Parameters
    ----------
    new_trees, cap:
        Trees that are added after each period, and how many of all are kept.
    last_only:
        Retrain on the last period instead of on all so far.
    hold_out:
        Learn from half of the senders alone, so that every period has flows of the other half.
    """
    teachers = _half(periods, parameters.seed) if hold_out else None
    lessons = [_of_senders(period.flows, teachers) for period in periods[:-1]]
    tell(f"learning from {periods[0].name}")
    forests = dict.fromkeys(WAYS, fit_forest(lessons[0], parameters).forest)
    for at, period in enumerate(periods[1:], 1):
        learnt = lessons[:at]
        if at > 1:
            tell(f"learning from {periods[at - 1].name}")
            rows = FlowSet.joined(learnt[-1:] if last_only else learnt)
            forests[RETRAINED] = fit_forest(rows, parameters).forest
            more = replace(parameters, trees=new_trees)
            forests[ADDED] = add_trees(forests[ADDED], learnt[-1], more, cap).fit.forest
        known = np.unique(np.concatenate([flows.sender for flows in learnt]))
        yield Step(period, dict(forests), known)


def _half(periods: Sequence[Period], seed: int) -> NDArray[np.str_]:
    """Half of the senders of each class."""
    flows = FlowSet.joined([period.flows for period in periods])
    return np.unique(split_senders(flows, (1, 1), seed)[0].sender)


def _of_senders(flows: FlowSet, senders: NDArray[np.str_] | None) -> FlowSet:
    return flows if senders is None else flows.select(np.isin(flows.sender, senders))
