"""AdaBoost answers as scikit-learn does, and its score keeps the bound."""

import numpy as np
import pytest
from sklearn.ensemble import AdaBoostClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

import compiler
from compiler.errors import InputError
from tests.estimators import NAMES, labels_of, rows, verdicts_agree

X = rows(500, 1)
Y = labels_of(X)


@pytest.mark.parametrize("labels", [(False, True), ("ham", "spam")])
@pytest.mark.parametrize("depth", [1, 3])
def test_answers_as_predict(depth, labels):
    tree = DecisionTreeClassifier(max_depth=depth)
    fitted = AdaBoostClassifier(tree, n_estimators=40, random_state=0).fit(X, np.array(labels)[Y.astype(int)])
    forest = compiler.load(fitted, features=NAMES)
    verdicts_agree(forest, lambda tried: fitted.predict(tried) == labels[1], X)


def test_scores_keep_the_bound():
    fitted = AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=40, random_state=0).fit(X, Y)
    forest = compiler.load(fitted, features=NAMES)
    unseen = rows(3000, 9)
    real = fitted.decision_function(unseen) * fitted.estimator_weights_.sum() / 2
    assert 0 < forest.score_error < 1e-3
    assert np.abs(forest.score(unseen) / 2**forest.score_fraction - real).max() <= forest.score_error


def test_a_boost_that_stops_at_a_perfect_tree_is_one_vote():
    fitted = AdaBoostClassifier(DecisionTreeClassifier(), n_estimators=5).fit(X, Y)
    forest = compiler.load(fitted, features=NAMES)
    assert [(tree.weight, tree.leaf_values) for tree in forest.trees] == [(1, {-1, 1})]
    verdicts_agree(forest, fitted.predict, X)


def test_boosting_of_others_is_refused():
    fitted = AdaBoostClassifier(LogisticRegression(), n_estimators=2).fit(np.log1p(X), Y)
    with pytest.raises(InputError, match="^AdaBoost must be of decision trees, not of LogisticRegression$"):
        compiler.load(fitted, features=NAMES)
