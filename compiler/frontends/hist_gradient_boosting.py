"""HistGradientBoosting, classifier and regressor, of numeric features: a baseline and a sum of leaves.

It compares a float64 of x with a float64 threshold; integers are never missing. SPAM needs a sum above 0; of several
classes each has trees and a baseline of its own.
"""

from collections.abc import Sequence

import numpy as np
from sklearn.base import is_classifier
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from ..errors import InputError
from ..forest import Column
from .class_scores import ClassScores
from .estimator import class_names
from .score_model import ScoreModel, sum_error
from .score_tree import Score, ScoreTree, Split, at_most, grown, real

__all__ = ["score_model"]

_LOG_LINK = ("poisson", "gamma")


def score_model(
    estimator: HistGradientBoostingClassifier | HistGradientBoostingRegressor, columns: Sequence[Column]
) -> ScoreModel | ClassScores:
    """Real score: ``decision_function`` of the classifier, ``predict`` of the regressor."""
    if estimator.loss in _LOG_LINK:
        raise InputError(f"loss {estimator.loss!r} must not be compiled: its predictions are always above 0")
    if estimator.is_categorical_ is not None and estimator.is_categorical_.any():
        wrong = int(np.argmax(estimator.is_categorical_))
        raise InputError(f"features must be numeric, but column {wrong} is categorical")
    if is_classifier(estimator) and (names := class_names(estimator)):
        return ClassScores(classes=names, scores=tuple(_score(estimator, columns, at) for at in range(len(names))))
    return _score(estimator, columns, 0)


def _score(
    estimator: HistGradientBoostingClassifier | HistGradientBoostingRegressor, columns: Sequence[Column], index: int
) -> ScoreModel:
    trees = tuple(_leaves(predictors[index].nodes, columns) for predictors in estimator._predictors)
    start = real(float(np.ravel(estimator._baseline_prediction)[index]))
    reach = abs(start) + sum(max(map(abs, tree.scores)) for tree in trees)
    return ScoreModel(trees=trees, constant=start, noise=sum_error(len(trees) + 1, reach))


def _leaves(nodes: np.ndarray, columns: Sequence[Column]) -> ScoreTree:
    fields = ("is_leaf", "value", "feature_idx", "num_threshold", "left", "right")
    leaf, value, feature, threshold, left, right = (nodes[field].tolist() for field in fields)

    def read(at: int) -> Split | Score:
        if leaf[at]:
            return Score(real(value[at]))
        return Split(feature[at], at_most(threshold[at]), left[at], right[at])

    return grown(read, columns)
