"""WeightedVote: the forest says what scikit-learn's trees say, weighted by their hits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from compiler import load
from compiler.features import UNIVERSAL
from compiler.forest import Band, Forest
from tests.training.cases import random_flows
from training.ensemble import WeightedVote

FEATURES = UNIVERSAL[:6]


def fitted(seed=0, **parameters):
    X, y, senders = random_flows(seed, 200, len(FEATURES))
    return WeightedVote(FEATURES, random_state=seed, **parameters).fit(X, y, senders)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    n_trees=st.integers(1, 9),
    max_depth=st.integers(1, 6),
    min_samples_leaf=st.integers(1, 20),
    share=st.floats(0.01, 1),
)
def test_score_is_the_weighted_vote_of_the_fitted_trees(seed, n_trees, max_depth, min_samples_leaf, share):
    vote = fitted(
        seed, n_trees=n_trees, max_depth=max_depth, min_samples_leaf=min_samples_leaf, features_per_tree=share
    )
    X, _, _ = random_flows(seed + 1, 300, len(FEATURES))
    said = [tree.predict(X[:, columns]) for tree, columns in zip(vote.estimators_, vote.columns_, strict=True)]
    score = np.array(vote.hits_) @ np.array(said)
    assert vote.decision_function(X).tolist() == score.tolist()
    assert vote.predict(X).tolist() == np.sign(score).tolist()
    assert {len(columns) for columns in vote.columns_} == {min(6, max(1, round(share * 6)))}


def test_weights_are_hits_on_the_same_validation_rows():
    X, y, senders = random_flows(1, 200, len(FEATURES))
    X_validation, y_validation, _ = random_flows(2, 77, len(FEATURES))
    vote = WeightedVote(FEATURES).fit(X, y, senders, validation=(X_validation, y_validation))
    assert vote.validation_rows_ == vote.forest_.validation_rows == 77
    for tree, columns, hits in zip(vote.estimators_, vote.columns_, vote.hits_, strict=True):
        assert hits == sum(tree.predict(X_validation[:, columns]) == y_validation)
    assert [tree.weight for tree in vote.forest_.trees] == [hits for hits in vote.hits_ if hits]


def test_same_seed_same_forest():
    assert fitted(3).forest_.id == fitted(3).forest_.id
    assert fitted(3).forest_.id != fitted(4).forest_.id
    assert len({tuple(columns) for columns in fitted(3).columns_}) > 1


def test_forest_file(tmp_path):
    vote = fitted()
    forest = vote.to_forest(name="a", band=Band(0, 10), ports=(25, 587), monitor_only=True)
    forest.to_json(tmp_path / "forest.json")
    assert Forest.from_json(tmp_path / "forest.json") == forest
    assert forest.feature_names == FEATURES
    assert load(vote).id == vote.forest_.id


def test_is_a_scikit_learn_classifier():
    vote = fitted(n_trees=3)
    copy = clone(vote)
    assert copy.get_params() == vote.get_params()
    with pytest.raises(NotFittedError):
        copy.predict(np.zeros((1, 6), int))
    X, y, _ = random_flows(0, 200, len(FEATURES))
    assert vote.score(X, y) > 0.5


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.zeros((4, 6)), [1, -1, 1, -1], "must hold integers, not float64"),
        (np.zeros((4, 5), int), [1, -1, 1, -1], r"shape \(rows, 6\), not \(4, 5\)"),
        (np.zeros((4, 6), int), [1, 0, 1, -1], r"y must hold \+1 or -1"),
        (np.zeros((4, 6), int), [1, 1, 1, 1], "both classes"),
    ],
)
def test_wrong_data(X, y, message):
    with pytest.raises(ValueError, match=message):
        WeightedVote(FEATURES).fit(X, y)
