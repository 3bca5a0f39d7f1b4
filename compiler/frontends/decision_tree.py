"""A fitted decision tree: alone it says its class, +1 or −1; inside an ensemble its leaves say probabilities."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from sklearn.tree import DecisionTreeClassifier

from hdl.tree import Leaf, Node, Tree

from ..errors import InputError
from ..forest import Column
from .score_model import ScoreModel
from .score_tree import ScoreTree, fitted_tree, real

__all__ = ["difference_tree", "require_tree", "score_model", "sign_tree", "tree_of"]


def score_model(estimator: DecisionTreeClassifier, columns: Sequence[Column]) -> ScoreModel:
    """The single vote of the tree (an ExtraTreeClassifier is one too)."""
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


def require_tree(estimator: Any, ensemble: str) -> DecisionTreeClassifier:
    """A tree of an ensemble that adds up what its trees say."""
    if not isinstance(estimator, DecisionTreeClassifier):
        raise InputError(f"{ensemble} must be of decision trees, not of {type(estimator).__name__}")
    if len(estimator.classes_) != 2:
        raise InputError(f"{ensemble} must be of trees that know both classes, not only {estimator.classes_.tolist()}")
    return estimator
