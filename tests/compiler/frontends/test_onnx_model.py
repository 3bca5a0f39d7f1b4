"""ONNX models answer as onnxruntime runs them, at every threshold and its neighbours, or are refused."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import compiler
from compiler.errors import InputError
from tests.estimators import NAMES, classes_agree, classes_of, labels_of, rows, verdicts_agree

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx import TensorProto, helper

from tests.forests import class_forests, forests, rows_for
from tests.onnx_models import answers, graph_of, model_of, stump_attributes, stump_model

X = rows(500, 1)
Y = labels_of(X)

CLASSIFIERS = {
    "tree": DecisionTreeClassifier(random_state=0),
    "single leaf": DecisionTreeClassifier(min_samples_leaf=400),
    "random forest": RandomForestClassifier(20, max_depth=5, random_state=0),
    "random forest, pure leaves": RandomForestClassifier(16, random_state=0),
    "extra trees": ExtraTreesClassifier(15, max_depth=6, random_state=0),
    "gradient boosting": GradientBoostingClassifier(n_estimators=30, random_state=0),
    "gradient boosting from zero": GradientBoostingClassifier(n_estimators=5, init="zero", random_state=0),
}
REGRESSORS = {
    "tree": DecisionTreeRegressor(max_depth=6, random_state=0),
    "random forest": RandomForestRegressor(10, max_depth=6, random_state=0),
    "gradient boosting": GradientBoostingRegressor(n_estimators=30, random_state=0),
}
LABELS = {"integers": (0, 1), "words": ("ham", "spam")}


def converted(fitted, kind="Int64TensorType", **options):
    skl2onnx = pytest.importorskip("skl2onnx")
    source = getattr(skl2onnx.common.data_types, kind)([None, 4])
    return skl2onnx.to_onnx(fitted, initial_types=[("x", source)], **options)


def load(model):
    return compiler.load(model, features=NAMES)


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers_answer_as_onnxruntime(name, labels):
    second = LABELS[labels][1]
    model = converted(CLASSIFIERS[name].fit(X, np.array(LABELS[labels])[Y.astype(int)]))
    forest = load(model)
    assert (forest.name, set(forest.provenance)) == ("model", {"estimator", "onnx"})
    verdicts_agree(forest, lambda tried: answers(model, tried) == second, X)


@pytest.mark.parametrize("kind", ["FloatTensorType", "DoubleTensorType"])
def test_every_type_of_input_is_the_same_forest(kind):
    fitted = CLASSIFIERS["random forest"].fit(X, Y.astype(int))
    model = converted(fitted, kind, options={"zipmap": True})
    assert load(model).id == load(converted(fitted)).id
    verdicts_agree(load(model), lambda tried: answers(model, tried) == 1, X)


@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors_above_0_are_spam(name):
    model = converted(REGRESSORS[name].fit(X, 2.0 * Y - 1))
    forest = load(model)
    verdicts_agree(forest, lambda tried: answers(model, tried) > 0, X)
    unseen = rows(3000, 9)
    if forest.score_fraction:
        assert 0 < forest.score_error < 1e-2
        real = forest.score(unseen) / 2**forest.score_fraction
        assert np.abs(real - answers(model, unseen)).max() <= forest.score_error


@pytest.mark.parametrize("labels", [np.arange(4), np.array(["ad", "ham", "phish", "spam"])])
@pytest.mark.parametrize("name", ["tree", "random forest", "extra trees", "gradient boosting"])
def test_several_classes_answer_as_onnxruntime(name, labels):
    model = converted(CLASSIFIERS[name].fit(X, labels[classes_of(X)]))
    forest = load(model)
    assert forest.classes == tuple(map(str, labels))
    classes_agree(forest, lambda tried: answers(model, tried), X)


THREE = {"classlabels_int64s": [5, 6, 7], "class_treeids": [0] * 6, "class_nodeids": [1, 1, 1, 2, 2, 2]}
THREE |= {"class_ids": [0, 1, 2] * 2, "class_weights": [0.25, 0.5, 0.5, -1.0, -0.5, -0.75]}
THREES = {
    "sums": {},
    "base values": {"base_values": [0.0, -0.5, 0.25]},
    "a tie of all": {"class_weights": [0.0] * 6},
    "a transform": {"post_transform": "SOFTMAX"},
    "leaves without weights, with base values": {
        "class_treeids": [0, 0],
        "class_nodeids": [1, 2],
        "class_ids": [2, 0],
        "class_weights": [-1.0, 0.5],
        "base_values": [0.0, -0.5, 0.25],
    },
}


@pytest.mark.parametrize("name", THREES)
def test_rules_of_three_classes(name):
    model = stump_model(**THREE | THREES[name])
    forest = load(model)
    assert [int(forest.classes[at]) for at in forest.decide(TRIED)] == answers(model, TRIED).tolist()


def assert_decided_alike(forest, drawn, rows, decisions):
    """But where scores lie within their error of where decisions change: the model's sums are of float32."""
    scores = drawn.score(rows)
    if drawn.classes:
        first, second = np.sort(scores, axis=1)[:, :-3:-1].T
        scores = first - second
    # The error of exact votes is in steps of them, none of which is more than the largest vote of the drawn forest.
    step = max(1, *(abs(vote) for votes in drawn.votes for vote in votes)) if not forest.score_fraction else 1
    same = forest.decide(rows) == decisions
    assert same[np.abs(scores) > forest.score_error * step].all()


@settings(max_examples=40)
@given(drawn=forests(catalogue=True), seed=st.integers(0, 2**16))
def test_drawn_regressors_answer_as_onnxruntime(drawn, seed):
    model = model_of(drawn)
    forest = compiler.load(model, features=drawn.feature_names)
    rows = rows_for(drawn, 50, seed)
    assert_decided_alike(forest, drawn, rows, np.where(answers(model, rows) > 0, 1, -1))


@settings(max_examples=40)
@given(drawn=class_forests(catalogue=True), seed=st.integers(0, 2**16))
def test_drawn_classifiers_answer_as_onnxruntime(drawn, seed):
    assume(len(drawn.classes) > 2)
    model = model_of(drawn)
    forest = compiler.load(model, features=drawn.feature_names)
    rows = rows_for(drawn, 50, seed)
    assert_decided_alike(forest, drawn, rows, answers(model, rows))


TRIED = np.array([[value, 0, 0, 0] for value in (0, 4, 5, 6, 9)])
STUMPS = {
    "at most": {},
    "less than": {"nodes_modes": ["BRANCH_LT", "LEAF", "LEAF"]},
    "a threshold between integers": {"nodes_values": [4.5, 0.0, 0.0]},
    "less than a threshold between integers": {
        "nodes_values": [4.5, 0.0, 0.0],
        "nodes_modes": ["BRANCH_LT", "LEAF", "LEAF"],
    },
    "a base value": {"base_values": [0.2]},
    "a base value below 0": {"base_values": [-0.2]},
    "a tie": {"class_weights": [0.5, 0.75]},
    "a weight below 0": {"class_weights": [-0.1, 0.4]},
    "a tie at 0": {"class_weights": [-0.1, 0.0]},
    "a transform": {"post_transform": "LOGISTIC"},
    "a transform of a weight below 0": {"post_transform": "SOFTMAX", "class_weights": [-0.1, 0.4]},
    "the second class": {"class_ids": [1, 1]},
    "the second class with a weight below 0": {"class_ids": [1, 1], "class_weights": [-0.1, 0.4]},
    "a threshold that no x reaches": {"nodes_values": [-1.0, 0.0, 0.0]},
    "a threshold that is not a number": {"nodes_values": [float("nan"), 0.0, 0.0]},
    "other labels": {"classlabels_int64s": [0, 1], "nodes_hitrates": [1.0, 1.0, 1.0]},
}


@pytest.mark.parametrize("name", STUMPS)
def test_rules_are_those_of_onnxruntime(name):
    model = stump_model(**STUMPS[name])
    assert load(model).decide(TRIED).tolist() == np.where(answers(model, TRIED) == 1, 1, -1).tolist()


@pytest.mark.parametrize("weights", [[-0.5, 0.5], [0.0, 0.5], [-1.0, -0.5]])
@pytest.mark.parametrize("base", [None, [0.25], [0.5]])
def test_rules_of_a_regressor(weights, base):
    model = stump_model(classes=False, target_weights=weights, base_values=base)
    assert load(model).decide(TRIED).tolist() == np.where(answers(model, TRIED) > 0, 1, -1).tolist()


def test_doubles_as_tensors_are_read():
    tensor = helper.make_tensor("values", TensorProto.DOUBLE, [3], [5.0, 0.0, 0.0])
    weights = helper.make_tensor("weights", TensorProto.DOUBLE, [2], [0.4, 0.6])
    changes = {"nodes_values": None, "nodes_values_as_tensor": tensor}
    changes |= {"class_weights": None, "class_weights_as_tensor": weights}
    assert load(stump_model(**changes)).decide(TRIED).tolist() == load(stump_model()).decide(TRIED).tolist()


def version_5(**changes):
    """Two trees, one of them a single leaf on both sides of a test."""
    attributes = {
        "n_targets": 1,
        "tree_roots": [0, 2],
        "nodes_featureids": [0, 1, 2],
        "nodes_splits": helper.make_tensor("splits", TensorProto.FLOAT, [3], [5.0, 9.0, 0.0]),
        "nodes_modes": helper.make_tensor("modes", TensorProto.UINT8, [3], [0, 1, 0]),
        "nodes_truenodeids": [1, 0, 3],
        "nodes_trueleafs": [0, 1, 1],
        "nodes_falsenodeids": [2, 1, 3],
        "nodes_falseleafs": [1, 1, 1],
        "leaf_targetids": [0, 0, 0, 0],
        "leaf_weights": helper.make_tensor("weights", TensorProto.FLOAT, [4], [-1.0, 0.75, 0.5, -0.25]),
        **changes,
    }
    attributes = {name: value for name, value in attributes.items() if value is not None}
    node = helper.make_node("TreeEnsemble", ["x"], ["score"], domain="ai.onnx.ml", **attributes)
    return graph_of([node], "score", TensorProto.FLOAT, version=5)


def test_version_5_answers_as_onnxruntime():
    model = version_5()
    tried = np.array([[first, second, 0, 0] for first in (4, 5, 6) for second in (0, 8, 9, 10)])
    assert load(model).decide(tried).tolist() == np.where(answers(model, tried) > 0, 1, -1).tolist()


def node_of(operator, source, output, **attributes):
    domain = "ai.onnx.ml" if operator == "ZipMap" else ""
    return helper.make_node(operator, [source], [output], name=f"the {operator}", domain=domain, **attributes)


def test_casts_around_the_ensemble_change_nothing():
    before = [node_of("Cast", "x", "wide", to=TensorProto.DOUBLE), node_of("Identity", "wide", "same")]
    behind = [node_of("Cast", "label", "narrow", to=TensorProto.INT32)]
    assert load(stump_model(nodes_before=before, nodes_behind=behind)).id == load(stump_model()).id


EXTERNAL = TensorProto(name="values", data_type=TensorProto.DOUBLE, dims=[3], data_location=TensorProto.EXTERNAL)
REFUSED = {
    "a class without a weight in some leaf": (
        THREE | {"class_nodeids": [1, 1, 1, 2, 2, 2], "class_ids": [0, 1, 2, 0, 1, 3]},
        "^class '7' must have a base value, or a tree with a weight for it in every leaf$",
    ),
    "too many base values of three classes": (
        THREE | {"base_values": [0.5]},
        "^base_values must be one a class or none, not 1$",
    ),
    "a weight for a fourth class": (
        THREE | {"class_ids": [0, 1, 2, 0, 1, 3], "base_values": [0.0] * 3},
        r"^class_ids must be from 0 to 2, not \[0, 1, 2, 3\]$",
    ),
    "another mode": (
        {"nodes_modes": ["BRANCH_EQ", "LEAF", "LEAF"]},
        "^tree 0, node 0: mode must be BRANCH_LEQ or BRANCH_LT, not BRANCH_EQ$",
    ),
    "an unknown mode": ({"nodes_modes": ["LEAFS", "LEAF", "LEAF"]}, "^tree 0, node 0: mode must be .*, not LEAFS$"),
    "a feature too many": (
        {"nodes_featureids": [4, 0, 0]},
        "^tree 0, node 0: feature must be from 0 to 3, not 4$",
    ),
    "a child that is not there": ({"nodes_truenodeids": [7, 0, 0]}, "^tree 0, node 0: child 7 is not in the tree$"),
    "a cycle": (
        {"nodes_truenodeids": [0, 0, 0]},
        "^tree 0: its first node must be the root, and every other the child of one node$",
    ),
    "two nodes of one number": (
        {"nodes_nodeids": [0, 2, 2], "class_nodeids": [2, 2], "class_ids": [0, 1]},
        "^tree 0: must have no two nodes of the same number$",
    ),
    "lists of unlike lengths": (
        {"nodes_values": [5.0]},
        r"^nodes_treeids, .* must be of one length, not \[3, 3, 3, 3, 1",
    ),
    "no thresholds": ({"nodes_values": None}, "^nodes_values must be given$"),
    "thresholds in another file": (
        {"nodes_values": None, "nodes_values_as_tensor": EXTERNAL},
        "^node 'trees': nodes_values_as_tensor must be in the file itself, not in another$",
    ),
    "a weight in a node": ({"class_nodeids": [0, 2]}, "^tree 0, node 0: must be a leaf, because it has a weight$"),
    "a weight twice": ({"class_nodeids": [2, 2]}, "^tree 0, node 2: must have one weight for class 0$"),
    "an infinite weight": ({"class_weights": [float("inf"), 1.0]}, "^scores must be finite, not inf$"),
    "weights for both classes": (
        {"class_ids": [0, 1]},
        r"^class_ids of two classes must all be 0 or all be 1, not \[0, 1\]$",
    ),
    "two base values": (
        {"base_values": [0.1, 0.2]},
        "^base_values of two classes must be one, with class_ids 0, or none, not 2 with 0$",
    ),
    "a base value of the second class": (
        {"class_ids": [1, 1], "base_values": [0.1]},
        "^base_values of two classes must be one, with class_ids 0, or none, not 1 with 1$",
    ),
    "one label": (
        {"classlabels_int64s": [1]},
        r"^TreeEnsembleClassifier must tell two classes or more apart, not \['1'\]$",
    ),
    "another transform": (
        {"post_transform": "PROBIT"},
        "^TreeEnsembleClassifier must have post_transform NONE or LOGISTIC or SOFTMAX, not PROBIT$",
    ),
    "a transformed score": (
        {"classes": False, "post_transform": "LOGISTIC"},
        "^TreeEnsembleRegressor must have post_transform NONE, not LOGISTIC$",
    ),
    "an average": (
        {"classes": False, "aggregate_function": "AVERAGE"},
        "^TreeEnsembleRegressor must aggregate by SUM, not by AVERAGE$",
    ),
    "two targets": ({"classes": False, "n_targets": 2}, "^TreeEnsembleRegressor must have one target, not 2$"),
    "two base values of one target": (
        {"classes": False, "base_values": [0.5, 0.5]},
        "^base_values must be at most one, not 2$",
    ),
    "a leaf without a weight": (
        {"classes": False, "target_treeids": [0], "target_nodeids": [1], "target_ids": [0], "target_weights": [1.0]},
        r"^tree 0: each leaf must have one weight, for 0, not \[\]$",
    ),
    "other operators": (
        {"nodes_behind": [node_of("Abs", "label", "positive")]},
        r"^graph must be one tree ensemble beside Cast, Identity, ZipMap, but has node 'the Abs' \(Abs\)$",
    ),
    "features cast to bytes": (
        {"nodes_before": [node_of("Cast", "x", "bytes", to=TensorProto.UINT8)]},
        "^node 'the Cast': must not cast the features to a type that cannot hold them$",
    ),
    "a score cast to an integer": (
        {"classes": False, "nodes_behind": [node_of("Cast", "score", "whole", to=TensorProto.INT64)]},
        "^node 'the Cast': must not cast the score to a type that cannot hold it$",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    changes, message = REFUSED[name]
    with pytest.raises(InputError, match=message):
        load(stump_model(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nodes_falsenodeids": [2, 1, 9]}, "^tree 1, node 9: is not in the ensemble$"),
        ({"nodes_truenodeids": [0, 0, 3]}, "^tree 0, node 0: must be the child of one node$"),
        ({"n_targets": 3}, "^TreeEnsemble must have one target, not 3$"),
        ({"aggregate_function": 0}, "^TreeEnsemble must aggregate by SUM, not by 0$"),
        ({"tree_roots": None}, "^TreeEnsemble must hold at least one tree, not none$"),
    ],
)
def test_refused_in_version_5(changes, message):
    with pytest.raises(InputError, match=message):
        load(version_5(**changes))


def test_modes_of_version_5_are_named():
    modes = helper.make_tensor("modes", TensorProto.UINT8, [3], [0, 6, 0])
    with pytest.raises(InputError, match="^tree 0, node 1: mode must be BRANCH_LEQ or BRANCH_LT, not BRANCH_MEMBER$"):
        load(version_5(nodes_modes=modes))


def test_two_ensembles_are_refused():
    nodes = [
        helper.make_node("TreeEnsembleClassifier", ["x"], [f"label{at}", f"p{at}"], domain="ai.onnx.ml", **attributes)
        for at, attributes in enumerate([stump_attributes(), stump_attributes()])
    ]
    with pytest.raises(InputError, match="^graph must hold one tree ensemble, not 2$"):
        load(graph_of(nodes, "label0", TensorProto.INT64))


def test_names_must_be_as_many_as_columns():
    with pytest.raises(InputError, match="^features must be 4 names, as the estimator has, not 2$"):
        compiler.load(stump_model(), features=NAMES[:2])
    with pytest.raises(InputError, match="the number of columns in it$"):
        load(graph_of(stump_model().graph.node, "label", TensorProto.INT64, columns=None))
