"""XGBoost and LightGBM, their boosters and their estimators in scikit-learn's style, by way of treelite.

A classifier says its second class above a probability of a half; a regressor is a score, SPAM above 0; a booster alone
is one or the other by its objective. After early stopping the best iteration counts, as in ``predict``.
"""

import math
from collections.abc import Sequence
from typing import Any

from ..booster_files import refuse_zero_as_missing
from ..errors import InputError
from ..extras import import_extra
from ..forest import Column
from . import treelite_model
from .class_scores import ClassScores
from .estimator import class_names
from .score_model import ScoreModel

__all__ = ["feature_count", "score_model"]

_ENDS = {
    "Classifier": ("sigmoid", "softmax"),
    "Regressor": ("identity",),
    "Booster": treelite_model.ALL_ENDS,
}


def feature_count(booster: Any) -> int:
    return booster.num_features() if _is_xgboost(booster) else booster.num_feature()


def score_model(estimator: Any, columns: Sequence[Column]) -> ScoreModel | ClassScores:
    """Real score: the margin, of several classes one for each."""
    name = type(estimator).__name__
    treelite = import_extra("treelite", "models", name)
    ends = next(
        ends for suffix, ends in _ENDS.items() if any(suffix in kind.__name__ for kind in type(estimator).mro())
    )
    try:
        if _is_xgboost(estimator):
            model = treelite.frontend.from_xgboost(_xgboost_booster(estimator))
        else:
            model = treelite.frontend.from_lightgbm(_lightgbm_booster(estimator))
    except treelite.TreeliteError as error:
        raise InputError(f"treelite must understand the model, but says {' '.join(str(error).split())!r}") from None
    names = class_names(estimator) if hasattr(estimator, "classes_") else ()
    return treelite_model.score_model(model, columns, ends, names or None)


def _is_xgboost(estimator: Any) -> bool:
    return any(kind.__module__.split(".")[0] == "xgboost" for kind in type(estimator).mro())


def _xgboost_booster(estimator: Any) -> Any:
    if not hasattr(estimator, "get_booster"):
        return estimator
    if not math.isnan(estimator.missing):
        raise InputError(f"XGBoost must not take {estimator.missing} for a missing value: train with missing=nan")
    booster = estimator.get_booster()
    best = getattr(estimator, "best_iteration", None)
    return booster if best is None else booster[: best + 1]


def _lightgbm_booster(estimator: Any) -> Any:
    booster = getattr(estimator, "booster_", estimator)
    refuse_zero_as_missing(booster.model_to_string())
    return booster
