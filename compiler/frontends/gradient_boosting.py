"""Gradient boosting of scikit-learn, classifier (log loss) and regressor: a start and a sum of scaled leaves.

The classifier says its second class when the sum is 0 or more: its ties are SPAM, unlike everywhere else.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

from ..errors import InputError
from ..forest import Column
from .score_model import ScoreModel, sum_error
from .score_tree import ScoreTree, fitted_tree, real

__all__ = ["score_model"]

_CONSTANT = ("prior", "most_frequent", "constant")


def score_model(
    estimator: GradientBoostingClassifier | GradientBoostingRegressor, columns: Sequence[Column]
) -> ScoreModel:
    """Real score: ``decision_function`` of the classifier, ``predict`` of the regressor."""
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


def _leaves(fitted: Any, rate: Fraction, columns: Sequence[Column]) -> ScoreTree:
    values = fitted.value[:, 0, 0].tolist()
    return fitted_tree(fitted, lambda at: rate * real(values[at]), columns)


def _log_odds(estimator: GradientBoostingClassifier) -> Fraction:
    if estimator.loss != "log_loss":
        raise InputError(f"gradient boosting must be of loss 'log_loss', not {estimator.loss!r}")
    start = estimator.init_
    if isinstance(start, str) and start == "zero":
        return Fraction(0)
    if not isinstance(start, DummyClassifier) or start.strategy not in _CONSTANT:
        raise InputError(f"gradient boosting must start from the prior or from zero, not from {start!r:.80}")
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
