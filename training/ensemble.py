"""WeightedVote: eq. 5 of Luckner and Filasiak (2013), y = sgn(Σ sᵢ·yᵢ / Σ sⱼ), as a scikit-learn classifier."""

from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from compiler.forest import Band, Forest

from .growing import GrownTree, Lesson, TreeLimits, grow, said_by, shared_grid
from .vote_forest import forest_of_votes

__all__ = ["WEIGHT_STEPS", "WeightedVote"]

WEIGHT_STEPS = 255
"""Accuracies become weights of 8 bits."""

_NO_BAND = Band(0, 0)


class WeightedVote(ClassifierMixin, BaseEstimator):
    """Trees, each grown on its own part of the features, senders and sources, vote with their accuracy.

    The weight of a tree is its accuracy on rows of senders that it has not learnt from, as an integer: the hits kᵢ
    out of the same N validation rows for all trees or, without such rows, the nearest kᵢ/255. So the vote of eq. 5 is
    Σ kᵢ·yᵢ, and everything that decides is an integer. A tree without a hit has no say.

    Of two classes the score speaks for the second one when it is positive; of more there is a score for each, the sum
    of the weights of the trees that say it, and the first of the highest wins.

    Parameters
    ----------
    features:
        Catalogue names of the columns of X, which a compiled forest needs; by default the names of a data frame.
    n_trees, max_depth, max_leaf_nodes, min_samples_leaf:
        Number of trees, and the size of each.
    features_per_tree:
        Share of the columns that a tree may use.
    class_share:
        What a class counts in all, by label; 1 by default, however many rows it has.
    max_thresholds:
        How many thresholds of a column all trees share, which makes a circuit smaller; no limit by default.
    max_trees:
        How many of the trees :meth:`add` keeps, the weakest being dropped; all by default.
    max_samples:
        About how many rows a tree learns from, whole senders, and is weighed on; all that are drawn by default.
    band:
        Scores (lo, hi), both included, that decide nothing: :meth:`decide` says 0.
    uncertain:
        What :meth:`predict` says of those; by default it says the class that eq. 5 says, the first one on a tie.
    n_jobs:
        Trees that are grown at a time, in whatever backend joblib is told to use.
    random_state:
        Seed of everything that is drawn.

    Attributes
    ----------
    estimators_:
        Fitted trees of scikit-learn, whose classes are indices, and ``columns_`` with the columns each was fitted on.
    hits_:
        kᵢ of each, out of ``validation_rows_``.
    forest_:
        The same as integers, where X has integers of the catalogue.
    """

    def __init__(
        self,
        features: tuple[str, ...] | None = None,
        *,
        n_trees: int = 61,
        max_depth: int | None = 8,
        max_leaf_nodes: int | None = 16,
        min_samples_leaf: int = 5,
        features_per_tree: float = 0.5,
        class_share: dict | None = None,
        max_thresholds: int | None = None,
        max_trees: int | None = None,
        max_samples: int | None = None,
        band: tuple[int, int] | None = None,
        uncertain: Any = None,
        n_jobs: int | None = None,
        random_state: Any = 0,
    ):
        self.features = features
        self.n_trees = n_trees
        self.max_depth = max_depth
        self.max_leaf_nodes = max_leaf_nodes
        self.min_samples_leaf = min_samples_leaf
        self.features_per_tree = features_per_tree
        self.class_share = class_share
        self.max_thresholds = max_thresholds
        self.max_trees = max_trees
        self.max_samples = max_samples
        self.band = band
        self.uncertain = uncertain
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        sources: ArrayLike | None = None,
        validation: tuple[ArrayLike, ArrayLike] | None = None,
    ) -> "WeightedVote":
        """Grow the trees and weigh them.

        Parameters
        ----------
        X, y:
            Features (for a circuit integers), and the class of every row.
        groups:
            The sender of every row; each row is its own by default. What a tree learns from and what it is weighed on
            share no sender.
        sources:
            The source of every row; a tree learns from some of them.
        validation:
            X and y that the trees are weighed on, of other senders.
        """
        X, y = validate_data(self, X, y, ensure_min_samples=2)
        check_classification_targets(y)
        self._check_names()
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(f"y must hold two classes at least, not only class {self.classes_.tolist()}")
        self.estimators_, self.columns_, self.hits_ = [], [], []
        self.validation_rows_ = WEIGHT_STEPS if validation is None else len(validation[1])
        self._grow(self._lesson(X, y, groups, sources), self.n_trees, validation)
        self._check_band()
        return self

    def add(
        self,
        X: ArrayLike,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        sources: ArrayLike | None = None,
        validation: tuple[ArrayLike, ArrayLike] | None = None,
        n_trees: int | None = None,
    ) -> "WeightedVote":
        """Grow more trees on newer rows, weigh old and new ones on them, and keep the ``max_trees`` best.

        New trees are weighed on those of the rows that they have not learnt from, old ones on all of them.
        """
        check_is_fitted(self)
        X, y = validate_data(self, X, y, reset=False)
        if unknown := sorted(set(np.unique(y).tolist()) - set(self.classes_.tolist())):
            raise ValueError(f"y must hold classes that were fitted, not {unknown}")
        lesson = self._lesson(X, y, groups, sources)
        self.validation_rows_ = WEIGHT_STEPS if validation is None else len(validation[1])
        X_known, y_known = (lesson.X, lesson.y) if validation is None else self._weighing(validation)
        accuracies = [
            float(np.mean(said_by(tree, X_known[:, columns]) == y_known))
            for tree, columns in zip(self.estimators_, self.columns_, strict=True)
        ]
        self.hits_ = [round(accuracy * self.validation_rows_) for accuracy in accuracies]
        self._grow(lesson, self.n_trees if n_trees is None else n_trees, validation)
        return self

    def predict(self, X: ArrayLike) -> NDArray:
        """The class of every row, or ``uncertain``."""
        scores = self.decision_function(X)
        if scores.ndim == 2:
            return self.classes_[scores.argmax(axis=1)]
        if self.uncertain is None:
            return self.classes_[(scores > 0).astype(np.int64)]
        labels = np.array([self.classes_[0], self.uncertain, self.classes_[1]])
        return labels[self._verdicts(scores) + 1]

    def decide(self, X: ArrayLike) -> NDArray[np.int64]:
        """What a circuit says: +1 the second class, −1 the first, 0 uncertain; of more classes, the index of one."""
        scores = self.decision_function(X)
        return self._verdicts(scores) if scores.ndim == 1 else scores.argmax(axis=1)

    def decision_function(self, X: ArrayLike) -> NDArray[np.int64]:
        """The score Σ kᵢ·yᵢ, of shape (rows,); of more than two classes Σ kᵢ by class, (rows, classes)."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        scores = np.zeros((len(X), len(self.classes_)), np.int64)
        for tree, columns, hits in zip(self.estimators_, self.columns_, self.hits_, strict=True):
            scores[np.arange(len(X)), said_by(tree, X[:, columns])] += hits
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    @property
    def forest_(self) -> Forest:
        return self.to_forest()

    def to_forest(self, *, name: str = "weighted vote", band: Band | None = None, **operation: Any) -> Forest:
        """The forest; ``operation`` sets further fields of it, such as ports and operating point."""
        check_is_fitted(self)
        names = self.features if self.features is not None else getattr(self, "feature_names_in_", None)
        if names is None:
            raise ValueError("features must name the columns of X for a forest")
        votes = zip(self.estimators_, self.columns_, self.hits_, strict=True)
        classes = tuple(map(str, self.classes_.tolist())) if len(self.classes_) > 2 else ()
        operation = {"band": band or Band(*(self.band or _NO_BAND)), **operation} if not classes else operation
        return forest_of_votes(
            list(votes), tuple(names), classes, name=name, validation_rows=self.validation_rows_, **operation
        )

    def _grow(self, lesson: Lesson, count: int, validation: tuple[ArrayLike, ArrayLike] | None) -> None:
        """Grow so many trees more, weigh them, and drop the weakest of all if there are too many."""
        seeds = check_random_state(self.random_state).randint(2**31, size=2 * count + 1)[1:]
        share = round(self.features_per_tree * self.n_features_in_)
        limits = TreeLimits(
            self.max_depth,
            self.max_leaf_nodes,
            self.min_samples_leaf,
            min(self.n_features_in_, max(1, share)),
            self.max_samples,
        )
        parallel = Parallel(n_jobs=self.n_jobs)
        grown: list[GrownTree] = parallel(delayed(grow)(lesson, limits, None, seed) for seed in seeds[:count])
        if self.max_thresholds is not None:
            grid = shared_grid(grown, self.n_features_in_, self.max_thresholds)
            grown = parallel(delayed(grow)(lesson, limits, grid, seed) for seed in seeds[count:])
        accuracies = [tree.accuracy for tree in grown]
        if validation is not None:
            X, y = self._weighing(validation)
            accuracies = [float(np.mean(said_by(tree.tree, X[:, tree.columns]) == y)) for tree in grown]
        self.estimators_ += [tree.tree for tree in grown]
        self.columns_ += [tree.columns for tree in grown]
        self.hits_ += [round(accuracy * self.validation_rows_) for accuracy in accuracies]
        if self.max_trees is not None and len(self.hits_) > self.max_trees:
            kept = sorted(np.argsort([-hits for hits in self.hits_], kind="stable")[: self.max_trees].tolist())
            for name in ("estimators_", "columns_", "hits_"):
                setattr(self, name, [getattr(self, name)[at] for at in kept])
        if not any(self.hits_):
            raise ValueError("At least one tree must be right about a validation row")

    def _lesson(self, X: NDArray, y: NDArray, groups: ArrayLike | None, sources: ArrayLike | None) -> Lesson:
        indices = {"y": np.searchsorted(self.classes_, y)}
        defaults = {"groups": np.arange(len(y)), "sources": np.zeros(len(y), np.int64)}
        for name, given in (("groups", groups), ("sources", sources)):
            values = defaults[name] if given is None else np.asarray(given)
            if values.shape != (len(y),):
                raise ValueError(f"{name} must be one a row, {len(y)}, not of shape {values.shape}")
            indices[name] = np.unique(values, return_inverse=True)[1]
        weights = np.array([(self.class_share or {}).get(label, 1.0) for label in self.classes_.tolist()])
        return Lesson(X, indices["y"], indices["groups"], indices["sources"], weights)

    def _weighing(self, validation: tuple[ArrayLike, ArrayLike]) -> tuple[NDArray, NDArray[np.int64]]:
        X, y = validate_data(self, *validation, reset=False)
        return X, np.where(np.isin(y, self.classes_), np.searchsorted(self.classes_, y), -1)

    def _verdicts(self, scores: NDArray[np.int64]) -> NDArray[np.int64]:
        lo, hi = self.band or _NO_BAND
        return (scores > hi).astype(np.int64) - (scores < lo)

    def _check_names(self) -> None:
        if self.features is not None and len(self.features) != self.n_features_in_:
            raise ValueError(f"X must have {len(self.features)} columns, as features, not {self.n_features_in_}")
        if self.band is not None and self.band[0] > self.band[1]:
            raise ValueError(f"band must be (lo, hi) with lo <= hi, not {self.band}")

    def _check_band(self) -> None:
        most = sum(self.hits_)
        if self.band is not None and not (-most <= self.band[0] and self.band[1] <= most):
            raise ValueError(f"band must lie within the scores, {-most} to {most}, not be {self.band}")
