"""How well a forest and its rivals tell spam at equal false alarms, on senders and on sources they have not seen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from compiler.features import UNIVERSAL

from .cross_fitting import Learner, cross_scores, require_both
from .detection import Interval, Resamples, caught_by, threshold_at
from .fitting import FitParameters, verdict_learner, vote_learner
from .flow_set import FlowSet
from .labels import LABELS
from .leaks import LEAKS
from .operating_point import PER_FLOWS, count_false_alarms
from .rivals import learn_pca, stump_learner, tree_learner

__all__ = [
    "FOREST",
    "STUMP",
    "Case",
    "Operation",
    "cases_of",
    "groups_of",
    "known_senders",
    "needed_features",
    "precision",
    "rivals_of",
]

STUMP, FOREST = "stump", "forest"
_VERDICTS = "verdicts"


@dataclass(frozen=True)
class Operation:
    """What a forest with its band says of flows that it has not learnt from, on average over repetitions.

    Attributes
    ----------
    caught:
        Share of spam called SPAM.
    uncertain:
        Share of spam and legitimate flows that is UNCERTAIN.
    rate, bound:
        False alarms per 10 000 legitimate flows, and the upper end of their one-sided 95 % interval over senders.
    precision:
        Share of spam among the spam and legitimate flows called SPAM; nan when none is.
    """

    caught: float
    uncertain: float
    rate: float
    bound: float
    precision: float


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
        Of every classifier, by its name, from several repetitions with other folds and trees (repetition × flow).
    verdicts:
        Of the forest with the band that its learning flows gave it (repetition × flow).
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
        """Share of spam that a classifier catches at the budget, on average over the repetitions."""
        return self.resamples.interval(self._detection(name))

    def gain(self, name: str) -> Interval:
        """How much more that is than the stump's, on the same samples of senders."""
        mine, stump = self._detection(name), self._detection(STUMP)
        return self.resamples.interval(lambda weights: mine(weights) - stump(weights))

    def balanced_accuracy(self, name: str) -> Interval:
        """With the threshold that keeps the budget on these flows."""
        called, y = self.called(name).mean(axis=0), self.flows.y
        spam, background = np.flatnonzero(y == 1), np.flatnonzero(y == -1)

        def measure(weights: NDArray) -> float:
            totals = weights[spam].sum(), weights[background].sum()
            if not all(totals):
                return float("nan")
            hits = (weights * called)[spam].sum(), (weights * (1 - called))[background].sum()
            return float(np.mean(np.divide(hits, totals)))

        return self.resamples.interval(measure)

    def called(self, name: str) -> NDArray[np.bool_]:
        """The flows called spam with the threshold of each repetition (repetition × flow)."""
        legitimate = self.flows.is_legitimate
        return np.array([scores > threshold_at(scores[legitimate], self.budget) for scores in self.scores[name]])

    @property
    def operation(self) -> Operation:
        """Of the forest with the band that its learning flows gave it."""
        spam, legitimate = self.flows.is_spam, self.flows.is_legitimate
        senders = self.flows.sender[legitimate]
        alarms = [count_false_alarms(said[legitimate] == 1, senders) for said in self.verdicts]
        called, wrong = int(np.sum(self.verdicts[:, spam] == 1)), sum(counted.alarms for counted in alarms)
        return Operation(
            caught=float(np.mean(self.verdicts[:, spam] == 1)),
            uncertain=float(np.mean(self.verdicts[:, spam | legitimate] == 0)),
            rate=float(np.mean([counted.rate for counted in alarms])),
            bound=float(np.mean([counted.bound for counted in alarms])),
            precision=called / (called + wrong) if called + wrong else float("nan"),
        )

    def verdict_shares(self, rows: NDArray[np.bool_]) -> dict[int, float]:
        """How large a share of some flows each verdict has, on average over the repetitions."""
        return {verdict: float(np.mean(self.verdicts[:, rows] == verdict)) for verdict in (1, 0, -1)}

    def _detection(self, name: str) -> Callable[[NDArray], float]:
        return caught_by(self.scores[name], self.flows.is_spam, self.flows.is_legitimate, self.budget)


def groups_of(flows: FlowSet) -> dict[str, NDArray[np.bool_]]:
    """The rows of every label; those of ``other`` in two, as greylisted first attempts are legitimate."""
    groups = {label: flows.label == label for label in LABELS if label != "other"}
    other = flows.label == "other"
    return groups | {
        "other: greylisted (legitimate)": other & flows.is_legitimate,
        "other: the rest": other & ~flows.is_legitimate,
    }


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


def known_senders(sources: Mapping[str, FlowSet]) -> list[str]:
    """What the reader of figures across sources has to know: which of them share addresses."""
    said = []
    for one, other in combinations(sources, 2):
        if known := set(sources[one].sender.tolist()) & set(sources[other].sender.tolist()):
            said.append(
                f"{len(known)} addresses send in both {one} and {other}: where they are the same hosts, "
                "figures across the two are of senders that were seen before"
            )
    return said


def _on(features: tuple[str, ...], learner: Learner) -> Learner:
    def learn(flows: FlowSet):
        judge = learner(flows.of_features(features))
        return lambda flows: judge(flows.of_features(features))

    return learn


def cases_of(
    sources: Mapping[str, FlowSet],
    parameters: FitParameters,
    features: tuple[str, ...],
    repeats: int = 1,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Case]:
    """Every source by itself, its senders in folds; and every source by what was learnt from another one.

    Each is repeated with other folds and other trees, as one partition of few senders says little.
    """
    for source in sources.values():
        require_both(source)
    cases = []
    for learnt, source in sources.items():
        for judged, flows in sources.items():
            name = f"{learnt}, other senders" if learnt == judged else f"{learnt} -> {judged}"
            scores: dict[str, list[NDArray]] = {}
            for seed in range(parameters.seed, parameters.seed + repeats):
                tell(f"{name}, seed {seed}")
                mine = replace(parameters, seed=seed)
                learners = rivals_of(mine, features) | {_VERDICTS: _on(features, verdict_learner(mine))}
                for rival, learner in learners.items():
                    said = cross_scores(flows, learner, seed) if source is flows else learner(source)(flows)
                    scores.setdefault(rival, []).append(said)
            stacked = {rival: np.array(said) for rival, said in scores.items()}
            verdicts = stacked.pop(_VERDICTS).astype(np.int64)
            resamples = Resamples(flows.sender, seed=parameters.seed)
            cases.append(Case(name, flows, stacked, verdicts, parameters.budget, resamples))
    return cases


def precision(detection: float, rate: float, spam_share: float) -> float:
    """The share of spam among the flows that are called spam, where so much of all mail traffic is spam."""
    caught, alarms = detection * spam_share, rate / PER_FLOWS * (1 - spam_share)
    return caught / (caught + alarms) if caught + alarms else float("nan")
