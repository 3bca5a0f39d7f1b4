"""VotingClassifier: a soft vote averages probabilities; a hard vote of trees is a sum of their signs.

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
from .decision_tree import sign_tree
from .score_model import ScoreModel
from .score_tree import ScoreTree
from .signs import weighted_signs
from .voting_weights import voting_weights

__all__ = ["score_model"]


def score_model(estimator: VotingClassifier, columns: Sequence[Column]) -> ScoreModel:
    """Real score: as of averaged probabilities, or Σ weight · ±1."""
    if estimator.voting == "soft":
        return probabilities.score_model(estimator, columns)
    return weighted_signs([_sign_tree(part, columns) for part in estimator.estimators_], voting_weights(estimator))


def _sign_tree(estimator: Any, columns: Sequence[Column]) -> ScoreTree:
    if not isinstance(estimator, DecisionTreeClassifier):
        raise InputError(
            f"a hard vote must be of decision trees, not of {type(estimator).__name__}: "
            "the sign of a sum of leaf scores is not a leaf score (voting='soft' can be compiled)"
        )
    return sign_tree(estimator, columns)
