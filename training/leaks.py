"""Leak tests: what tells the classes of a data set apart that would not tell spam elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .cross_fitting import cross_scores
from .detection import Interval, Resamples
from .fitting import FitParameters, vote_learner
from .flow_set import FlowSet

__all__ = ["COLUMNS", "LEAKS", "TASKS", "Leak", "leaks_of", "warnings_of"]

LEAKS = {
    "TTL and window of the client": ("maxtw", "stw", "mintw", "maxttl", "minttl", "sttl"),
    "lengths of the server": ("rslas", "rspl", "rslps", "rmaxpl", "rspl2", "rminpl"),
}
"""What a classifier is given alone: the stack of a sender, and texts of one server."""

TASKS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "spam against ham": (("spam",), ("ham",)),
    "all spam against legitimate": (("dnsbl", "spam"), ("ham", "outgoing", "submission")),
}
COLUMNS = ("source", "task", "features", "senders apart", "coins for senders", "above chance", "flows apart")
"""Of a table of leaks; the first three are texts."""

_TREES = 30
_COINS = 1000
_MEMORY = 0.05
"""How much better a split by flow has to be to be worth a warning."""


@dataclass(frozen=True)
class Leak:
    """Balanced accuracy of a vote on some features.

    Attributes
    ----------
    by_sender, by_flow:
        Of folds that share no sender, and of folds of flows.
    chance:
        Where 95 % of coins lie that are thrown once for each sender.
    """

    source: str
    task: str
    features: str
    by_sender: Interval
    by_flow: float
    chance: tuple[float, float]

    @property
    def above_chance(self) -> bool:
        return self.by_sender.value > self.chance[1] and self.by_sender.low > 0.5

    @property
    def cells(self) -> tuple[str, ...]:
        """Its row of a table, under :data:`COLUMNS`."""
        return (
            self.source,
            self.task,
            self.features,
            str(self.by_sender),
            f"{self.chance[0]:.3f}–{self.chance[1]:.3f}",
            "yes" if self.above_chance else "no",
            f"{self.by_flow:.3f}",
        )


def leaks_of(name: str, flows: FlowSet, parameters: FitParameters, features: tuple[str, ...]) -> list[Leak]:
    """Every task by the features of the forest and by those that leak."""
    plain = replace(parameters, trees=min(_TREES, parameters.trees), caution=1.0, leaves=16)
    found = []
    for task, (spam, ham) in TASKS.items():
        chosen = flows.select(np.isin(flows.label, (*spam, *ham)))
        if not 0 < np.sum(chosen.y == 1) < len(chosen):
            continue
        resamples = Resamples(chosen.sender, seed=parameters.seed)
        for title, names in {"features of the forest": features, **LEAKS}.items():
            of_features = chosen.of_features(names)
            generator = np.random.default_rng(parameters.seed)
            mixed = np.array_split(generator.permutation(len(chosen)), 5)
            learner = vote_learner(plain)
            by_sender = np.sign(cross_scores(of_features, learner, parameters.seed))
            by_flow = np.sign(cross_scores(of_features, learner, parameters.seed, parts=mixed))
            accuracy = resamples.interval(lambda weights, y=chosen.y, said=by_sender: _accuracy(y, said, weights))
            found.append(
                Leak(name, task, title, accuracy, _accuracy(chosen.y, by_flow, None), _chance(chosen, generator))
            )
    return found


def _accuracy(y: NDArray[np.int64], said: NDArray, weights: NDArray | None) -> float:
    weights = np.ones(len(y)) if weights is None else weights
    totals = [np.sum(weights[y == sign]) for sign in (-1, 1)]
    if not all(totals):
        return float("nan")
    hits = [np.sum(weights[(y == sign) & (said == sign)]) for sign in (-1, 1)]
    return float(np.mean(np.divide(hits, totals)))


def _chance(flows: FlowSet, generator: np.random.Generator) -> tuple[float, float]:
    number = np.unique(flows.sender, return_inverse=True)[1]
    coins = generator.choice((-1, 1), size=(_COINS, number.max() + 1))
    low, high = np.percentile([_accuracy(flows.y, coin[number], None) for coin in coins], (2.5, 97.5))
    return float(low), float(high)


def warnings_of(leaks: list[Leak]) -> list[str]:
    """What the reader of an accuracy has to know."""
    said = []
    reached = {(leak.source, leak.task): leak for leak in leaks if leak.features not in LEAKS}
    for leak in leaks:
        forest = reached[leak.source, leak.task]
        place = f"{leak.source}, {leak.task}"
        if leak is not forest and leak.above_chance and leak.by_sender.high >= forest.by_sender.value:
            said.append(
                f"{place}: {leak.features} alone reach {leak.by_sender}, the features of the forest "
                f"{forest.by_sender.value:.3f}: a leak may explain the accuracy"
            )
        if leak.by_flow - leak.by_sender.value > _MEMORY:
            said.append(
                f"{place}, {leak.features}: a split by flow reaches {leak.by_flow:.3f}, by sender "
                f"{leak.by_sender.value:.3f}: trees remember senders, so only splits by sender count"
            )
    return said
