"""Forests, bagging and soft votes answer as scikit-learn does, and their scores keep the bound."""

import numpy as np
import pytest
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

import compiler
from compiler.errors import InputError
from hdl.tree import Node
from tests.estimators import NAMES, labels_of, rows, verdicts_agree

X = rows(500, 1)
Y = labels_of(X)


def stump(seed=0):
    return DecisionTreeClassifier(max_depth=2, random_state=seed)


def soft(*parts, weights=None):
    return VotingClassifier([(str(at), part) for at, part in enumerate(parts)], voting="soft", weights=weights)


FITTED = {
    "random forest, pure leaves, even": RandomForestClassifier(20, random_state=0),
    "random forest, pure leaves, odd": RandomForestClassifier(21, random_state=0),
    "random forest": RandomForestClassifier(30, max_depth=5, random_state=0),
    "random forest, weighted classes": RandomForestClassifier(9, max_depth=4, class_weight="balanced", random_state=3),
    "random forest of one leaf": RandomForestClassifier(3, min_samples_leaf=400, random_state=0),
    "extra trees": ExtraTreesClassifier(15, max_depth=6, random_state=0),
    "extra trees, whole": ExtraTreesClassifier(16, random_state=1),
    "bagging": BaggingClassifier(stump(), n_estimators=12, random_state=0),
    "bagging of features": BaggingClassifier(n_estimators=9, max_features=0.5, random_state=0),
    "bagging of repeated features": BaggingClassifier(stump(), n_estimators=9, bootstrap_features=True, random_state=4),
    "bagging of few rows": BaggingClassifier(n_estimators=9, max_samples=4, random_state=1),
    "bagging of single rows": BaggingClassifier(n_estimators=9, max_samples=1, random_state=1),
    "soft vote of trees": soft(stump(), DecisionTreeClassifier(random_state=0), weights=[2, 1]),
    "soft vote of forests": soft(
        RandomForestClassifier(7, random_state=0),
        ExtraTreesClassifier(5, max_depth=3, random_state=0),
        weights=[0.3, 1],
    ),
    "soft vote of soft votes": soft(
        soft(stump(), stump(1)), BaggingClassifier(stump(), n_estimators=3, random_state=0)
    ),
}


@pytest.mark.parametrize("name", FITTED)
@pytest.mark.parametrize("labels", [(False, True), ("ham", "spam")])
def test_answers_as_predict(name, labels):
    fitted = FITTED[name].fit(X, np.array(labels)[Y.astype(int)])
    forest = compiler.load(fitted, features=NAMES)
    verdicts_agree(forest, lambda tried: fitted.predict(tried) == labels[1], X)


@pytest.mark.parametrize("name", FITTED)
def test_scores_keep_the_bound(name):
    fitted = FITTED[name].fit(X, Y)
    forest = compiler.load(fitted, features=NAMES)
    if not forest.score_fraction:
        pytest.skip("exact votes count in steps of their own")
    trees = sum(isinstance(tree.nodes[0], Node) or len(tree.nodes) > 1 for tree in forest.trees)
    unseen = rows(3000, 9)
    probability = fitted.predict_proba(unseen)
    real = trees * (probability[:, 1] - probability[:, 0])
    assert np.abs(forest.score(unseen) / 2**forest.score_fraction - real).max() <= forest.score_error


@pytest.mark.parametrize("count", [20, 21])
def test_pure_leaves_are_single_votes(count):
    forest = compiler.load(RandomForestClassifier(count, random_state=0).fit(X, Y), features=NAMES)
    assert {value for tree in forest.trees[:count] for value in tree.leaf_values} == {-1, 1}
    assert {tree.weight for tree in forest.trees[:count]} == {1 if count % 2 else 2}
    assert (forest.score_fraction, forest.score_error) == (0, 0.0)
    assert forest.verify() == []


def test_a_tie_is_of_the_first_class():
    # Trees that each see one of two rows; keep one of either opinion.
    fitted = BaggingClassifier(n_estimators=40, max_samples=1, bootstrap=False, random_state=5).fit(X[:2], [0, 1])
    says = [int(tree.predict(X[:1])[0]) for tree in fitted.estimators_]
    keep = [says.index(0), says.index(1)]
    fitted.estimators_ = [fitted.estimators_[at] for at in keep]
    fitted.estimators_features_ = [fitted.estimators_features_[at] for at in keep]
    fitted.n_estimators = 2
    assert fitted.predict(X[:2]).tolist() == [0, 0]
    assert compiler.load(fitted, features=NAMES).decide(X[:2]).tolist() == [-1, -1]


def test_rounded_scores_are_said():
    forest = compiler.load(RandomForestClassifier(30, max_depth=5, random_state=0).fit(X, Y), features=NAMES)
    (warning,) = forest.verify()
    assert f"decisions can differ from the model's where its score is within {forest.score_error:.3g}" in warning


def test_more_fraction_bits_make_a_smaller_error():
    fitted = RandomForestClassifier(30, max_depth=5, random_state=0).fit(X, Y)
    errors = [compiler.load(fitted, features=NAMES, fraction_bits=bits).score_error for bits in (4, 8, 16, 20)]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 100 * errors[-1]


REFUSED = {
    "bagging of others": (
        BaggingClassifier(LogisticRegression(), n_estimators=2),
        "^bagging must be of decision trees, not of LogisticRegression$",
    ),
    "soft vote of boosting": (
        soft(stump(), AdaBoostClassifier(stump(), n_estimators=2)),
        "^a soft vote must be of trees and of ensembles that average trees, not of AdaBoostClassifier: its probability",
    ),
    "soft vote of weights below 0": (
        soft(stump(), stump(1), weights=[1, -0.5]),
        r"^weights must not be below 0, nor all be 0, not \[1.0, -0.5\]$",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    estimator, message = REFUSED[name]
    with pytest.raises(InputError, match=message):
        compiler.load(estimator.fit(np.log1p(X), Y), features=NAMES)
