"""AdaBoostClassifier (SAMME): each tree says its class with the tree's weight; the sum is compared with 0.

``decision_function`` is twice the real score here divided by the sum of the weights; SPAM needs it above 0.
"""

from collections.abc import Sequence
from fractions import Fraction

from sklearn.ensemble import AdaBoostClassifier

from ..forest import Column
from .decision_tree import require_tree, sign_tree
from .score_model import ScoreModel
from .signs import weighted_signs

__all__ = ["score_model"]


def score_model(estimator: AdaBoostClassifier, columns: Sequence[Column]) -> ScoreModel:
    """Real score: Σ weight · ±1."""
    trees = [require_tree(tree, "AdaBoost") for tree in estimator.estimators_]
    # Both loops of scikit-learn end at the shorter one: weights of stages that were not fitted stand behind.
    weights = [Fraction(weight) for weight in estimator.estimator_weights_[: len(trees)].tolist()]
    return weighted_signs([sign_tree(tree, columns) for tree in trees], weights)
