"""Loading: files, our own estimators and fitted decision trees, which must answer as scikit-learn does."""

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

import compiler
from compiler.errors import InputError
from tests.estimators import NAMES, labels_of, rows, verdicts_agree
from tests.forests import one_tree


@pytest.fixture
def labelled():
    features = rows(600, 1)
    return features, labels_of(features)


@pytest.mark.parametrize("labels", [(False, True), ("ham", "spam"), (0, 1)])
@pytest.mark.parametrize("depth", [1, 4, None])
@pytest.mark.parametrize("kind", [DecisionTreeClassifier, ExtraTreeClassifier])
def test_one_tree_answers_as_predict(labelled, labels, depth, kind):
    features, spam = labelled
    fitted = kind(max_depth=depth, random_state=0).fit(features, np.array(labels)[spam.astype(int)])
    forest = compiler.load(fitted, features=NAMES)
    assert (len(forest.trees), forest.score_error) == (1, 0.0)
    verdicts_agree(forest, lambda tried: fitted.predict(tried) == labels[1], features)


def test_a_tree_of_equal_labels_per_leaf_takes_the_first_class():
    # Both leaves of the only possible test hold as many of each class: scikit-learn's arg-max takes the first.
    features, labels = np.array([[3, 0, 0, 0]] * 2), [0, 1]
    fitted = DecisionTreeClassifier().fit(features, labels)
    assert compiler.load(fitted, features=NAMES).decide(features).tolist() == [-1, -1]
    assert fitted.predict(features).tolist() == [0, 0]


def test_thresholds_outside_the_feature_are_left_out():
    # The estimator has seen values that the feature cannot have.
    features = np.array([[0, 0, -3, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 9, 0]])
    fitted = DecisionTreeClassifier().fit(features, [1, 0, 0, 1])
    forest = compiler.load(fitted, features=NAMES)
    inside = features[1:3]
    assert forest.decide(inside).tolist() == [-1, -1]
    assert forest.trees[0].depth == 0


def test_names_of_the_columns_it_was_fitted_with(labelled):
    features, spam = labelled
    fitted = DecisionTreeClassifier(max_depth=2).fit(features, spam)
    fitted.feature_names_in_ = np.array(NAMES, object)
    assert compiler.load(fitted).feature_names == tuple(NAMES)


def test_an_estimator_of_ours():
    class Ensemble:
        def to_forest(self):
            return one_tree()

    assert compiler.load(Ensemble()) == one_tree()


def test_a_file(tmp_path):
    one_tree().to_json(tmp_path / "f.json")
    assert compiler.load(str(tmp_path / "f.json")) == one_tree()
    with pytest.raises(InputError, match="^features must not be given for a file: a forest.json names its own$"):
        compiler.load(tmp_path / "f.json", features=NAMES)


def test_what_is_not_understood_is_named(labelled):
    features, spam = labelled
    fitted = DecisionTreeClassifier(max_depth=1).fit(features, spam)
    wrong = [
        (DecisionTreeClassifier(), NAMES, r"^estimator must be fitted: call fit\(\) first$"),
        (fitted, None, "^features must be given: the estimator was fitted without column names$"),
        (fitted, NAMES[:3], "^features must be 4 names, as the estimator has, not 3$"),
        (fitted, [*NAMES[:3], "size"], "^feature 'size' is not in the catalogue"),
        (
            DecisionTreeClassifier().fit(features, 0 * features[:, 3]),
            NAMES,
            r"^estimator must tell two classes or more apart, not \[0\]$",
        ),
        (object(), NAMES, r"^estimator must be one of DecisionTreeClassifier, .* or have to_forest\(\), not object$"),
    ]
    for estimator, names, message in wrong:
        with pytest.raises(InputError, match=message):
            compiler.load(estimator, features=names)
