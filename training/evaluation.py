"""How well a forest and its rivals tell spam at equal false alarms, on senders and on sources they have not seen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from compiler.features import UNIVERSAL

from .cross_fitting import Learner, cross_scores, require_both
from .detection import Interval, Resamples, Roc, threshold_at
from .fitting import FitParameters, verdict_learner, vote_learner
from .flow_set import FlowSet
from .leaks import LEAKS
from .operating_point import PER_FLOWS
from .rivals import learn_pca, stump_learner, tree_learner

__all__ = ["FOREST", "STUMP", "Case", "cases_of", "needed_features", "precision", "rivals_of"]

STUMP, FOREST = "stump", "forest"


@dataclass(frozen=True)
class Case:
    """Flows that were judged by what has not learnt from their senders.

    Attributes
    ----------
    name:
        What was learnt from and what was judged.
    flows:
        Those that were judged.
    scores:
        Of every classifier, by its name.
    verdicts:
        Of the forest with the band that its learning flows gave it.
    budget:
        False alarms per 10 000 legitimate flows at which all are compared.
    resamples:
        Of the senders.
    """

    name: str
    flows: FlowSet
    scores: Mapping[str, NDArray]
    verdicts: NDArray[np.int64]
    budget: float
    resamples: Resamples

    def detection(self, name: str) -> Interval:
        """Share of spam that a classifier catches at the budget."""
        return self.resamples.interval(self._detection(name))

    def gain(self, name: str) -> Interval:
        """How much more that is than the stump's, on the same samples of senders."""
        mine, stump = self._detection(name), self._detection(STUMP)
        return self.resamples.interval(lambda weights: mine(weights) - stump(weights))

    def balanced_accuracy(self, name: str) -> Interval:
        """With the threshold that keeps the budget on these flows."""
        return _balanced_accuracy(self.resamples, self.flows.y, np.where(self.called(name), 1, -1))

    def called(self, name: str) -> NDArray[np.bool_]:
        """The flows called spam with that threshold."""
        scores = self.scores[name]
        return scores > threshold_at(scores[self.flows.is_legitimate], self.budget)

    def _detection(self, name: str) -> Callable[[NDArray], float]:
        scores, spam, legitimate = self.scores[name], self.flows.is_spam, self.flows.is_legitimate
        roc = Roc(scores[spam], scores[legitimate])
        return lambda weights: roc.caught(self.budget, weights[spam], weights[legitimate])


def _balanced_accuracy(resamples: Resamples, y: NDArray[np.int64], said: NDArray[np.int64]) -> Interval:
    rows = [np.flatnonzero(y == sign) for sign in (-1, 1)]
    right = [np.flatnonzero((y == sign) & (said == sign)) for sign in (-1, 1)]

    def measure(weights: NDArray) -> float:
        totals = [weights[of_class].sum() for of_class in rows]
        if not all(totals):
            return float("nan")
        return float(np.mean([weights[hits].sum() / total for hits, total in zip(right, totals, strict=True)]))

    return resamples.interval(measure)


def rivals_of(parameters: FitParameters, features: tuple[str, ...]) -> dict[str, Learner]:
    """Learners by name; all but the paper's see these features."""
    plain = replace(parameters, depth=4, leaves=None, share=0.5, caution=1.0, thresholds=None)
    mine = {
        STUMP: stump_learner(parameters.budget),
        "depth-2 tree": tree_learner(parameters.budget),
        "PCA baseline": learn_pca,
        FOREST: vote_learner(parameters),
    }
    learners = {name: _on(features, learner) for name, learner in mine.items()}
    universal = {"eq. 5, universal features": _on(UNIVERSAL, vote_learner(plain))}
    return {name: (learners | universal)[name] for name in (STUMP, "depth-2 tree", "PCA baseline", *universal, FOREST)}


def needed_features(features: tuple[str, ...]) -> tuple[str, ...]:
    """What flows must hold to be evaluated with these: those of the paper and of the leak tests too."""
    return tuple(dict.fromkeys((*features, *UNIVERSAL, *(name for names in LEAKS.values() for name in names))))


def _on(features: tuple[str, ...], learner: Learner) -> Learner:
    def learn(flows: FlowSet):
        judge = learner(flows.of_features(features))
        return lambda flows: judge(flows.of_features(features))

    return learn


def cases_of(
    sources: Mapping[str, FlowSet],
    parameters: FitParameters,
    features: tuple[str, ...],
    tell: Callable[[str], None] = lambda _: None,
) -> list[Case]:
    """Every source by itself, its senders in folds; and every source by what was learnt from another one."""
    learners = rivals_of(parameters, features)
    banded = _on(features, verdict_learner(parameters))
    cases = []
    for learnt, source in sources.items():
        require_both(source)
        for judged, flows in sources.items():
            name = f"{learnt}, other senders" if learnt == judged else f"{learnt} -> {judged}"
            tell(name)

            def scores(learner: Learner, source=source, flows=flows) -> NDArray:
                return cross_scores(flows, learner, parameters.seed) if source is flows else learner(source)(flows)

            said = {rival: scores(learner) for rival, learner in learners.items()}
            resamples = Resamples(flows.sender, seed=parameters.seed)
            cases.append(Case(name, flows, said, scores(banded).astype(np.int64), parameters.budget, resamples))
    return cases


def precision(detection: float, rate: float, spam_share: float) -> float:
    """The share of spam among the flows that are called spam, where so much of all mail traffic is spam."""
    caught, alarms = detection * spam_share, rate / PER_FLOWS * (1 - spam_share)
    return caught / (caught + alarms) if caught + alarms else float("nan")
