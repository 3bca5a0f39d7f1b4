"""Regression trees and forests of them, read as a score: SPAM where the prediction is above 0."""

from collections.abc import Sequence

from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

from ..forest import Column
from .score_model import ScoreModel, is_dyadic, sum_error
from .score_tree import ScoreTree, fitted_tree, real

__all__ = ["score_model"]


def score_model(
    estimator: DecisionTreeRegressor | RandomForestRegressor | ExtraTreesRegressor, columns: Sequence[Column]
) -> ScoreModel:
    """Real score: the number of trees times the prediction, which a forest averages and a tree says alone."""
    if isinstance(estimator, DecisionTreeRegressor):
        return ScoreModel(trees=(_leaves(estimator, columns),))
    trees = tuple(_leaves(tree, columns) for tree in estimator.estimators_)
    if all(is_dyadic(tree.scores) for tree in trees):
        # Nothing is rounded before the division by the number of trees, which keeps the sign.
        return ScoreModel(trees=trees)
    reach = sum(max(map(abs, tree.scores)) for tree in trees)
    return ScoreModel(trees=trees, noise=sum_error(len(trees), reach))


def _leaves(estimator: DecisionTreeRegressor, columns: Sequence[Column]) -> ScoreTree:
    values = estimator.tree_.value[:, 0, 0].tolist()
    return fitted_tree(estimator.tree_, lambda at: real(values[at]), columns)
