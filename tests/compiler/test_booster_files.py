"""Files of XGBoost and LightGBM give the forest of the model that was saved, or one line."""

import json

import pytest

import compiler
from compiler.errors import InputError
from compiler.forest import Forest
from tests.estimators import NAMES, classes_agree, classes_of, labels_of, rows, verdicts_agree
from tests.forests import one_tree

pytest.importorskip("treelite")

X = rows(300, 1)
Y = labels_of(X)


@pytest.mark.parametrize("suffix", ["json", "ubj"])
@pytest.mark.parametrize("kind", ["XGBClassifier", "XGBRegressor"])
def test_xgboost(kind, suffix, tmp_path):
    xgboost = pytest.importorskip("xgboost")
    fitted = getattr(xgboost, kind)(n_estimators=10, n_jobs=1).fit(X, Y)
    fitted.save_model(tmp_path / f"model.{suffix}")
    forest = compiler.load(tmp_path / f"model.{suffix}", NAMES)
    assert forest.id == compiler.load(fitted, NAMES).id
    assert set(forest.provenance) == {"estimator", "treelite"}
    verdicts_agree(forest, lambda tried: fitted.predict(tried) > 0, X)


def test_several_classes(tmp_path):
    xgboost = pytest.importorskip("xgboost")
    fitted = xgboost.XGBClassifier(n_estimators=5, n_jobs=1).fit(X, classes_of(X))
    fitted.save_model(tmp_path / "model.ubj")
    forest = compiler.load(tmp_path / "model.ubj", NAMES)
    assert forest.id == compiler.load(fitted, NAMES).id
    classes_agree(forest, fitted.predict, X)


def test_lightgbm(tmp_path):
    lightgbm = pytest.importorskip("lightgbm")
    fitted = lightgbm.LGBMClassifier(n_estimators=10, n_jobs=1, verbose=-1).fit(X, Y)
    fitted.booster_.save_model(tmp_path / "model.txt")
    forest = compiler.load(tmp_path / "model.txt", NAMES)
    assert forest.id == compiler.load(fitted, NAMES).id
    verdicts_agree(forest, fitted.predict, X)


def test_a_forest_json_stays_one(tmp_path):
    one_tree().to_json(tmp_path / "model.json")
    assert compiler.load(tmp_path / "model.json") == one_tree()
    with pytest.raises(InputError, match="features must not be given for a file"):
        compiler.load(tmp_path / "model.json", NAMES)


def test_a_model_that_was_stopped_early_is_refused(tmp_path):
    xgboost = pytest.importorskip("xgboost")
    fitted = xgboost.XGBClassifier(n_estimators=50, early_stopping_rounds=2, n_jobs=1)
    fitted.fit(X, Y, eval_set=[(rows(300, 8), labels_of(rows(300, 8), 5))], verbose=False)
    rounds = fitted.best_iteration + 1
    for suffix in ("json", "ubj"):
        fitted.save_model(tmp_path / f"model.{suffix}")
        with pytest.raises(InputError, match=rf"must not have been stopped early: .* best {rounds} rounds, Booster"):
            compiler.load(tmp_path / f"model.{suffix}", NAMES)
        fitted.get_booster()[:rounds].save_model(tmp_path / f"model.{suffix}")
        assert isinstance(compiler.load(tmp_path / f"model.{suffix}", NAMES), Forest)


def test_zero_as_missing_is_refused(tmp_path):
    lightgbm = pytest.importorskip("lightgbm")
    fitted = lightgbm.LGBMClassifier(n_estimators=2, n_jobs=1, verbose=-1, zero_as_missing=True).fit(X, Y)
    fitted.booster_.save_model(tmp_path / "model.txt")
    with pytest.raises(InputError, match=r"model\.txt: LightGBM must not take 0 for a missing value"):
        compiler.load(tmp_path / "model.txt", NAMES)


MALFORMED = {
    "model.json": ('{"learner": 3}', "treelite cannot read it: "),
    "model.ubj": ("learner", "treelite cannot read it: "),
    "model.txt": ("tree\nversion=v4\n", "treelite cannot read it: .*need max_feature_idx"),
    "decisions.txt": ("decision_type=two\n", "not a model of LightGBM that can be read: invalid literal"),
    "binary.txt": ("\udcff", "not a model of LightGBM that can be read: 'utf-8' codec"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_files_are_one_line(name, tmp_path, capsys):
    text, message = MALFORMED[name]
    (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=f"{name}: {message}") as refused:
        compiler.load(tmp_path / name, NAMES)
    assert "\n" not in str(refused.value)
    assert capsys.readouterr() == ("", "")


def test_a_damaged_model_is_one_line(tmp_path):
    xgboost = pytest.importorskip("xgboost")
    fitted = xgboost.XGBClassifier(n_estimators=2, max_depth=2, n_jobs=1).fit(X, Y)
    fitted.save_model(tmp_path / "model.json")
    document = json.loads((tmp_path / "model.json").read_text())
    tree = document["learner"]["gradient_booster"]["model"]["trees"][1]
    tree["split_indices"] = [9] * len(tree["split_indices"])
    (tmp_path / "model.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"model\.json: tree 1, node 0: feature must be from 0 to 3, not 9$"):
        compiler.load(tmp_path / "model.json", NAMES)
