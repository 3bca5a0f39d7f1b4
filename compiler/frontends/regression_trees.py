"""Regressors that average trees, read as a score: SPAM where the prediction is above 0.

Single trees, forests of them, bagging, and weighted votes of these and of boosted regressors.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from sklearn.ensemble import (
    BaggingRegressor,
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
    VotingRegressor,
)
from sklearn.tree import DecisionTreeRegressor

from ..errors import InputError
from ..forest import Column
from . import gradient_boosting, hist_gradient_boosting
from .estimator import require_one_output
from .score_model import ScoreModel, is_dyadic, sum_error
from .score_tree import fitted_tree, real
from .voting_weights import voting_weights

__all__ = ["score_model"]

Columns = Sequence[Column]


def score_model(estimator: Any, columns: Columns) -> ScoreModel:
    """Real score: the number of trees times the prediction, which an ensemble averages and a tree says alone."""
    model = _prediction(estimator, columns)
    return _times(model, Fraction(len(model.trees)))


def _prediction(estimator: Any, columns: Columns) -> ScoreModel:
    """The prediction itself as a real score."""
    for kind, read in _READERS.items():
        if isinstance(estimator, kind):
            return read(estimator, columns)
    raise InputError(
        f"an average must be of regression trees and of sums of them, not of {type(estimator).__name__}: "
        "its prediction is not a sum of leaf scores"
    )


def _tree(estimator: DecisionTreeRegressor, columns: Columns) -> ScoreModel:
    require_one_output(estimator)
    values = estimator.tree_.value[:, 0, 0].tolist()
    return ScoreModel(trees=(fitted_tree(estimator.tree_, lambda at: real(values[at]), columns),))


def _forest(estimator: RandomForestRegressor | ExtraTreesRegressor, columns: Columns) -> ScoreModel:
    return _mean([_tree(tree, columns) for tree in estimator.estimators_])


def _bagging(estimator: BaggingRegressor, columns: Columns) -> ScoreModel:
    parts = []
    for part, chosen in zip(estimator.estimators_, estimator.estimators_features_, strict=True):
        own = _prediction(part, [columns[c] for c in chosen])
        placed = tuple(tree.placed(chosen) for tree in own.trees)
        parts.append(ScoreModel(trees=placed, constant=own.constant, noise=own.noise))
    return _mean(parts)


def _vote(estimator: VotingRegressor, columns: Columns) -> ScoreModel:
    return _mean([_prediction(part, columns) for part in estimator.estimators_], voting_weights(estimator))


def _mean(parts: Sequence[ScoreModel], weights: Sequence[Fraction] | None = None) -> ScoreModel:
    """The weighted mean; exact if it is of single trees whose leaves, weighted, need no rounding in a sum.

    The division at the end rounds too, but keeps the sign.
    """
    weights = [Fraction(1)] * len(parts) if weights is None else weights
    weighted = [_times(part, weight) for part, weight in zip(parts, weights, strict=True)]
    exact = is_dyadic(weights) and all(
        len(part.trees) == 1 and not part.constant and not part.noise and is_dyadic(part.values) for part in weighted
    )
    rounding = Fraction(0) if exact else sum_error(len(parts), sum(part.reach for part in weighted))
    whole = ScoreModel(
        trees=tuple(tree for part in weighted for tree in part.trees),
        constant=sum((part.constant for part in weighted), Fraction(0)),
        noise=rounding + sum(part.noise for part in weighted),
    )
    return _times(whole, 1 / sum(weights))


def _times(model: ScoreModel, factor: Fraction) -> ScoreModel:
    return ScoreModel(
        trees=tuple(tree.times(factor) for tree in model.trees),
        constant=model.constant * factor,
        noise=model.noise * factor,
    )


_READERS: dict[Any, Callable[[Any, Columns], ScoreModel]] = {
    DecisionTreeRegressor: _tree,
    (RandomForestRegressor, ExtraTreesRegressor): _forest,
    BaggingRegressor: _bagging,
    VotingRegressor: _vote,
    GradientBoostingRegressor: gradient_boosting.score_model,
    HistGradientBoostingRegressor: hist_gradient_boosting.score_model,
}
