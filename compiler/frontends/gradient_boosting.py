"""Gradient boosting of scikit-learn, classifier (log loss) and regressor: a start and a sum of scaled leaves.

The classifier says its second class when the sum is 0 or more: its ties are SPAM, unlike everywhere else. Of several
classes each has trees and a start of its own.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

from ..errors import InputError
from ..forest import Column
from .class_scores import ClassScores
from .estimator import class_names
from .score_model import ScoreModel, sum_error
from .score_tree import ScoreTree, fitted_tree, real

__all__ = ["score_model"]

_CONSTANT = ("prior", "most_frequent", "constant")


def score_model(
    estimator: GradientBoostingClassifier | GradientBoostingRegressor, columns: Sequence[Column]
) -> ScoreModel | ClassScores:
    """Real score: ``decision_function`` of the classifier, ``predict`` of the regressor."""
    if is_classifier(estimator) and (names := class_names(estimator)):
        scores = tuple(_class_score(estimator, columns, at) for at in range(len(names)))
        return ClassScores(classes=names, scores=scores)
    rate = Fraction(float(estimator.learning_rate))
    trees = tuple(_leaves(tree.tree_, rate, columns) for tree in estimator.estimators_[:, 0])
    classifies = isinstance(estimator, GradientBoostingClassifier)
    start = _log_odds(estimator) if classifies else _mean(estimator)
    reach = abs(start) + sum(max(map(abs, tree.scores)) for tree in trees)
    return ScoreModel(
        trees=trees,
        constant=start,
        tie=1 if classifies else -1,
        noise=sum_error(len(trees) + 1, reach) + (_log_odds_error(start) if classifies else 0),
    )


def _class_score(estimator: GradientBoostingClassifier, columns: Sequence[Column], index: int) -> ScoreModel:
    _require_start(estimator)
    rate = Fraction(float(estimator.learning_rate))
    trees = tuple(_leaves(tree.tree_, rate, columns) for tree in estimator.estimators_[:, index])
    # The library's own logarithm: it starts from the very same number.
    start = real(float(estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_), np.float32))[0, index]))
    reach = abs(start) + sum(max(map(abs, tree.scores)) for tree in trees)
    return ScoreModel(trees=trees, constant=start, noise=sum_error(len(trees) + 1, reach))


def _leaves(fitted: Any, rate: Fraction, columns: Sequence[Column]) -> ScoreTree:
    values = fitted.value[:, 0, 0].tolist()
    return fitted_tree(fitted, lambda at: rate * real(values[at]), columns)


def _require_start(estimator: GradientBoostingClassifier) -> None:
    """Log loss from a constant."""
    if estimator.loss != "log_loss":
        raise InputError(f"gradient boosting must be of loss 'log_loss', not {estimator.loss!r}")
    start = estimator.init_
    if isinstance(start, str) and start == "zero":
        return
    if not isinstance(start, DummyClassifier) or start.strategy not in _CONSTANT:
        raise InputError(f"gradient boosting must start from the prior or from zero, not from {start!r:.80}")


def _log_odds(estimator: GradientBoostingClassifier) -> Fraction:
    _require_start(estimator)
    start = estimator.init_
    if isinstance(start, str):
        return Fraction(0)
    share = start.predict_proba(np.zeros((1, estimator.n_features_in_)))[0, 1]
    least = np.finfo(np.float64).eps
    share = float(np.clip(share, least, 1 - least))
    return Fraction(math.log(share / (1 - share)))


def _log_odds_error(start: Fraction) -> Fraction:
    # The logit of this file and that of the library, each with a few roundings of a quotient and of its logarithm.
    return Fraction(8, 1 << 53) * (1 + abs(start))


def _mean(estimator: GradientBoostingRegressor) -> Fraction:
    start = estimator.init_
    if isinstance(start, str) and start == "zero":
        return Fraction(0)
    if not isinstance(start, DummyRegressor):
        raise InputError(f"gradient boosting must start from a constant or from zero, not from {start!r:.80}")
    return real(float(start.predict(np.zeros((1, estimator.n_features_in_)))[0]))
