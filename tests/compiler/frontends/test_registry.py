"""Which estimators are read, under which names, and what is refused before any tree is looked at."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

import compiler
from compiler.errors import InputError
from compiler.frontends.registry import FRONT_ENDS
from tests.estimators import NAMES, labels_of, rows

X = rows(300, 1)
Y = labels_of(X)


@pytest.mark.parametrize(
    ("kind", "name"), [(RandomForestClassifier, "random forest"), (DecisionTreeClassifier, "decision tree")]
)
def test_name_and_provenance(kind, name):
    forest = compiler.load(kind(max_depth=2).fit(X, Y), features=NAMES)
    assert forest.name == name
    assert forest.provenance["estimator"] == kind.__name__
    assert set(forest.provenance) == {"estimator", "scikit-learn"}


def test_a_subclass_is_read_as_what_it_is():
    class Ours(RandomForestClassifier):
        pass

    assert compiler.load(Ours(2).fit(X, Y), features=NAMES).name == "ours"


@pytest.mark.parametrize("kind", [DecisionTreeClassifier, RandomForestClassifier, HistGradientBoostingClassifier])
def test_more_classes_keep_their_names(kind):
    fitted = kind(max_depth=2).fit(X, np.array(["ham", "list", "spam"])[X[:, 3] % 3])
    assert compiler.load(fitted, features=NAMES).classes == ("ham", "list", "spam")
    assert compiler.load(kind(max_depth=2).fit(X, Y), features=NAMES).classes == ()


@pytest.mark.parametrize("kind", [RandomForestClassifier, RandomForestRegressor])
def test_more_outputs_are_refused(kind):
    fitted = kind(2).fit(X, np.stack([Y, ~Y], axis=1))
    with pytest.raises(InputError, match="^estimator must have one output, not 2$"):
        compiler.load(fitted, features=NAMES)


def test_one_class_is_refused():
    fitted = RandomForestClassifier(2).fit(X, np.zeros(len(X)))
    with pytest.raises(InputError, match=r"^estimator must tell two classes or more apart, not \[0.0\]$"):
        compiler.load(fitted, features=NAMES)


ESTIMATORS = [front_end for front_end in FRONT_ENDS if front_end.check]


@pytest.mark.parametrize("front_end", ESTIMATORS, ids=lambda front_end: front_end.kind)
def test_what_is_not_fitted_is_refused(front_end):
    module = pytest.importorskip(front_end.package)
    kind = getattr(module, front_end.kind)
    estimator = kind([("a", DecisionTreeClassifier())]) if front_end.kind.startswith("Voting") else kind()
    with pytest.raises(InputError, match=r"^estimator must be fitted: call fit\(\) first$"):
        compiler.load(estimator, features=NAMES)


def test_what_no_front_end_knows_is_refused():
    with pytest.raises(InputError, match=r"or have to_forest\(\), not LogisticRegression$"):
        compiler.load(LogisticRegression().fit(np.log1p(X), Y), features=NAMES)
