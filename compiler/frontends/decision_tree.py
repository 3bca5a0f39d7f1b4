"""A fitted DecisionTreeClassifier of two classes as a forest of one tree."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import sklearn
from sklearn.tree import DecisionTreeClassifier

from hdl.tree import Leaf, Node, Tree

from ..errors import InputError
from ..features import CATALOGUE
from ..forest import Column, Forest

__all__ = ["columns_of", "forest_of", "tree_of"]


def forest_of(estimator: Any, features: Sequence[str] | None = None) -> Forest:
    """The forest that answers as ``estimator.predict`` does: its second class is SPAM, its first BACKGROUND."""
    if not isinstance(estimator, DecisionTreeClassifier):
        raise InputError(
            f"estimator must be a DecisionTreeClassifier or have to_forest(), not {type(estimator).__name__}"
        )
    if not hasattr(estimator, "tree_"):
        raise InputError("estimator must be fitted: call fit() first")
    if estimator.n_outputs_ != 1 or len(estimator.classes_) != 2:
        raise InputError(f"estimator must tell two classes apart, not {np.asarray(estimator.classes_).tolist()}")
    columns = columns_of(estimator, features)
    forest = Forest(
        name="decision tree",
        columns=columns,
        trees=(tree_of(estimator, columns),),
        provenance={"estimator": "DecisionTreeClassifier", "scikit-learn": sklearn.__version__},
    )
    forest.verify()
    return forest


def columns_of(estimator: Any, features: Sequence[str] | None = None) -> tuple[Column, ...]:
    """The catalogue's columns under the names that were given, or that the estimator was fitted with."""
    names = features if features is not None else getattr(estimator, "feature_names_in_", None)
    if names is None:
        raise InputError("features must be given: the estimator was fitted without column names")
    if len(names) != estimator.n_features_in_:
        raise InputError(f"features must be {estimator.n_features_in_} names, as the estimator has, not {len(names)}")
    for name in names:
        if name not in CATALOGUE:
            raise InputError(f"feature {str(name)!r} is not in the catalogue (python -m compiler features)")
    catalogued = (CATALOGUE[name] for name in names)
    return tuple(Column(f.name, f.bits, f.fraction, f.unit) for f in catalogued)


def tree_of(estimator: DecisionTreeClassifier, columns: tuple[Column, ...], weight: int = 1) -> Tree:
    """The tree with leaves +1 for the second class and −1 for the first.

    On integers ``x <= t`` equals ``x <= floor(t)``, so nothing is lost. A test that always goes one way, because its
    threshold lies outside the feature, is left out together with the branch behind it.
    """
    fitted = estimator.tree_
    nodes: list[Node | Leaf] = []

    def add(at: int) -> int:
        while fitted.children_left[at] >= 0:
            threshold = math.floor(fitted.threshold[at])
            if threshold < 0:
                at = fitted.children_right[at]
            elif threshold >= 1 << columns[fitted.feature[at]].bits:
                at = fitted.children_left[at]
            else:
                break
        here = len(nodes)
        if fitted.children_left[at] < 0:
            # The first class wins a tie, as in scikit-learn's argmax.
            nodes.append(Leaf(1 if int(np.argmax(fitted.value[at, 0])) == 1 else -1))
            return here
        nodes.append(Leaf(0))  # holds the place until both children are known
        left, right = add(fitted.children_left[at]), add(fitted.children_right[at])
        nodes[here] = Node(int(fitted.feature[at]), threshold, left, right)
        return here

    add(0)
    return Tree(weight, tuple(nodes))
