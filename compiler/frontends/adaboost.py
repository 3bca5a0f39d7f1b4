"""AdaBoostClassifier (SAMME): each tree says its class with the tree's weight; the sum is compared with 0.

``decision_function`` is twice the real score here divided by the sum of the weights; SPAM needs it above 0. Of K
classes the one that a tree says gets its weight, every other one loses the weight divided by K − 1.
"""

from collections.abc import Sequence
from fractions import Fraction

from sklearn.ensemble import AdaBoostClassifier
from sklearn.tree import DecisionTreeClassifier

from ..forest import Column
from .class_scores import ClassScores
from .decision_tree import class_tree, require_tree, sign_tree
from .estimator import class_names
from .score_model import ScoreModel, is_dyadic, sum_error
from .signs import weighted_signs

__all__ = ["score_model"]


def score_model(estimator: AdaBoostClassifier, columns: Sequence[Column]) -> ScoreModel | ClassScores:
    """Real score: Σ weight · ±1; of several classes ``decision_function`` times the sum of the weights."""
    classes = len(estimator.classes_)
    trees = [require_tree(tree, "AdaBoost", classes) for tree in estimator.estimators_]
    # Both loops of scikit-learn end at the shorter one: weights of stages that were not fitted stand behind.
    weights = [Fraction(weight) for weight in estimator.estimator_weights_[: len(trees)].tolist()]
    if names := class_names(estimator):
        return ClassScores(
            classes=names, scores=tuple(_class_score(trees, weights, columns, at) for at in range(classes))
        )
    return weighted_signs([sign_tree(tree, columns) for tree in trees], weights)


def _class_score(
    trees: Sequence[DecisionTreeClassifier], weights: Sequence[Fraction], columns: Sequence[Column], index: int
) -> ScoreModel:
    scored = []
    for tree, weight in zip(trees, weights, strict=True):
        leaves = (weight, -weight / (len(tree.classes_) - 1))
        said = class_tree(tree, columns, index)
        scored.append(said.mapped(lambda value, leaves=leaves: leaves[0] if value else leaves[1]))
    # The library multiplies by 1 / (K − 1), which is rounded unless K − 1 is a power of two.
    halves = (len(trees[0].classes_) - 1).bit_count() == 1
    if halves and is_dyadic(score for tree in scored for score in tree.scores):
        return ScoreModel(trees=tuple(scored))
    return ScoreModel(trees=tuple(scored), noise=sum_error(len(trees), sum(map(abs, weights), Fraction(0))))
