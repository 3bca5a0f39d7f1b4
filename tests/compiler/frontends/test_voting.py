"""Hard votes of trees answer as scikit-learn does; hard votes of sums are refused with the reason."""

import numpy as np
import pytest
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier, VotingClassifier
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

import compiler
from compiler.errors import InputError
from tests.estimators import NAMES, labels_of, rows, verdicts_agree

X = rows(500, 1)
Y = labels_of(X)


def hard(count=4, weights=None, **options):
    parts = [(str(seed), ExtraTreeClassifier(max_depth=3 + seed, random_state=seed)) for seed in range(count)]
    return VotingClassifier(parts, weights=weights, **options)


@pytest.mark.parametrize("labels", [(False, True), ("ham", "spam")])
@pytest.mark.parametrize("weights", [None, [1, 1, 2, 2], [0.5, 0.25, 0.25, 0], [0.1, 0.2, 0.7, 1.3]])
def test_answers_as_predict(weights, labels):
    fitted = hard(weights=weights).fit(X, np.array(labels)[Y.astype(int)])
    forest = compiler.load(fitted, features=NAMES)
    verdicts_agree(forest, lambda tried: fitted.predict(tried) == labels[1], X)


def test_votes_are_the_smallest_integers():
    forest = compiler.load(hard(weights=[0.5, 0.25, 0.25, 0.5]).fit(X, Y), features=NAMES)
    assert [tree.weight for tree in forest.trees] == [4, 2, 2, 4, 1]
    assert (forest.trees[-1].leaf_values, forest.score_error) == ({-1}, 0.0)


def test_an_odd_vote_has_no_tie_to_settle():
    forest = compiler.load(hard(3).fit(X, Y), features=NAMES)
    assert [tree.weight for tree in forest.trees] == [1, 1, 1]


def test_a_dropped_part_takes_its_weight_along():
    fitted = hard(weights=[1, 5, 1, 1]).set_params(**{"1": "drop"}).fit(X, Y)
    forest = compiler.load(fitted, features=NAMES)
    assert [tree.weight for tree in forest.trees] == [1, 1, 1]
    verdicts_agree(forest, fitted.predict, X)


@pytest.mark.parametrize("part", [RandomForestClassifier(2), AdaBoostClassifier(n_estimators=2)])
def test_a_hard_vote_of_sums_is_refused(part):
    fitted = VotingClassifier([("tree", DecisionTreeClassifier()), ("sum", part)]).fit(X, Y)
    message = f"^a hard vote must be of decision trees, not of {type(part).__name__}: the sign of a sum of leaf scores"
    with pytest.raises(InputError, match=message):
        compiler.load(fitted, features=NAMES)


def test_a_hard_vote_inside_a_soft_one_is_refused():
    fitted = VotingClassifier([("a", hard())], voting="soft").fit(X, Y)
    with pytest.raises(InputError, match="^a soft vote must not be of hard votes: "):
        compiler.load(fitted, features=NAMES)
