"""VotingClassifier: a soft vote averages probabilities; a hard vote of trees is a sum of their signs or classes.

A hard vote of forests is refused: the class of a forest is the sign of a sum, and a sum of such signs is no sum of leaf
scores. scikit-learn gives a tie to the first class.
"""

from collections.abc import Sequence
from typing import Any

from sklearn.ensemble import VotingClassifier
from sklearn.tree import DecisionTreeClassifier

from ..errors import InputError
from ..forest import Column
from . import probabilities
from .class_scores import ClassScores
from .decision_tree import class_tree, sign_tree
from .estimator import class_names
from .score_model import ScoreModel
from .signs import weighted_signs
from .voting_weights import voting_weights

__all__ = ["score_model"]


def score_model(estimator: VotingClassifier, columns: Sequence[Column]) -> ScoreModel | ClassScores:
    """Real score: as of averaged probabilities, or Σ weight · ±1, or the weights of a class."""
    if estimator.voting == "soft":
        return probabilities.score_model(estimator, columns)
    parts, weights = [_require_tree(part) for part in estimator.estimators_], voting_weights(estimator)
    if names := class_names(estimator):
        each = [[class_tree(part, columns, at) for part in parts] for at in range(len(names))]
        return ClassScores(classes=names, scores=tuple(weighted_signs(trees, weights) for trees in each))
    return weighted_signs([sign_tree(part, columns) for part in parts], weights)


def _require_tree(estimator: Any) -> DecisionTreeClassifier:
    if not isinstance(estimator, DecisionTreeClassifier):
        raise InputError(
            f"a hard vote must be of decision trees, not of {type(estimator).__name__}: "
            "the sign of a sum of leaf scores is not a leaf score (voting='soft' can be compiled)"
        )
    return estimator
