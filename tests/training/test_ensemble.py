"""WeightedVote: the forest says what scikit-learn's trees say, weighted by their hits."""

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from compiler import load
from compiler.features import UNIVERSAL
from compiler.forest import Band, Forest
from tests.training.cases import random_flows
from training.ensemble import WEIGHT_STEPS, WeightedVote

FEATURES = UNIVERSAL[:6]


@parametrize_with_checks([WeightedVote(n_trees=11)])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def fitted(seed=0, **parameters):
    X, y, senders = random_flows(seed, 200, len(FEATURES))
    return WeightedVote(FEATURES, random_state=seed, **({"n_trees": 16} | parameters)).fit(X, y, senders)


def signs(vote, X):
    """What every tree says, +1 or −1 (trees × rows)."""
    pairs = zip(vote.estimators_, vote.columns_, strict=True)
    return np.array([2 * tree.predict(X[:, columns]).astype(int) - 1 for tree, columns in pairs])


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    n_trees=st.integers(1, 9),
    max_depth=st.integers(1, 6),
    min_samples_leaf=st.integers(1, 20),
    share=st.floats(0.01, 1),
    max_thresholds=st.none() | st.integers(1, 9),
)
def test_score_is_the_weighted_vote_of_the_fitted_trees(
    seed, n_trees, max_depth, min_samples_leaf, share, max_thresholds
):
    vote = fitted(
        seed,
        n_trees=n_trees,
        max_depth=max_depth,
        min_samples_leaf=min_samples_leaf,
        features_per_tree=share,
        max_thresholds=max_thresholds,
    )
    X, _, _ = random_flows(seed + 1, 300, len(FEATURES))
    score = np.array(vote.hits_) @ signs(vote, X)
    assert vote.decision_function(X).tolist() == score.tolist()
    assert vote.decide(X).tolist() == np.sign(score).tolist()
    assert vote.predict(X).tolist() == np.where(score > 0, 1, -1).tolist()
    assert {len(columns) for columns in vote.columns_} == {min(6, max(1, round(share * 6)))}
    forest = vote.to_forest()
    rows = X[:, [FEATURES.index(name) for name in forest.feature_names]]
    assert forest.score(rows).tolist() == score.tolist()
    assert forest.decide(rows).tolist() == vote.decide(X).tolist()
    if max_thresholds:
        assert max(map(len, forest.thresholds())) <= max_thresholds


def test_weights_are_hits_on_the_same_validation_rows():
    X, y, senders = random_flows(1, 200, len(FEATURES))
    X_validation, y_validation, _ = random_flows(2, 77, len(FEATURES))
    vote = WeightedVote(FEATURES).fit(X, y, senders, validation=(X_validation, y_validation))
    assert vote.validation_rows_ == vote.forest_.validation_rows == 77
    assert vote.hits_ == (signs(vote, X_validation) == y_validation).sum(axis=1).tolist()
    assert [tree.weight for tree in vote.forest_.trees] == [hits for hits in vote.hits_ if hits]


def test_without_validation_rows_weights_are_of_senders_out_of_the_bootstrap():
    X, y, _ = random_flows(1, 200, len(FEATURES))
    # One sender: nobody is left to weigh on, so it is the rows that were learnt from.
    vote = WeightedVote(FEATURES, n_trees=5).fit(X, y, np.zeros(200))
    shares = (signs(vote, X) == y).mean(axis=1)
    assert vote.hits_ == np.round(shares * WEIGHT_STEPS).astype(int).tolist()
    # A sender of which nothing can be learnt from others.
    X, y = np.array([[0]] * 50 + [[9]] * 50), np.array([-1] * 50 + [1] * 50)
    vote = WeightedVote(FEATURES[:1], n_trees=20).fit(X, y, np.repeat([0, 1], 50))
    assert set(vote.hits_) <= {0, WEIGHT_STEPS}


def test_a_tree_learns_from_some_of_the_sources():
    X, y, senders = random_flows(1, 300, len(FEATURES))
    sources = np.repeat(["a", "b", "c"], 100)
    # In two of them a feature tells the class, in the third it tells the opposite.
    X[:, 0] = np.where(sources == "c", -y, y) + 1
    vote = WeightedVote(FEATURES, n_trees=40, max_depth=1, features_per_tree=1).fit(X, y, senders, sources)
    said = signs(vote, np.array([[0, 9, 9, 9, 9, 9], [2, 9, 9, 9, 9, 9]]))
    assert {tuple(of_tree) for of_tree in said.tolist()} >= {(-1, 1), (1, -1)}


def test_a_tree_learns_from_so_many_rows_of_whole_senders():
    X, y, senders = random_flows(5, 2000, 4, senders=200)
    largest = np.unique(senders, return_counts=True)[1].max()
    few = WeightedVote(n_trees=5, max_samples=300, random_state=1).fit(X, y, senders)
    for tree in few.estimators_:
        assert 300 <= tree.tree_.n_node_samples[0] < 300 + largest
    # A limit that is not reached changes nothing.
    plain, wide = (
        WeightedVote(n_trees=5, max_samples=most, random_state=1).fit(X, y, senders) for most in (None, 10**6)
    )
    assert np.array_equal(plain.decision_function(X), wide.decision_function(X))
    assert plain.hits_ == wide.hits_
    assert min(tree.tree_.n_node_samples[0] for tree in plain.estimators_) > 1500


def test_a_class_counts_by_its_share_whatever_its_rows():
    X = np.array([[5]] * 100)
    y = np.array([1] * 30 + [-1] * 70)
    for share, said in ((None, None), ({-1: 3}, -1), ({1: 3}, 1)):
        vote = WeightedVote(FEATURES[:1], class_share=share, n_trees=9).fit(X, y)
        if said is not None:
            assert set(vote.predict(X).tolist()) == {said}


def test_band_and_uncertain():
    X, y, senders = random_flows(3, 200, len(FEATURES))
    vote = fitted(0, band=(-500, 900), uncertain=0)
    scores = vote.decision_function(X)
    expected = np.where(scores > 900, 1, np.where(scores < -500, -1, 0)).tolist()
    assert vote.predict(X).tolist() == vote.decide(X).tolist() == expected
    assert 0 in expected
    assert vote.to_forest().band == Band(-500, 900)
    named = clone(vote).set_params(uncertain="?").fit(X, np.where(y > 0, "b", "a"), senders)
    assert set(named.predict(X).tolist()) <= {"a", "b", "?"}
    assert named.decide(X).tolist() == [{"a": -1, "b": 1, "?": 0}[said] for said in named.predict(X).tolist()]
    with pytest.raises(ValueError, match="lo <= hi"):
        fitted(0, band=(5, 4))
    with pytest.raises(ValueError, match="band must lie within the scores"):
        fitted(0, band=(0, 1 << 20))


def test_several_classes():
    generator = np.random.default_rng(0)
    y = generator.integers(3, size=300)
    X = generator.integers(0, 50, (300, len(FEATURES))) + 40 * y[:, None]
    labels = np.array(["bulk", "clean", "dialup"])[y]
    vote = WeightedVote(FEATURES, n_trees=9).fit(X, labels, np.arange(300) // 3)
    assert vote.decision_function(X).shape == (300, 3)
    assert np.mean(vote.predict(X) == labels) > 0.9
    forest = vote.to_forest()
    assert forest.classes == ("bulk", "clean", "dialup")
    rows = X[:, [FEATURES.index(name) for name in forest.feature_names]]
    assert forest.score(rows).tolist() == vote.decision_function(X).tolist()
    assert forest.decide(rows).tolist() == vote.decide(X).tolist()
    forest.verify()


def test_add_keeps_the_strongest():
    vote = fitted(0, n_trees=6, max_trees=8)
    X, y, senders = random_flows(0, 200, len(FEATURES))
    newer = X[:, ::-1].copy()
    newer[:, 0] = 300 - newer[:, 0]
    old = list(vote.estimators_)
    vote.add(newer, y, senders, n_trees=5)
    assert len(vote.hits_) == len(vote.estimators_) == len(vote.columns_) == 8
    kept = [tree for tree in old if any(tree is other for other in vote.estimators_)]
    assert 3 <= len(kept) <= 6
    for tree, columns, hits in zip(vote.estimators_[: len(kept)], vote.columns_, vote.hits_, strict=False):
        right = np.mean(2 * tree.predict(newer[:, columns]) - 1 == y)
        assert hits == round(right * WEIGHT_STEPS)
    with pytest.raises(ValueError, match="classes that were fitted"):
        vote.add(X, np.where(y > 0, 7, -1))


def test_grid_search_and_pipeline():
    X, y, senders = random_flows(0, 200, len(FEATURES))
    pipeline = make_pipeline(FunctionTransformer(), WeightedVote(FEATURES, n_trees=5))
    search = GridSearchCV(pipeline, {"weightedvote__max_depth": [1, 4]}, cv=GroupKFold(3))
    search.fit(X, y, groups=senders)
    assert search.best_estimator_[-1].forest_.trees
    assert set(search.predict(X).tolist()) == {-1, 1}


@pytest.mark.parametrize("backend", ["threading", "dask"])
def test_trees_of_a_cluster_are_the_same(backend):
    distributed = pytest.importorskip("distributed")
    with distributed.Client(processes=False, dashboard_address=None), joblib.parallel_config(backend=backend):
        vote = fitted(3, n_jobs=2)
    assert vote.forest_.id == fitted(3).forest_.id


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
        (np.full((4, 6), np.nan), [1, -1, 1, -1], "NaN"),
        (np.zeros((4, 5), int), [1, -1, 1, -1], "must have 6 columns, as features, not 5"),
        (np.zeros((4, 6), int), [1, 1, 1, 1], "two classes at least"),
    ],
)
def test_wrong_data(X, y, message):
    with pytest.raises(ValueError, match=message):
        WeightedVote(FEATURES).fit(X, y)
