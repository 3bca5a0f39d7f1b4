"""Regression trees and their forests: above 0 is SPAM, and the score keeps the bound."""

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor, ExtraTreeRegressor

import compiler
from tests.estimators import NAMES, labels_of, rows, verdicts_agree

X = rows(500, 1)
Y = 2.0 * labels_of(X) - 1

FITTED = {
    "tree": DecisionTreeRegressor(max_depth=4),
    "whole tree": DecisionTreeRegressor(),
    "one leaf": DecisionTreeRegressor(max_depth=1, min_samples_leaf=400),
    "extra tree": ExtraTreeRegressor(max_depth=5, random_state=0),
    "random forest": RandomForestRegressor(10, max_depth=5, random_state=0),
    "whole random forest": RandomForestRegressor(10, random_state=0),
    "extra trees": ExtraTreesRegressor(10, max_depth=5, random_state=0),
}


@pytest.mark.parametrize("name", FITTED)
def test_above_0_is_spam(name):
    fitted = FITTED[name].fit(X, Y)
    verdicts_agree(compiler.load(fitted, features=NAMES), lambda tried: fitted.predict(tried) > 0, X)


@pytest.mark.parametrize("name", ["tree", "random forest", "extra trees"])
def test_scores_keep_the_bound(name):
    fitted = FITTED[name].fit(X, Y)
    forest = compiler.load(fitted, features=NAMES)
    unseen = rows(3000, 9)
    real = len(getattr(fitted, "estimators_", [fitted])) * fitted.predict(unseen)
    assert forest.score_fraction == 17
    assert np.abs(forest.score(unseen) / 2**forest.score_fraction - real).max() <= forest.score_error


def test_leaves_that_are_whole_numbers_are_exact():
    forest = compiler.load(ExtraTreesRegressor(9, random_state=0).fit(X, Y), features=NAMES)
    assert {value for tree in forest.trees for value in tree.leaf_values} <= {-1, 0, 1}
    assert forest.score_error == 0.0
