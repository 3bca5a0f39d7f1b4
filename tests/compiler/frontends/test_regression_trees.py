"""Regression trees, their forests, bagging and votes: above 0 is SPAM, and the score keeps the bound."""

import numpy as np
import pytest
from sklearn.ensemble import (
    AdaBoostRegressor,
    BaggingRegressor,
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
    StackingRegressor,
    VotingRegressor,
)
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor, ExtraTreeRegressor

import compiler
from compiler.errors import InputError
from tests.estimators import NAMES, labels_of, rows, verdicts_agree

X = rows(500, 1)
Y = 2.0 * labels_of(X) - 1


def vote(*parts, weights=None):
    return VotingRegressor([(str(at), part) for at, part in enumerate(parts)], weights=weights)


def small(seed=0):
    return DecisionTreeRegressor(max_depth=4, random_state=seed)


FITTED = {
    "tree": DecisionTreeRegressor(max_depth=4),
    "whole tree": DecisionTreeRegressor(),
    "one leaf": DecisionTreeRegressor(max_depth=1, min_samples_leaf=400),
    "extra tree": ExtraTreeRegressor(max_depth=5, random_state=0),
    "random forest": RandomForestRegressor(10, max_depth=5, random_state=0),
    "whole random forest": RandomForestRegressor(10, random_state=0),
    "extra trees": ExtraTreesRegressor(10, max_depth=5, random_state=0),
    "bagging": BaggingRegressor(small(), n_estimators=9, random_state=0),
    "bagging of features": BaggingRegressor(small(), n_estimators=9, max_features=0.5, random_state=0),
    "bagging of whole trees": BaggingRegressor(n_estimators=8, random_state=0),
    "bagging of forests": BaggingRegressor(RandomForestRegressor(3, max_depth=3, random_state=0), 3, random_state=0),
    "vote": vote(small(), small(1), weights=[3, 1]),
    "vote of forests": vote(RandomForestRegressor(7, max_depth=4, random_state=0), small(), weights=[0.3, 1.0]),
    "vote of boosting": vote(
        GradientBoostingRegressor(n_estimators=8, random_state=0), HistGradientBoostingRegressor(max_iter=6), small()
    ),
}


@pytest.mark.parametrize("name", FITTED)
def test_above_0_is_spam(name):
    fitted = FITTED[name].fit(X, Y)
    verdicts_agree(compiler.load(fitted, features=NAMES), lambda tried: fitted.predict(tried) > 0, X)


@pytest.mark.parametrize(
    ("name", "trees"),
    [
        ("tree", 1),
        ("random forest", 10),
        ("extra trees", 10),
        ("bagging", 9),
        ("bagging of features", 9),
        ("bagging of forests", 9),
        ("vote", 2),
        ("vote of forests", 8),
        ("vote of boosting", 15),
    ],
)
def test_scores_keep_the_bound(name, trees):
    fitted = FITTED[name].fit(X, Y)
    forest = compiler.load(fitted, features=NAMES)
    unseen = rows(3000, 9)
    real = trees * fitted.predict(unseen)
    assert 16 <= forest.score_fraction <= 17
    assert forest.score_error < 1e-2
    assert np.abs(forest.score(unseen) / 2**forest.score_fraction - real).max() <= forest.score_error


def test_leaves_that_are_whole_numbers_are_exact():
    forest = compiler.load(ExtraTreesRegressor(9, random_state=0).fit(X, Y), features=NAMES)
    assert {value for tree in forest.trees for value in tree.leaf_values} <= {-1, 0, 1}
    assert forest.score_error == 0.0


REFUSED = {
    "a median": (
        AdaBoostRegressor(small(), n_estimators=2),
        "^AdaBoostRegressor must not be compiled: its prediction is",
    ),
    "a stack": (
        StackingRegressor([("a", small())], LinearRegression(), cv=2),
        "^StackingRegressor must not be compiled: its last estimator reads what others predict",
    ),
    "bagging of others": (
        BaggingRegressor(LinearRegression(), n_estimators=2),
        "^an average must be of regression trees and of sums of them, not of LinearRegression: its prediction is no",
    ),
    "a vote of medians": (
        vote(small(), AdaBoostRegressor(small(), n_estimators=2)),
        "^an average must be of regression trees and of sums of them, not of AdaBoostRegressor: ",
    ),
    "a vote with a weight below 0": (vote(small(), small(1), weights=[2, -1]), "^weights must not be below 0, nor all"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    estimator, message = REFUSED[name]
    with pytest.raises(InputError, match=message):
        compiler.load(estimator.fit(X, Y), features=NAMES)


def test_bagging_of_several_outputs_is_refused():
    fitted = BaggingRegressor(n_estimators=2).fit(X, np.stack([Y, -Y], axis=1))
    with pytest.raises(InputError, match="^estimator must have one output, not 2$"):
        compiler.load(fitted, features=NAMES)
