"""Gradient boosting answers as scikit-learn does, ties included, and its score keeps the bound."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier

import compiler
from compiler.errors import InputError
from tests.estimators import NAMES, labels_of, rows, verdicts_agree

X = rows(500, 1)
Y = labels_of(X)

CLASSIFIERS = {
    "prior": GradientBoostingClassifier(n_estimators=30, random_state=0),
    "zero": GradientBoostingClassifier(n_estimators=30, init="zero", random_state=0),
    "a start of its own": GradientBoostingClassifier(
        n_estimators=30, init=DummyClassifier(strategy="prior"), random_state=0
    ),
    "deep": GradientBoostingClassifier(n_estimators=8, max_depth=None, learning_rate=1.0, random_state=0),
    "single leaves": GradientBoostingClassifier(n_estimators=3, min_samples_leaf=400),
    "stopped early": GradientBoostingClassifier(n_estimators=100, n_iter_no_change=2, random_state=0),
}
REGRESSORS = {
    "squared": GradientBoostingRegressor(n_estimators=30, random_state=0),
    "absolute": GradientBoostingRegressor(n_estimators=30, loss="absolute_error", random_state=0),
    "zero": GradientBoostingRegressor(n_estimators=30, init="zero", random_state=0),
}


def assert_bounded(forest, real):
    unseen = rows(3000, 9)
    assert 0 < forest.score_error < 1e-2
    assert np.abs(forest.score(unseen) / 2**forest.score_fraction - real(unseen)).max() <= forest.score_error


@pytest.mark.parametrize("labels", [(False, True), ("ham", "spam")])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifier_answers_as_predict(name, labels):
    fitted = CLASSIFIERS[name].fit(X, np.array(labels)[Y.astype(int)])
    forest = compiler.load(fitted, features=NAMES)
    verdicts_agree(forest, lambda tried: fitted.predict(tried) == labels[1], X)
    assert_bounded(forest, fitted.decision_function)


@pytest.mark.parametrize("name", REGRESSORS)
def test_regressor_above_0_is_spam(name):
    fitted = REGRESSORS[name].fit(X, 2.0 * Y - 1)
    forest = compiler.load(fitted, features=NAMES)
    verdicts_agree(forest, lambda tried: fitted.predict(tried) > 0, X)
    assert_bounded(forest, fitted.predict)


def test_a_tie_is_of_the_second_class():
    # Balanced classes that no test tells apart: prior and leaves are 0, and scikit-learn decides by >= 0.
    same = np.ones((8, 4), int)
    fitted = GradientBoostingClassifier(n_estimators=2).fit(same, [0, 1] * 4)
    assert fitted.decision_function(same[:1]).tolist() == [0.0]
    assert fitted.predict(same[:1]).tolist() == [1]
    assert compiler.load(fitted, features=NAMES).decide(same[:1]).tolist() == [1]


REFUSED = {
    "exponential loss": (
        GradientBoostingClassifier(n_estimators=2, loss="exponential"),
        "^gradient boosting must be of loss 'log_loss', not 'exponential'$",
    ),
    "another start": (
        GradientBoostingClassifier(n_estimators=2, init=DecisionTreeClassifier(max_depth=1)),
        r"^gradient boosting must start from the prior or from zero, not from DecisionTreeClassifier\(max_depth=1\)$",
    ),
    "a random start": (
        GradientBoostingClassifier(n_estimators=2, init=DummyClassifier(strategy="stratified")),
        "^gradient boosting must start from the prior or from zero, not from DummyClassifier",
    ),
    "another start of a regressor": (
        GradientBoostingRegressor(n_estimators=2, init=LinearRegression()),
        r"^gradient boosting must start from a constant or from zero, not from LinearRegression\(\)$",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    estimator, message = REFUSED[name]
    with pytest.raises(InputError, match=message):
        compiler.load(estimator.fit(X, Y), features=NAMES)
