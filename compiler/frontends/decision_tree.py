"""A fitted decision tree: alone it says its class, +1 or −1; inside an ensemble its leaves say probabilities.

Of several classes there is a tree for each, alone with 1 where it says that class and 0 elsewhere.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from sklearn.tree import DecisionTreeClassifier

from hdl.tree import Leaf, Node, Tree

from ..errors import InputError
from ..forest import Column
from .class_scores import ClassScores
from .estimator import class_names
from .score_model import ScoreModel
from .score_tree import ScoreTree, fitted_tree, real

__all__ = ["class_tree", "difference_tree", "probability_tree", "require_tree", "score_model", "sign_tree", "tree_of"]


def score_model(estimator: DecisionTreeClassifier, columns: Sequence[Column]) -> ScoreModel | ClassScores:
    """The single vote of the tree (an ExtraTreeClassifier is one too)."""
    if names := class_names(estimator):
        scores = tuple(ScoreModel(trees=(class_tree(estimator, columns, at),)) for at in range(len(names)))
        return ClassScores(classes=names, scores=scores)
    return ScoreModel(trees=(sign_tree(estimator, columns),))


def tree_of(estimator: DecisionTreeClassifier, columns: Sequence[Column], weight: int = 1) -> Tree:
    """The tree with leaves +1 for the second class and −1 for the first."""
    nodes = sign_tree(estimator, columns).nodes
    return Tree(weight, tuple(node if isinstance(node, Node) else Leaf(int(node.value)) for node in nodes))


def sign_tree(estimator: DecisionTreeClassifier, columns: Sequence[Column]) -> ScoreTree:
    """Leaves +1 for the second class and −1 for the first, which wins a tie, as in scikit-learn's argmax."""
    difference = _differences(estimator)
    return fitted_tree(estimator.tree_, lambda at: Fraction(1 if difference(at) > 0 else -1), columns)


def difference_tree(estimator: DecisionTreeClassifier, columns: Sequence[Column]) -> ScoreTree:
    """Leaves P(second class) − P(first class)."""
    return fitted_tree(estimator.tree_, _differences(estimator), columns)


def class_tree(estimator: DecisionTreeClassifier, columns: Sequence[Column], index: int) -> ScoreTree:
    """Leaves 1 where the class has the greatest share, the first one on a tie, as in scikit-learn's argmax; else 0."""
    said = estimator.tree_.value[:, 0, :].argmax(axis=1).tolist()
    return fitted_tree(estimator.tree_, lambda at: Fraction(int(said[at] == index)), columns)


def probability_tree(estimator: DecisionTreeClassifier, columns: Sequence[Column], index: int) -> ScoreTree:
    """Leaves P(class)."""
    return fitted_tree(estimator.tree_, _shares(estimator, index), columns)


def _shares(estimator: DecisionTreeClassifier, index: int) -> Callable[[int], Fraction]:
    """Of every node; a fraction of counts where the float is one, so that it is exact."""
    fitted = estimator.tree_
    shares, sizes = fitted.value[:, 0, index].tolist(), fitted.weighted_n_node_samples.tolist()

    def share(at: int) -> Fraction:
        size = sizes[at]
        count = round(shares[at] * size)
        exact = size.is_integer() and size and count / size == shares[at]
        return Fraction(count, int(size)) if exact else real(shares[at])

    return share


def _differences(estimator: DecisionTreeClassifier) -> Callable[[int], Fraction]:
    """Of every node; a fraction of counts where the float is one, so that it is exact."""
    fitted = estimator.tree_
    shares, sizes = fitted.value[:, 0, :].tolist(), fitted.weighted_n_node_samples.tolist()

    def difference(at: int) -> Fraction:
        (first, second), size = shares[at], sizes[at]
        count = round(second * size)
        if size.is_integer() and (count / size, (size - count) / size) == (second, first):
            return Fraction(2 * count - int(size), int(size))
        return real(second) - real(first)

    return difference


def require_tree(estimator: Any, ensemble: str, classes: int = 2) -> DecisionTreeClassifier:
    """A tree of an ensemble that adds up what its trees say, of as many classes as the ensemble."""
    if not isinstance(estimator, DecisionTreeClassifier):
        raise InputError(f"{ensemble} must be of decision trees, not of {type(estimator).__name__}")
    if len(estimator.classes_) != classes:
        every = "both" if classes == 2 else f"all {classes}"
        raise InputError(
            f"{ensemble} must be of trees that know {every} classes, not only {estimator.classes_.tolist()}"
        )
    return estimator
