"""WeightedVote: eq. 5 of Luckner and Filasiak (2013), y = sgn(Σ sᵢ·yᵢ / Σ sⱼ), as a scikit-learn classifier."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.validation import check_is_fitted

from compiler.features import CATALOGUE, UNIVERSAL
from compiler.forest import Band, Column, Forest, Node, Tree
from compiler.frontends.decision_tree import tree_of

__all__ = ["WeightedVote"]

_NO_BAND = Band(0, 0)


class WeightedVote(ClassifierMixin, BaseEstimator):
    """Binary trees, each grown on its own part of the features and of the senders, vote with their accuracy.

    The weight sᵢ = kᵢ/N of a tree is the share of N validation flows that it gets right. N is the same for all trees,
    so the integers kᵢ give the same vote, and everything that decides is an integer. A tree without a hit is left out.

    Parameters
    ----------
    features:
        Catalogue names of the columns of X.
    n_trees, max_depth, min_samples_leaf:
        Number of trees, and the size of each.
    features_per_tree:
        Share of the columns that a tree may use.
    random_state:
        Seed of everything that is drawn.

    Attributes
    ----------
    estimators_:
        Fitted trees of scikit-learn, and ``columns_`` with the columns each was fitted on.
    hits_:
        kᵢ of each.
    forest_:
        The same as integers; :meth:`predict` is its decision.
    """

    def __init__(
        self,
        features: tuple[str, ...] = UNIVERSAL,
        *,
        n_trees: int = 16,
        max_depth: int = 4,
        min_samples_leaf: int = 5,
        features_per_tree: float = 0.5,
        random_state: int = 0,
    ):
        self.features = features
        self.n_trees = n_trees
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.features_per_tree = features_per_tree
        self.random_state = random_state

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        validation: tuple[ArrayLike, ArrayLike] | None = None,
    ) -> "WeightedVote":
        """Grow the trees and weigh them.

        Parameters
        ----------
        X, y:
            Integer features, and +1 for spam, −1 for background.
        groups:
            The sender of every row; each row is its own by default. Bootstrap and split keep senders whole.
        validation:
            X and y that the trees are weighed on, of other senders. By default a third of the senders of X.
        """
        X, y = self._checked(X, y)
        groups = np.arange(len(y)) if groups is None else np.asarray(groups)
        if len(groups) != len(y):
            raise ValueError(f"Groups must be one a row, {len(y)}, not {len(groups)}")
        generator = np.random.default_rng(self.random_state)
        if validation is None:
            names = generator.permutation(np.unique(groups))
            held_out = np.isin(groups, names[: max(1, len(names) // 3)])
            validation = X[held_out], y[held_out]
            X, y, groups = X[~held_out], y[~held_out], groups[~held_out]
        X_validation, y_validation = self._checked(*validation)
        if len(np.unique(y)) != 2:
            raise ValueError("Learning rows must hold both classes")

        self.classes_ = np.array([-1, 1])
        self.n_features_in_ = X.shape[1]
        self.estimators_, self.columns_, self.hits_ = [], [], []
        rows_of = [np.flatnonzero(groups == name) for name in np.unique(groups)]
        for _ in range(self.n_trees):
            columns = self._draw_columns(generator)
            rows = _draw_rows(generator, rows_of, y)
            tree = DecisionTreeClassifier(
                max_depth=self.max_depth,
                min_samples_leaf=self.min_samples_leaf,
                class_weight="balanced",
                random_state=int(generator.integers(2**31)),
            ).fit(X[np.ix_(rows, columns)], y[rows])
            self.estimators_.append(tree)
            self.columns_.append(columns)
            self.hits_.append(int(np.sum(tree.predict(X_validation[:, columns]) == y_validation)))
        self.validation_rows_ = len(y_validation)
        if not any(self.hits_):
            raise ValueError("At least one tree must be right about a validation row")
        self.forest_ = self.to_forest()
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """+1 spam, −1 background, 0 uncertain."""
        check_is_fitted(self)
        return self.forest_.decide(self._tested(X))

    def decision_function(self, X: ArrayLike) -> NDArray[np.int64]:
        """The score Σ kᵢ·yᵢ."""
        check_is_fitted(self)
        return self.forest_.score(self._tested(X))

    def to_forest(self, *, name: str = "weighted vote", band: Band = _NO_BAND, **operation: Any) -> Forest:
        """The forest; ``operation`` sets further fields of it, such as ports and operating point."""
        check_is_fitted(self, "estimators_")
        columns = tuple(Column(f.name, f.bits, f.fraction, f.unit) for f in map(CATALOGUE.__getitem__, self.features))
        trees = [
            _placed(tree_of(tree, tuple(columns[c] for c in chosen), hits), dict(enumerate(chosen.tolist())))
            for tree, chosen, hits in zip(self.estimators_, self.columns_, self.hits_, strict=True)
            if hits
        ]
        # A probe measures every column of a forest, so those that no tree tests are left out.
        tested = sorted({node.feature for tree in trees for node in tree.nodes if isinstance(node, Node)})
        columns = tuple(columns[c] for c in tested) or columns[:1]
        trees = tuple(_placed(tree, {c: place for place, c in enumerate(tested)}) for tree in trees)
        return Forest(
            name=name, columns=columns, trees=trees, band=band, validation_rows=self.validation_rows_, **operation
        )

    def _tested(self, X: ArrayLike) -> NDArray[np.int64]:
        """Those columns of X that the forest has kept."""
        X = np.asarray(X)
        if X.ndim != 2 or X.shape[1] != len(self.features):
            raise ValueError(f"X must have shape (rows, {len(self.features)}), not {X.shape}")
        return X[:, [self.features.index(name) for name in self.forest_.feature_names]]

    def _checked(self, X: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        X, y = np.asarray(X), np.asarray(y)
        if X.ndim != 2 or X.shape[1] != len(self.features):
            raise ValueError(f"X must have shape (rows, {len(self.features)}), not {X.shape}")
        if X.dtype.kind not in "iu":
            raise ValueError(f"X must hold integers, not {X.dtype}")
        if y.shape != X.shape[:1] or not np.isin(y, (-1, 1)).all():
            raise ValueError("y must hold +1 or -1 for every row")
        return X.astype(np.int64, copy=False), y.astype(np.int64, copy=False)

    def _draw_columns(self, generator: np.random.Generator) -> NDArray[np.int64]:
        count = min(len(self.features), max(1, round(self.features_per_tree * len(self.features))))
        return np.sort(generator.choice(len(self.features), count, replace=False))


def _draw_rows(
    generator: np.random.Generator, rows_of: list[NDArray[np.int64]], y: NDArray[np.int64]
) -> NDArray[np.int64]:
    """All rows of as many senders as there are, drawn with replacement, until both classes are among them."""
    while True:
        drawn = generator.integers(len(rows_of), size=len(rows_of))
        rows = np.concatenate([rows_of[index] for index in drawn])
        if len(np.unique(y[rows])) == 2:
            return rows


def _placed(tree: Tree, place: Mapping[int, int]) -> Tree:
    """The tree with its features renumbered."""
    return Tree(
        tree.weight,
        tuple(node._replace(feature=place[node.feature]) if isinstance(node, Node) else node for node in tree.nodes),
    )
