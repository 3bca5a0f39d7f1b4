"""Universal features: those that matter in every source (eq. 4 of Luckner and Filasiak)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier

from .cross_fitting import cross_scores
from .fitting import FitParameters, vote_learner
from .flow_set import FlowSet

__all__ = ["CANDIDATES", "THRESHOLD", "Ranked", "importance", "rank_features", "verify_choice"]

_ONE_WAY = (
    *("slas", "spl", "slps", "maxpl", "maxtw", "spps", "stw", "mintw"),
    *("maxttl", "sp", "minttl", "sttl", "spl2", "minpl", "spas"),
)
CANDIDATES = (*_ONE_WAY, *("r" + name for name in _ONE_WAY))
"""The statistics that are ranked, both ways."""

THRESHOLD = 50.0
_LEAVES = 32


@dataclass(frozen=True)
class Ranked:
    """A feature and its response.

    Attributes
    ----------
    by_source:
        Importance of feature and response in each source.
    universal:
        The mean over the sources of the greater of the two.
    """

    name: str
    by_source: Mapping[str, tuple[float, float]]
    universal: float


def importance(flows: FlowSet) -> NDArray[np.float64]:
    """How much each feature could lower the impurity of a tree, the best one having 100 points.

    At every node of a tree that parts spam from what is legitimate, each feature has the Gini drop of its own best
    split, whether or not it is the one that was taken, so that a feature does not vanish behind one that is like it.
    """
    taught = flows.teaching
    spam = taught.target == 1
    weight = np.where(spam, 0.5 / spam.sum(), 0.5 / (~spam).sum())
    tree = DecisionTreeClassifier(max_leaf_nodes=_LEAVES, min_samples_leaf=5, random_state=0)
    tree.fit(taught.X, spam, sample_weight=weight * len(taught))
    passed = tree.decision_path(taught.X)
    drops = np.zeros(len(flows.features))
    for node in np.flatnonzero(tree.tree_.children_left >= 0):
        rows = passed[:, node].indices if passed[:, node].format == "csc" else passed[:, [node]].nonzero()[0]
        for at in range(len(drops)):
            drops[at] += _best_drop(taught.X[rows, at], spam[rows], weight[rows])
    return 100 * drops / drops.max() if drops.max() > 0 else drops


def _best_drop(values: NDArray, spam: NDArray[np.bool_], weight: NDArray) -> float:
    """Of the weighted Gini impurity, by the best threshold."""
    order = np.argsort(values, kind="stable")
    ends = np.flatnonzero(np.diff(values[order]))
    if not len(ends):
        return 0.0
    total, of_spam = np.cumsum(weight[order]), np.cumsum((weight * spam)[order])

    def impurity(total: NDArray, of_spam: NDArray) -> NDArray:
        # total · 2p(1 − p)
        return 2 * of_spam * (total - of_spam) / np.maximum(total, 1e-300)

    left = impurity(total[ends], of_spam[ends])
    right = impurity(total[-1] - total[ends], of_spam[-1] - of_spam[ends])
    return float(np.max(impurity(total[-1], of_spam[-1]) - left - right))


def rank_features(sources: Mapping[str, FlowSet]) -> list[Ranked]:
    """All features of both directions, the most universal first."""
    points = {name: dict(zip(flows.features, importance(flows), strict=True)) for name, flows in sources.items()}
    features = next(iter(sources.values())).features
    forward = [name for name in features if "r" + name in features or not name.startswith("r")]
    ranked = []
    for name in forward:
        by_source = {source: (of_source[name], of_source.get("r" + name, 0.0)) for source, of_source in points.items()}
        ranked.append(Ranked(name, by_source, float(np.mean([max(pair) for pair in by_source.values()]))))
    return sorted(ranked, key=lambda entry: (-entry.universal, entry.name))


def verify_choice(
    sources: Mapping[str, FlowSet], choices: Mapping[str, tuple[str, ...]], parameters: FitParameters
) -> dict[tuple[str, str], dict[str, float]]:
    """Balanced accuracy of a vote on each choice of features, by what was learnt from and what was judged."""
    learner = vote_learner(parameters)
    found = {}
    for learnt, source in sources.items():
        for judged, flows in sources.items():
            accuracies = {}
            for name, features in choices.items():
                mine, theirs = source.of_features(features), flows.of_features(features)
                scores = cross_scores(mine, learner, parameters.seed) if source is flows else learner(mine)(theirs)
                right = [np.mean((scores > 0)[flows.y == 1]), np.mean((scores <= 0)[flows.y == -1])]
                accuracies[name] = float(np.mean(right))
            found[learnt, judged] = accuracies
    return found
