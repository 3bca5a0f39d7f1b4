"""treelite's own models: what they hold is read, and what has no single score is refused."""

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor

import compiler
from compiler.errors import InputError
from tests.estimators import NAMES, classes_agree, classes_of, labels_of, rows, verdicts_agree

treelite = pytest.importorskip("treelite")

X = rows(500, 1)
Y = labels_of(X)


def model_of(estimator, target=Y):
    return treelite.sklearn.import_model(estimator.fit(X, target))


def margin(model, tried):
    # treelite's interpreter, in the type that the model was trained with.
    return treelite.gtil.predict(model, tried.astype(np.float64), pred_margin=True).ravel()


def test_a_classifier_is_its_margin():
    model = model_of(GradientBoostingClassifier(n_estimators=20, random_state=0))
    forest = compiler.load(model, features=NAMES)
    assert (forest.name, set(forest.provenance)) == ("model", {"estimator", "treelite"})
    verdicts_agree(forest, lambda tried: margin(model, tried) > 0, X)
    unseen = rows(3000, 9)
    real = margin(model, unseen)
    assert np.abs(forest.score(unseen) / 2**forest.score_fraction - real).max() <= forest.score_error


def test_an_average_is_a_sum():
    model = model_of(RandomForestRegressor(10, max_depth=5, random_state=0), 2.0 * Y - 1)
    forest = compiler.load(model, features=NAMES)
    verdicts_agree(forest, lambda tried: margin(model, tried) > 0, X)
    unseen = rows(3000, 9)
    real = 10 * margin(model, unseen)
    assert np.abs(forest.score(unseen) / 2**forest.score_fraction - real).max() <= forest.score_error


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestClassifier(5, max_depth=4, random_state=0),
        GradientBoostingClassifier(n_estimators=5, random_state=0),
    ],
)
def test_several_classes_are_margins(estimator):
    model = model_of(estimator, classes_of(X))
    forest = compiler.load(model, features=NAMES)
    assert forest.classes == ("0", "1", "2", "3")
    count = 5 if isinstance(estimator, RandomForestClassifier) else 1

    def margins(tried):
        predicted = treelite.gtil.predict(model, tried.astype(np.float64), pred_margin=True)
        return count * predicted.reshape(len(tried), 4)

    classes_agree(forest, lambda tried: margins(tried).argmax(axis=1), X, margins)


def test_two_scores_of_two_classes_are_refused():
    message = r"^model must have one score \(two classes\) or three and more, not 2$"
    with pytest.raises(InputError, match=message):
        compiler.load(model_of(RandomForestClassifier(2)), features=NAMES)


def test_names_must_be_given():
    model = model_of(GradientBoostingClassifier(n_estimators=2))
    with pytest.raises(InputError, match="^features must be given: the estimator was fitted without column names$"):
        compiler.load(model)
    with pytest.raises(InputError, match="^features must be 4 names, as the estimator has, not 3$"):
        compiler.load(model, features=NAMES[:3])
