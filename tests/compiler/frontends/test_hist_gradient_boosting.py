"""Histogram gradient boosting answers as scikit-learn does, and its score keeps the bound."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

import compiler
from compiler.errors import InputError
from tests.estimators import NAMES, labels_of, rows, verdicts_agree

X = rows(500, 1)
Y = labels_of(X)


def assert_bounded(forest, real):
    unseen = rows(3000, 9)
    assert 0 < forest.score_error < 1e-2
    assert np.abs(forest.score(unseen) / 2**forest.score_fraction - real(unseen)).max() <= forest.score_error


@pytest.mark.parametrize("labels", [(False, True), ("ham", "spam")])
@pytest.mark.parametrize("options", [{}, {"max_bins": 8, "learning_rate": 1.0}, {"early_stopping": True}])
def test_classifier_answers_as_predict(options, labels):
    fitted = HistGradientBoostingClassifier(max_iter=25, random_state=0, **options)
    fitted.fit(X, np.array(labels)[Y.astype(int)])
    forest = compiler.load(fitted, features=NAMES)
    verdicts_agree(forest, lambda tried: fitted.predict(tried) == labels[1], X)
    assert_bounded(forest, fitted.decision_function)


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error"])
def test_regressor_above_0_is_spam(loss):
    fitted = HistGradientBoostingRegressor(loss=loss, max_iter=25, random_state=0).fit(X, 2.0 * Y - 1)
    forest = compiler.load(fitted, features=NAMES)
    verdicts_agree(forest, lambda tried: fitted.predict(tried) > 0, X)
    assert_bounded(forest, fitted.predict)


def test_trees_of_one_leaf():
    fitted = HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=400).fit(X, Y)
    forest = compiler.load(fitted, features=NAMES)
    assert [len(tree.nodes) for tree in forest.trees] == [1, 1, 1]
    verdicts_agree(forest, fitted.predict, X)


def test_missing_values_while_fitting_leave_integers_as_they_are():
    holes = X.astype(float)
    holes[::7, 1] = np.nan
    fitted = HistGradientBoostingClassifier(max_iter=10, random_state=0).fit(holes, Y)
    verdicts_agree(compiler.load(fitted, features=NAMES), fitted.predict, X)


def test_categories_are_refused():
    fitted = HistGradientBoostingClassifier(max_iter=2, categorical_features=[2]).fit(X, Y)
    with pytest.raises(InputError, match="^features must be numeric, but column 2 is categorical$"):
        compiler.load(fitted, features=NAMES)


def test_predictions_that_are_always_above_0_are_refused():
    fitted = HistGradientBoostingRegressor(loss="poisson", max_iter=2).fit(X, Y)
    with pytest.raises(InputError, match="^loss 'poisson' must not be compiled: its predictions are always above 0$"):
        compiler.load(fitted, features=NAMES)
