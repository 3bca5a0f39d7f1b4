"""Kinds of spam: clusters of spam flows, the rules that explain them, and how well they part from legitimate flows."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.model_selection import cross_val_predict
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

from compiler.errors import InputError
from compiler.features import CATALOGUE

from .flow_set import FlowSet, sender_parts

__all__ = [
    "MOST_CLUSTERS",
    "ClusterError",
    "Subclasses",
    "find_subclasses",
    "Separation",
    "rules_of",
    "said_rules",
    "separation",
]

MOST_CLUSTERS = 25
_EXPLAINED = 0.99
"""Share of flows that the rules have to put into the right cluster, where a tree of ten leaves can."""
_MOST_LEAVES = 10


@dataclass(frozen=True)
class ClusterError:
    """Of so many clusters, the sum of squared distances of left-out flows to the nearest centre, as a share of that to
    the mean of all."""

    clusters: int
    error: float
    smallest: float


@dataclass(frozen=True)
class Subclasses:
    """Spam in clusters.

    Attributes
    ----------
    spam:
        The flows.
    cluster:
        Of every one, from 1 on, in the order of size.
    errors:
        For every number of clusters that was tried.
    chosen:
        How many the error asked for.
    folded:
        The sizes of those that were too small, as shares; their flows are of the nearest other one.
    rules:
        A tree over the features that says the cluster.
    said:
        What trees like it that have not learnt from the sender of a flow say of it.
    """

    spam: FlowSet
    cluster: NDArray[np.int64]
    errors: list[ClusterError]
    chosen: int
    folded: list[float]
    rules: DecisionTreeClassifier
    said: NDArray[np.int64]

    @property
    def explained(self) -> float:
        """Share of the flows whose cluster is said right."""
        return float(np.mean(self.said == self.cluster))

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Flows by cluster and by what is said of them."""
        confusion = np.zeros((self.count,) * 2, np.int64)
        np.add.at(confusion, (self.cluster - 1, self.said - 1), 1)
        return confusion

    @property
    def count(self) -> int:
        return int(self.cluster.max())


def find_subclasses(
    flows: FlowSet,
    seed: int,
    *,
    folds: int = 10,
    least_gain: float = 0.1,
    least_share: float = 0.02,
    most: int = MOST_CLUSTERS,
) -> Subclasses:
    """k-means over the standardised features of spam.

    Parameters
    ----------
    folds:
        Of the senders, for the cross-validated error.
    least_gain:
        Share of the variance that one more cluster has to take away from the error.
    least_share:
        Of the flows, below which a cluster is folded into the others.
    most:
        Clusters that are tried.
    """
    spam = flows.select(flows.is_spam)
    if spam.senders < folds:
        raise InputError(f"{flows.name}: must hold spam of {folds} senders at least, not of {spam.senders}")
    with threadpool_limits(1):
        # Few points: threads would only wait for each other, and sum in an order of their own.
        return _clustered(spam, seed, folds, least_gain, least_share, most)


def _clustered(spam: FlowSet, seed: int, folds: int, least_gain: float, least_share: float, most: int) -> Subclasses:
    points = _standardised(spam.X)
    parts = [part for part in sender_parts(spam, (1,) * folds, seed) if len(part)]
    errors = [
        _error(points, parts, clusters, seed) for clusters in range(1, min(most, len(np.unique(points, axis=0))) + 1)
    ]
    chosen = _chosen(errors, least_gain)
    means = KMeans(chosen, n_init=10, random_state=seed).fit(points)
    shares = np.bincount(means.labels_, minlength=chosen) / len(points)
    kept = np.flatnonzero(shares >= least_share)
    distances = means.transform(points)[:, kept]
    nearest = distances.argmin(axis=1)
    order = np.argsort(-np.bincount(nearest, minlength=len(kept)), kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(1, len(order) + 1)
    cluster = rank[nearest]
    folded = sorted(shares[shares < least_share].tolist())
    return Subclasses(spam, cluster, errors, chosen, folded, *rules_of(spam, cluster, parts))


def _standardised(X: NDArray[np.int64]) -> NDArray[np.float64]:
    spread = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1)


def _error(points: NDArray, parts: list[NDArray], clusters: int, seed: int) -> ClusterError:
    apart, together = 0.0, 0.0
    for part in parts:
        rest = np.setdiff1d(np.arange(len(points)), part)
        means = KMeans(min(clusters, len(rest)), n_init=1, random_state=seed).fit(points[rest])
        apart += float(np.sum(means.transform(points[part]).min(axis=1) ** 2))
        together += float(np.sum((points[part] - points[rest].mean(axis=0)) ** 2))
    whole = KMeans(clusters, n_init=3, random_state=seed).fit(points)
    smallest = np.bincount(whole.labels_, minlength=clusters).min() / len(points)
    return ClusterError(clusters, apart / together if together else 0.0, float(smallest))


def _chosen(errors: list[ClusterError], least_gain: float) -> int:
    """From two clusters on, the first number after which one more does not lower the error enough."""
    for fewer, more in pairwise(errors[1:]):
        if more.error > fewer.error - least_gain:
            return fewer.clusters
    return errors[-1].clusters


def rules_of(
    spam: FlowSet, cluster: NDArray[np.int64], parts: list[NDArray[np.int64]]
) -> tuple[DecisionTreeClassifier, NDArray[np.int64]]:
    """The smallest tree that says the cluster of nearly all flows of senders it has not seen, and what it says."""
    folds = [(np.setdiff1d(np.arange(len(spam)), part), part) for part in parts]
    best: tuple[float, DecisionTreeClassifier, NDArray[np.int64]] | None = None
    fewest = max(2, len(np.unique(cluster)))
    for leaves in range(fewest, max(_MOST_LEAVES, fewest) + 1):
        tree = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=0)
        said = cross_val_predict(tree, spam.X, cluster, cv=folds)
        right = float(np.mean(said == cluster))
        if best is None or right > best[0]:
            best = right, tree.fit(spam.X, cluster), said
        if right >= _EXPLAINED:
            break
    return best[1:]


def said_rules(tree: DecisionTreeClassifier, features: tuple[str, ...]) -> list[str]:
    """A line a leaf: the tests on the way to it, in the units of the features, and its class."""
    fitted, lines = tree.tree_, []

    def follow(node: int, tests: list[str]) -> None:
        if fitted.children_left[node] < 0:
            said = tree.classes_[fitted.value[node, 0].argmax()]
            lines.append(f"{' and '.join(tests) or 'always'}: {said} ({fitted.n_node_samples[node]} flows)")
            return
        feature = CATALOGUE[features[fitted.feature[node]]]
        threshold = np.floor(fitted.threshold[node]) / 2**feature.fraction
        for comparison, child in (("<=", fitted.children_left[node]), (">", fitted.children_right[node])):
            follow(int(child), [*tests, f"{feature.name} {comparison} {threshold:g}"])

    follow(0, [])
    return lines


@dataclass(frozen=True)
class Separation:
    """How a single tree parts class 0, what is no spam, from the subclasses; flows of senders it has not seen.

    Attributes
    ----------
    confusion:
        Flows by class and by what the tree says of them.
    accuracy:
        Share of all flows that are said right.
    wrong:
        Of each class, the share that is said wrong.
    tree:
        Grown on all flows.
    """

    confusion: NDArray[np.int64]
    accuracy: float
    wrong: NDArray[np.float64]
    tree: DecisionTreeClassifier

    @property
    def wrongly_said(self) -> NDArray[np.float64]:
        """Of the flows that are said to be of each class, the share that is not; nan when none is said to be."""
        said = self.confusion.sum(axis=0)
        return np.where(said > 0, 1 - np.diag(self.confusion) / np.maximum(said, 1), np.nan)

    @property
    def leaves(self) -> int:
        return int(self.tree.get_n_leaves())


def separation(flows: FlowSet, found: Subclasses, seed: int, *, folds: int = 10, leaves: int = 16) -> Separation:
    """Grow the class-0 separation tree and cross-validate it over senders."""
    legitimate = flows.select(flows.is_legitimate)
    joined = FlowSet.joined([found.spam, legitimate])
    classes = np.append(found.cluster, np.zeros(len(legitimate), np.int64))
    parts = [part for part in sender_parts(joined, (1,) * folds, seed) if len(part)]
    cv = [(np.setdiff1d(np.arange(len(joined)), part), part) for part in parts]
    tree = DecisionTreeClassifier(max_leaf_nodes=leaves, min_samples_leaf=5, random_state=0)
    said = cross_val_predict(tree, joined.X, classes, cv=cv)
    confusion = np.zeros((found.count + 1,) * 2, np.int64)
    np.add.at(confusion, (classes, said), 1)
    right = np.diag(confusion)
    wrong = 1 - right / np.maximum(confusion.sum(axis=1), 1)
    return Separation(confusion, float(right.sum() / confusion.sum()), wrong, tree.fit(joined.X, classes))
