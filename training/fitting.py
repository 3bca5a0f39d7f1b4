"""Fit a forest on flows, and choose its operating point on flows of senders that its trees have not learnt from."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray

from compiler.forest import Forest

from .cross_fitting import FOLDS, Judge, Learner, cross_scores, require_both
from .ensemble import WeightedVote
from .flow_set import FlowSet
from .operating_point import OperatingPoint, choose_band
from .senders.list_score import choose_list_score

__all__ = ["Fit", "FitParameters", "fit_forest", "sources_of", "verdict_learner", "vote_fitted", "vote_learner"]


@dataclass(frozen=True, kw_only=True)
class FitParameters:
    """What a forest is fitted with; ports, orientation and directions say which flows it is for.

    ``leaves`` and ``depth`` limit each tree, which may use a ``share`` of the features; all trees share so many
    ``thresholds`` of each. A tree learns from about so many ``samples``, of whole senders. ``caution`` is how much
    more legitimate flows count than spam, so that trees ask what sets apart those that are hard to tell from spam.
    """

    trees: int = 61
    depth: int = 8
    leaves: int | None = 16
    share: float = 0.7
    thresholds: int | None = None
    samples: int | None = 200_000
    caution: float = 10.0
    seed: int = 1
    budget: float = 100.0
    ports: frozenset[int] | None = frozenset({25})
    orientation: str = "initiator"
    directions: str = "forward"
    jobs: int | None = None


@dataclass(frozen=True)
class Fit:
    """A forest and the operating point it is bound to.

    Attributes
    ----------
    scores:
        Of every flow that was learnt from, by trees that have not learnt from its sender, on the scale of the forest.
    """

    forest: Forest
    operating_point: OperatingPoint
    scores: NDArray[np.int64]

    @property
    def verdicts(self) -> NDArray[np.int64]:
        """By the scores."""
        return self.forest.verdicts(self.scores)


def fit_forest(
    flows: FlowSet,
    parameters: FitParameters,
    provenance: dict[str, Any] | None = None,
    sources: NDArray | None = None,
) -> Fit:
    """Grow the trees on all senders; choose the band by cross-fitting, on forests of the senders of the other folds."""
    require_both(flows)
    vote = vote_fitted(flows, parameters, sources)
    shares = cross_scores(flows, vote_learner(parameters), parameters.seed)
    scores = np.round(shares * sum(vote.hits_)).astype(np.int64)
    legitimate = flows.is_legitimate
    point = choose_band(scores[legitimate], flows.sender[legitimate], scores[flows.is_spam], parameters.budget)
    taught = flows.teaching
    forest = vote.to_forest(
        band=point.band,
        ports=None if parameters.ports is None else tuple(sorted(parameters.ports)),
        orientation=parameters.orientation,
        directions=parameters.directions,
        prefix=flows.prefix,
        monitor_only=not point.within_budget,
        operating_point=point.to_notes() | {"list": choose_list_score(scores, flows).to_notes()},
        provenance={
            **(provenance or {}),
            "seed": parameters.seed,
            "learning": {"flows": len(taught), "senders": taught.senders},
            "weights": "share of right answers on senders out of the bootstrap, in steps of 1/255",
            "folds": FOLDS,
            "caution": parameters.caution,
            "scikit-learn": sklearn.__version__,
            "numpy": np.__version__,
        },
    )
    forest.verify()
    return Fit(forest, point, scores)


def vote_learner(parameters: FitParameters) -> Learner:
    """Learns a vote and scores flows by how much more of its weight speaks for spam than against it, from −1 to 1."""

    def learn(flows: FlowSet) -> Judge:
        vote = vote_fitted(flows, parameters)
        return lambda flows: vote.decision_function(flows.X) / sum(vote.hits_)

    return learn


def verdict_learner(parameters: FitParameters) -> Learner:
    """Learns a forest with its band and gives verdicts in place of scores."""

    def learn(flows: FlowSet) -> Judge:
        forest = fit_forest(flows, parameters).forest
        return lambda flows: forest.decide(flows.columns(forest.feature_names))

    return learn


def vote_fitted(flows: FlowSet, parameters: FitParameters, sources: NDArray | None = None) -> WeightedVote:
    """The vote that has learnt from these flows."""
    rows = flows.target != 0
    return WeightedVote(
        flows.features,
        n_trees=parameters.trees,
        max_depth=parameters.depth,
        max_leaf_nodes=parameters.leaves,
        features_per_tree=parameters.share,
        max_thresholds=parameters.thresholds,
        max_samples=parameters.samples,
        class_share={-1: parameters.caution},
        n_jobs=parameters.jobs,
        random_state=parameters.seed,
    ).fit(flows.X[rows], flows.target[rows], flows.sender[rows], None if sources is None else sources[rows])


def sources_of(paths: Sequence[Path]) -> list[dict[str, str]]:
    """Name and SHA-256 of every file."""
    return [{"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()} for path in paths]
