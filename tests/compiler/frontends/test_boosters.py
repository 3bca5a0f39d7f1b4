"""XGBoost and LightGBM answer as their own predict does, at every threshold, and their scores keep the bound."""

import numpy as np
import pytest

import compiler
from compiler.errors import InputError
from tests.estimators import NAMES, classes_agree, classes_of, labels_of, rows, verdicts_agree

pytest.importorskip("treelite")

X = rows(500, 1)
Y = labels_of(X)
CLASSES = classes_of(X)


def assert_bounded(forest, margin):
    unseen = rows(3000, 9)
    assert 0 < forest.score_error < 1e-2
    assert np.abs(forest.score(unseen) / 2**forest.score_fraction - margin(unseen)).max() <= forest.score_error


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"max_depth": 8, "learning_rate": 1.0},
        {"base_score": 0.9},
        {"num_parallel_tree": 3, "subsample": 0.5},
        {"booster": "dart", "rate_drop": 0.5},
        {"tree_method": "exact"},
        {"min_child_weight": 1e6},
    ],
)
def test_xgboost_classifier(options):
    xgboost = pytest.importorskip("xgboost")
    fitted = xgboost.XGBClassifier(n_estimators=20, n_jobs=1, random_state=0, **options).fit(X, Y)
    forest = compiler.load(fitted, features=NAMES)
    verdicts_agree(forest, fitted.predict, X)
    if forest.score_fraction:
        assert_bounded(forest, lambda tried: fitted.predict(tried, output_margin=True))
    assert compiler.load(fitted.get_booster(), features=NAMES).id == forest.id


def test_xgboost_compares_by_less_than():
    xgboost = pytest.importorskip("xgboost")
    fitted = xgboost.XGBClassifier(n_estimators=1, max_depth=1, tree_method="exact", n_jobs=1)
    few = np.array([[10, 0, 0, 0], [20, 0, 0, 0]] * 20)
    fitted.fit(few, few[:, 0] == 20)
    (threshold, *_), *_ = compiler.load(fitted, features=NAMES).thresholds()
    assert threshold == 14
    tried = np.array([[14, 0, 0, 0], [15, 0, 0, 0]])
    assert fitted.predict(tried).tolist() == [0, 1]
    assert compiler.load(fitted, features=NAMES).decide(tried).tolist() == [-1, 1]


def test_xgboost_early_stopping_keeps_the_best():
    xgboost = pytest.importorskip("xgboost")
    fitted = xgboost.XGBClassifier(n_estimators=50, early_stopping_rounds=2, n_jobs=1)
    fitted.fit(X, Y, eval_set=[(rows(300, 8), labels_of(rows(300, 8), 5))], verbose=False)
    forest = compiler.load(fitted, features=NAMES)
    assert fitted.best_iteration + 1 < fitted.get_booster().num_boosted_rounds()
    assert len(forest.trees) == fitted.best_iteration + 2
    verdicts_agree(forest, fitted.predict, X)


def test_xgboost_regressor_above_0_is_spam():
    xgboost = pytest.importorskip("xgboost")
    fitted = xgboost.XGBRegressor(n_estimators=20, n_jobs=1).fit(X, 2.0 * Y - 1)
    forest = compiler.load(fitted, features=NAMES)
    verdicts_agree(forest, lambda tried: fitted.predict(tried) > 0, X)
    assert_bounded(forest, fitted.predict)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("XGBClassifier", {"booster": "gblinear"}, "^treelite must understand the model, but says '"),
        ("XGBClassifier", {"objective": "binary:hinge"}, "^model must end in sigmoid or softmax, not in hinge$"),
        ("XGBClassifier", {"objective": "binary:logitraw"}, "^model must end in sigmoid or softmax, not in identity$"),
        ("XGBClassifier", {"missing": 0}, "^XGBoost must not take 0 for a missing value: train with missing=nan$"),
        ("XGBRegressor", {"objective": "reg:logistic"}, "^model must end in identity, not in sigmoid$"),
        ("XGBRegressor", {"objective": "count:poisson"}, "^model must end in identity, not in exponential$"),
    ],
)
def test_xgboost_refused(kind, options, message):
    xgboost = pytest.importorskip("xgboost")
    fitted = getattr(xgboost, kind)(n_estimators=2, n_jobs=1, **options).fit(X, Y)
    with pytest.raises(InputError, match=message):
        compiler.load(fitted, features=NAMES)


@pytest.mark.parametrize("options", [{}, {"num_parallel_tree": 2, "subsample": 0.5}, {"booster": "dart"}])
def test_xgboost_of_several_classes(options):
    xgboost = pytest.importorskip("xgboost")
    fitted = xgboost.XGBClassifier(n_estimators=8, max_depth=4, n_jobs=1, **options).fit(X, CLASSES)
    forest = compiler.load(fitted, features=NAMES)
    assert forest.classes == ("0", "1", "2", "3")
    classes_agree(forest, fitted.predict, X, lambda tried: fitted.predict(tried, output_margin=True))
    assert compiler.load(fitted.get_booster(), features=NAMES).id == forest.id


def test_xgboost_softmax():
    xgboost = pytest.importorskip("xgboost")
    fitted = xgboost.XGBClassifier(n_estimators=8, objective="multi:softmax", n_jobs=1).fit(X, CLASSES)
    forest = compiler.load(fitted, features=NAMES)
    classes_agree(forest, fitted.predict, X, lambda tried: fitted.predict(tried, output_margin=True))


@pytest.mark.parametrize("boosting", ["gbdt", "dart"])
def test_lightgbm_of_several_classes(boosting):
    lightgbm = pytest.importorskip("lightgbm")
    fitted = lightgbm.LGBMClassifier(n_estimators=8, boosting_type=boosting, n_jobs=1, verbose=-1)
    fitted.fit(X, np.array(["a", "b", "c", "d"])[CLASSES])
    forest = compiler.load(fitted, features=NAMES)
    assert forest.classes == ("a", "b", "c", "d")
    classes_agree(forest, fitted.predict, X, lambda tried: fitted.predict(tried, raw_score=True))


def test_one_against_all_is_refused():
    lightgbm = pytest.importorskip("lightgbm")
    fitted = lightgbm.LGBMClassifier(n_estimators=2, objective="multiclassova", n_jobs=1, verbose=-1).fit(X, CLASSES)
    with pytest.raises(InputError, match="^model must end in sigmoid or softmax, not in multiclass_ova$"):
        compiler.load(fitted, features=NAMES)


@pytest.mark.parametrize("labels", [(False, True), ("ham", "spam")])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num_leaves": 63, "min_child_samples": 1, "learning_rate": 1.0},
        {"boosting_type": "dart"},
        {"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
        {"max_bin": 7},
        {"sigmoid": 0.1},
    ],
)
def test_lightgbm_classifier(options, labels):
    lightgbm = pytest.importorskip("lightgbm")
    fitted = lightgbm.LGBMClassifier(n_estimators=20, n_jobs=1, verbose=-1, random_state=0, **options)
    fitted.fit(X, np.array(labels)[Y.astype(int)])
    forest = compiler.load(fitted, features=NAMES)
    verdicts_agree(forest, lambda tried: fitted.predict(tried) == labels[1], X)
    assert_bounded(forest, lambda tried: fitted.predict(tried, raw_score=True))
    assert compiler.load(fitted.booster_, features=NAMES).id == forest.id


def test_lightgbm_early_stopping_keeps_the_best():
    lightgbm = pytest.importorskip("lightgbm")
    fitted = lightgbm.LGBMClassifier(n_estimators=50, n_jobs=1, verbose=-1)
    stop = lightgbm.early_stopping(2, verbose=False)
    fitted.fit(X, Y, eval_X=rows(300, 8), eval_y=labels_of(rows(300, 8), 5), callbacks=[stop])
    forest = compiler.load(fitted, features=NAMES)
    assert len(forest.trees) == fitted.best_iteration_ + 1 < 40
    verdicts_agree(forest, fitted.predict, X)


def test_lightgbm_regressor_above_0_is_spam():
    lightgbm = pytest.importorskip("lightgbm")
    fitted = lightgbm.LGBMRegressor(n_estimators=20, n_jobs=1, verbose=-1).fit(X, 2.0 * Y - 1)
    forest = compiler.load(fitted, features=NAMES)
    verdicts_agree(forest, lambda tried: fitted.predict(tried) > 0, X)
    assert_bounded(forest, fitted.predict)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"zero_as_missing": True}, "^LightGBM must not take 0 for a missing value: train with zero_as_missing=False$"),
        ({"linear_tree": True}, "^treelite must understand the model, but says '.*linear trees"),
        ({"categorical_feature": [2]}, "^tree 0, node [0-9]+: must test a number by < or <=$"),
    ],
)
def test_lightgbm_refused(options, message):
    lightgbm = pytest.importorskip("lightgbm")
    fitted = lightgbm.LGBMClassifier(n_estimators=2, n_jobs=1, verbose=-1, min_data_per_group=1, **options)
    with pytest.raises(InputError, match=message):
        compiler.load(fitted.fit(X, Y), features=NAMES)
