"""Estimators from files: what is trusted is read, everything else is one line."""

import pickle
import sys
import zipfile

import joblib
import numpy as np
import pytest
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier

import compiler
from compiler.errors import InputError
from tests.estimators import NAMES, labels_of, rows

X = rows(200, 1)
Y = labels_of(X)

READABLE = (
    DecisionTreeClassifier(max_depth=3),
    ExtraTreeClassifier(max_depth=3),
    RandomForestClassifier(3, random_state=np.random.RandomState(0)),
    ExtraTreesClassifier(3),
    BaggingClassifier(n_estimators=3),
    AdaBoostClassifier(n_estimators=3),
    VotingClassifier([("a", DecisionTreeClassifier(max_depth=2)), ("b", DecisionTreeClassifier())], voting="soft"),
    GradientBoostingClassifier(n_estimators=3),
    HistGradientBoostingClassifier(max_iter=3),
    RandomForestRegressor(3),
    BaggingRegressor(n_estimators=3),
    VotingRegressor([("a", DecisionTreeRegressor(max_depth=2)), ("b", RandomForestRegressor(2))]),
    HistGradientBoostingRegressor(max_iter=3),
)


@pytest.mark.parametrize("estimator", READABLE, ids=lambda estimator: type(estimator).__name__)
def test_skops_files_are_read(estimator, tmp_path):
    skops = pytest.importorskip("skops.io")
    fitted = estimator.fit(X, Y)
    fitted.feature_names_in_ = np.array(NAMES, object)
    skops.dump(fitted, tmp_path / "model.skops")
    assert compiler.load(tmp_path / "model.skops") == compiler.load(fitted)


def test_types_that_are_not_trusted_are_named(tmp_path):
    skops = pytest.importorskip("skops.io")
    path = tmp_path / "model.skops"
    skops.dump(FunctionTransformer(pickle.loads), path)
    with pytest.raises(InputError, match="model.skops: holds types that are not trusted: _pickle.loads$"):
        compiler.load(path, NAMES)


def test_what_is_no_skops_file_is_refused(tmp_path):
    pytest.importorskip("skops.io")
    path = tmp_path / "model.skops"
    path.write_bytes(b"PK")
    with pytest.raises(InputError, match="model.skops: not a skops file that can be read: BadZipFile: "):
        compiler.load(path, NAMES)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("schema.json", "{}")
    with pytest.raises(InputError, match="model.skops: not a skops file that can be read: "):
        compiler.load(path, NAMES)


@pytest.mark.parametrize("name", ["model.pkl", "model.pickle", "model.joblib"])
def test_pickles_are_read_for_those_who_trust_them(name, tmp_path):
    fitted = DecisionTreeClassifier(max_depth=3).fit(X, Y)
    joblib.dump(fitted, tmp_path / name)
    with pytest.raises(InputError, match=rf"{name}: a pickle can run any program while it is read; --trust-pickle "):
        compiler.load(tmp_path / name, NAMES)
    assert compiler.load(str(tmp_path / name), NAMES, trust_pickle=True) == compiler.load(fitted, NAMES)


def test_a_pickle_is_not_opened_without_trust(tmp_path):
    class Planted:
        def __reduce__(self):
            return open, (str(tmp_path / "planted"), "w")

    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Planted()))
    with pytest.raises(InputError, match="a pickle can run any program"):
        compiler.load(tmp_path / "model.pkl", NAMES)
    assert not (tmp_path / "planted").exists()


def test_what_is_no_pickle_is_refused(tmp_path):
    (tmp_path / "model.pkl").write_bytes(b"\x00")
    with pytest.raises(InputError, match="model.pkl: not a pickle that can be read: "):
        compiler.load(tmp_path / "model.pkl", NAMES, trust_pickle=True)


def test_onnx_files_are_read(tmp_path):
    pytest.importorskip("onnx")
    from tests.onnx_models import stump_model

    model = stump_model()
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    assert compiler.load(tmp_path / "model.onnx", NAMES) == compiler.load(model, NAMES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xff", "not an ONNX model that can be read: DecodeError: "),
        (b"", "not an ONNX model that can be read: it has no graph$"),
    ],
)
def test_what_is_no_onnx_model_is_refused(content, message, tmp_path):
    pytest.importorskip("onnx")
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(InputError, match=rf"^\S*model\.onnx: {message}"):
        compiler.load(tmp_path / "model.onnx", NAMES)


@pytest.mark.parametrize(
    ("name", "package"), [("model.onnx", "onnx"), ("model.ubj", "treelite"), ("model.txt", "treelite")]
)
def test_a_package_that_is_missing_is_one_line(name, package, tmp_path, monkeypatch):
    (tmp_path / name).write_bytes(b"")
    monkeypatch.setitem(sys.modules, package, None)
    message = rf"{name}: needs the package {package}, which is not installed: pip install -e '\.\[models\]'$"
    with pytest.raises(InputError, match=message):
        compiler.load(tmp_path / name, NAMES)


@pytest.mark.parametrize("name", ["model.pkl", "model.skops", "model.onnx", "model.ubj", "model.txt"])
def test_a_file_that_is_not_there(name, tmp_path):
    with pytest.raises(InputError, match=f"{name}: no such file$"):
        compiler.load(tmp_path / name, NAMES, trust_pickle=True)


def test_what_is_wrong_with_the_estimator_names_the_file(tmp_path):
    joblib.dump(DecisionTreeClassifier(), tmp_path / "model.pkl")
    with pytest.raises(InputError, match=r"^\S*model.pkl: estimator must be fitted: call fit\(\) first$"):
        compiler.load(tmp_path / "model.pkl", NAMES, trust_pickle=True)


def test_an_estimator_that_is_wrong_inside_is_one_line(tmp_path):
    fitted = RandomForestClassifier(2).fit(X, Y)
    fitted.estimators_[1] = "tree"
    joblib.dump(fitted, tmp_path / "model.pkl")
    with pytest.raises(InputError, match="model.pkl: not a fitted estimator that can be read: AttributeError: "):
        compiler.load(tmp_path / "model.pkl", NAMES, trust_pickle=True)
