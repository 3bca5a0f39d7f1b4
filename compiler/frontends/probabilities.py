"""Ensembles that average the probabilities of their trees: random forests, extra trees, bagging, soft votes of these.

The real score is the number of trees times P(second class) − P(first class), a weighted sum of leaves. scikit-learn
adds the probabilities of each class in float64 and takes the first class on a tie. Its rounding, bounded by ``noise``,
can turn a tie into either class. Where floating point adds the leaves without rounding, there is no noise. Of several
classes each has the number of trees times its probability.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from sklearn.ensemble import BaggingClassifier, ExtraTreesClassifier, RandomForestClassifier, VotingClassifier
from sklearn.tree import DecisionTreeClassifier

from ..errors import InputError
from ..forest import Column
from .class_scores import ClassScores
from .decision_tree import difference_tree, probability_tree, require_tree
from .estimator import class_names
from .score_model import ScoreModel, is_dyadic, sum_error
from .score_tree import ScoreTree
from .voting_weights import voting_weights

__all__ = ["score_model"]

Columns = Sequence[Column]
Opinion = Callable[[DecisionTreeClassifier, Columns], ScoreTree]
"""What counts of a tree: a probability or the difference of two."""


def score_model(estimator: Any, columns: Columns) -> ScoreModel | ClassScores:
    """The trees of the estimator, nested or not, each with its share of the whole."""
    if names := class_names(estimator):
        scores = tuple(_score(estimator, columns, partial(probability_tree, index=at)) for at in range(len(names)))
        return ClassScores(classes=names, scores=scores)
    return _score(estimator, columns, difference_tree)


def _score(estimator: Any, columns: Columns, opinion: Opinion) -> ScoreModel:
    trees, noise = _shares(estimator, columns, opinion)
    count = Fraction(len(trees))
    return ScoreModel(trees=tuple(tree.times(count) for tree in trees), noise=noise * count)


def _shares(estimator: Any, columns: Columns, opinion: Opinion) -> tuple[list[ScoreTree], Fraction]:
    """Trees whose sum is the opinion of the whole, and the bound of floating-point error in that."""
    for kind, read in _READERS.items():
        if isinstance(estimator, kind):
            return read(estimator, columns, opinion)
    raise InputError(
        f"a soft vote must be of trees and of ensembles that average trees, not of {type(estimator).__name__}: "
        "its probability is not a sum of leaf scores"
    )


def _tree(estimator: DecisionTreeClassifier, columns: Columns, opinion: Opinion) -> tuple[list[ScoreTree], Fraction]:
    return [opinion(estimator, columns)], Fraction(0)


def _forest(estimator: Any, columns: Columns, opinion: Opinion) -> tuple[list[ScoreTree], Fraction]:
    trees = [opinion(tree, columns) for tree in estimator.estimators_]
    return _mean([([tree], Fraction(0)) for tree in trees], [Fraction(1)] * len(trees))


def _bagging(estimator: BaggingClassifier, columns: Columns, opinion: Opinion) -> tuple[list[ScoreTree], Fraction]:
    parts = []
    for tree, chosen in zip(estimator.estimators_, estimator.estimators_features_, strict=True):
        known = require_tree(tree, "bagging", len(estimator.classes_))
        own = opinion(known, [columns[c] for c in chosen])
        parts.append(([own.placed(chosen)], Fraction(0)))
    return _mean(parts, [Fraction(1)] * len(parts))


def _soft_vote(estimator: VotingClassifier, columns: Columns, opinion: Opinion) -> tuple[list[ScoreTree], Fraction]:
    if estimator.voting != "soft":
        raise InputError("a soft vote must not be of hard votes: their answer is not a sum of leaf scores")
    return _mean([_shares(part, columns, opinion) for part in estimator.estimators_], voting_weights(estimator))


def _mean(
    parts: list[tuple[list[ScoreTree], Fraction]], weights: Sequence[Fraction]
) -> tuple[list[ScoreTree], Fraction]:
    """The weighted mean; exact if it is of single trees whose leaves, weighted, need no rounding in a sum.

    The division at the end rounds too, but keeps order and equality of the sums of both classes.
    """
    whole = sum(weights)
    leaves = [tree.times(weight) for (trees, _), weight in zip(parts, weights, strict=True) for tree in trees]
    shares = [tree.times(1 / whole) for tree in leaves]
    single = all(len(trees) == 1 and not noise for trees, noise in parts)
    if single and is_dyadic(weights) and all(is_dyadic(tree.scores) for tree in leaves):
        return shares, Fraction(0)
    # The probabilities of both classes together add up to 1.
    return shares, sum_error(len(parts), Fraction(1)) + max(noise for _, noise in parts)


_READERS: dict[Any, Callable[[Any, Columns, Opinion], tuple[list[ScoreTree], Fraction]]] = {
    DecisionTreeClassifier: _tree,
    (RandomForestClassifier, ExtraTreesClassifier): _forest,
    BaggingClassifier: _bagging,
    VotingClassifier: _soft_vote,
}
