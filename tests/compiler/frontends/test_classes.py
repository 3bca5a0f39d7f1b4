"""Estimators of several classes answer as scikit-learn does, on data, on fresh rows and at every threshold."""

import numpy as np
import pytest
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

import compiler
from compiler.errors import InputError
from tests.estimators import NAMES, classes_agree, classes_of, rows

X = rows(500, 1)
CLASSES = classes_of(X)
WORDS = np.array(["ad", "ham", "phish", "spam"])


def stump(seed=0):
    return DecisionTreeClassifier(max_depth=2, max_features=2, random_state=seed)


def vote(voting, *parts, weights=None):
    return VotingClassifier([(str(at), part) for at, part in enumerate(parts)], voting=voting, weights=weights)


EXACT = {
    "tree": DecisionTreeClassifier(random_state=0),
    "tree of mixed leaves": DecisionTreeClassifier(max_depth=3, random_state=0),
    "tree of one leaf": DecisionTreeClassifier(min_samples_leaf=400),
    "extra tree": ExtraTreeClassifier(random_state=0),
    "random forest, pure leaves": RandomForestClassifier(20, bootstrap=False, max_features=1, random_state=0),
    "extra trees, pure leaves": ExtraTreesClassifier(15, random_state=0),
    "bagging, pure leaves": BaggingClassifier(n_estimators=12, random_state=0),
    "hard vote": vote("hard", *map(stump, range(7))),
    "weighted hard vote": vote("hard", *map(stump, range(4)), weights=[3, 1, 2, 2]),
}
ROUNDED = {
    "random forest": RandomForestClassifier(30, max_depth=5, random_state=0),
    "weighted classes": RandomForestClassifier(9, max_depth=4, class_weight="balanced", random_state=3),
    "extra trees": ExtraTreesClassifier(15, max_depth=6, random_state=0),
    "bagging": BaggingClassifier(stump(), n_estimators=12, max_features=3, random_state=0),
    "soft vote": vote("soft", RandomForestClassifier(5, max_depth=4, random_state=0), stump(), weights=[2, 0.3]),
    "adaboost": AdaBoostClassifier(stump(), n_estimators=20, random_state=0),
    "gradient boosting": GradientBoostingClassifier(n_estimators=10, random_state=0),
    "gradient boosting from zero": GradientBoostingClassifier(n_estimators=4, init="zero", random_state=0),
    "histogram gradient boosting": HistGradientBoostingClassifier(max_iter=10, random_state=0),
    "hard vote with weights of all kinds": vote("hard", *map(stump, range(4)), weights=[0.1, 0.2, 0.3, 0.7]),
}


def load(fitted):
    return compiler.load(fitted, features=NAMES)


@pytest.mark.parametrize("name", EXACT)
def test_exact_votes_answer_as_predict_everywhere(name):
    fitted = EXACT[name].fit(X, WORDS[CLASSES])
    forest = load(fitted)
    assert forest.classes == tuple(WORDS)
    assert (forest.score_fraction, forest.score_error) == (0, 0.0)
    classes_agree(forest, fitted.predict, X)


@pytest.mark.parametrize("name", ROUNDED)
def test_rounded_scores_answer_as_predict_outside_the_bound(name):
    fitted = ROUNDED[name].fit(X, CLASSES)
    forest = load(fitted)
    assert forest.classes == ("0", "1", "2", "3")
    assert 0 < forest.score_error < 1e-1
    assert any("decisions can differ from the model's" in warning for warning in forest.verify())
    classes_agree(forest, fitted.predict, X)


@pytest.mark.parametrize("name", ["gradient boosting", "gradient boosting from zero", "histogram gradient boosting"])
def test_differences_of_boosted_scores_keep_the_bound(name):
    fitted = ROUNDED[name].fit(X, CLASSES)
    classes_agree(load(fitted), fitted.predict, X, fitted.decision_function)


@pytest.mark.parametrize("name", ["random forest", "extra trees", "soft vote"])
def test_differences_of_probabilities_keep_the_bound(name):
    fitted = ROUNDED[name].fit(X, CLASSES)
    count = {"random forest": 30, "extra trees": 15, "soft vote": 6}[name]
    classes_agree(load(fitted), fitted.predict, X, lambda tried: count * fitted.predict_proba(tried))


def test_a_tie_is_of_the_first_class():
    fitted = vote("hard", *map(stump, range(4))).fit(X, CLASSES)
    says = np.array([part.predict(X) for part in fitted.estimators_]).T
    counts = np.array([np.bincount(row, minlength=4) for row in says])
    tied = (counts == counts.max(axis=1, keepdims=True)).sum(axis=1) > 1
    assert tied.sum() > 10
    assert load(fitted).decide(X[tied]).tolist() == counts[tied].argmax(axis=1).tolist()


def test_more_fraction_bits_make_a_smaller_error():
    fitted = ROUNDED["random forest"].fit(X, CLASSES)
    errors = [compiler.load(fitted, features=NAMES, fraction_bits=bits).score_error for bits in (4, 8, 16, 20)]
    assert errors == sorted(errors, reverse=True)
    with pytest.raises(InputError, match="^fraction_bits must be from 0 to 30, not 31$"):
        compiler.load(fitted, features=NAMES, fraction_bits=31)


REFUSED = {
    "hard vote of forests": (
        vote("hard", RandomForestClassifier(2), stump()),
        "^a hard vote must be of decision trees, not of RandomForestClassifier",
    ),
    "another start": (
        GradientBoostingClassifier(n_estimators=2, init=DecisionTreeClassifier(max_depth=1)),
        "^gradient boosting must start from the prior or from zero, not from DecisionTreeClassifier",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    estimator, message = REFUSED[name]
    with pytest.raises(InputError, match=message):
        load(estimator.fit(X, CLASSES))


def test_trees_that_do_not_know_all_classes_are_refused():
    fitted = BaggingClassifier(stump(), n_estimators=2, random_state=0).fit(X, CLASSES)
    fitted.estimators_[1] = stump().fit(X[CLASSES < 3], CLASSES[CLASSES < 3])
    with pytest.raises(InputError, match=r"^bagging must be of trees that know all 4 classes, not only \[0, 1, 2\]$"):
        load(fitted)
