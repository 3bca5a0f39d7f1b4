"""Which front end reads an estimator, by its class; front ends and libraries are imported only when one is met."""

import importlib
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..errors import InputError
from ..forest import Forest
from .estimator import columns_of, named_columns, require_classes, require_fitted, require_one_output
from .rounding import FRACTION_BITS

__all__ = ["FRONT_ENDS", "FrontEnd", "forest_of"]


class FrontEnd(NamedTuple):
    """A class of estimators, the file of this folder that reads it, and what it must be able to say.

    ``check`` is None for what is no estimator in scikit-learn's sense.
    """

    package: str
    kind: str
    file: str
    check: Callable[[Any], None] | None = require_classes


FRONT_ENDS = (
    FrontEnd("sklearn.tree", "DecisionTreeClassifier", "decision_tree"),
    FrontEnd("sklearn.ensemble", "RandomForestClassifier", "probabilities"),
    FrontEnd("sklearn.ensemble", "ExtraTreesClassifier", "probabilities"),
    FrontEnd("sklearn.ensemble", "BaggingClassifier", "probabilities"),
    FrontEnd("sklearn.ensemble", "VotingClassifier", "voting"),
    FrontEnd("sklearn.ensemble", "AdaBoostClassifier", "adaboost"),
    FrontEnd("sklearn.ensemble", "GradientBoostingClassifier", "gradient_boosting"),
    FrontEnd("sklearn.ensemble", "HistGradientBoostingClassifier", "hist_gradient_boosting"),
    FrontEnd("sklearn.tree", "DecisionTreeRegressor", "regression_trees", require_one_output),
    FrontEnd("sklearn.ensemble", "RandomForestRegressor", "regression_trees", require_one_output),
    FrontEnd("sklearn.ensemble", "ExtraTreesRegressor", "regression_trees", require_one_output),
    FrontEnd("sklearn.ensemble", "BaggingRegressor", "regression_trees", require_one_output),
    FrontEnd("sklearn.ensemble", "VotingRegressor", "regression_trees", require_one_output),
    FrontEnd("sklearn.ensemble", "GradientBoostingRegressor", "gradient_boosting", require_one_output),
    FrontEnd("sklearn.ensemble", "HistGradientBoostingRegressor", "hist_gradient_boosting", require_one_output),
    FrontEnd("xgboost", "XGBClassifier", "boosters"),
    FrontEnd("xgboost", "XGBRegressor", "boosters", require_one_output),
    FrontEnd("xgboost", "Booster", "boosters", None),
    FrontEnd("lightgbm", "LGBMClassifier", "boosters"),
    FrontEnd("lightgbm", "LGBMRegressor", "boosters", require_one_output),
    FrontEnd("lightgbm", "Booster", "boosters", None),
    FrontEnd("treelite", "Model", "treelite_model", None),
    FrontEnd("onnx", "ModelProto", "onnx_model", None),
)

_REFUSED = {
    "AdaBoostRegressor": "its prediction is a weighted median of what its trees say, which is not a sum of leaf scores",
    "StackingClassifier": "its last estimator reads what others predict, which is not a sum of leaf scores",
    "StackingRegressor": "its last estimator reads what others predict, which is not a sum of leaf scores",
}
"""Estimators of trees whose answer no forest gives, and why."""

_DISTRIBUTIONS = {"sklearn": "scikit-learn"}


def forest_of(estimator: Any, features: Sequence[str] | None = None, fraction_bits: int = FRACTION_BITS) -> Forest:
    """The forest that decides as ``estimator.predict`` does: its second class is SPAM, its first BACKGROUND.

    A regressor's prediction above 0 is SPAM. Of three classes or more the forest gives the index.

    Parameters
    ----------
    features: catalogue names of the columns, in order; by default the estimator's ``feature_names_in_``
    fraction_bits: bits behind the point of a leaf score that has to be rounded, if the sum leaves that many
    """
    front_end = _front_end(estimator)
    reader = importlib.import_module(f".{front_end.file}", __package__)
    if front_end.check:
        require_fitted(estimator)
        front_end.check(estimator)
        columns = columns_of(estimator, features)
    else:
        columns = named_columns(features, reader.feature_count(estimator))
    model = reader.score_model(estimator, columns)
    name = type(estimator).__name__
    package = front_end.package.split(".")[0]
    provenance = {"estimator": name, _DISTRIBUTIONS.get(package, package): sys.modules[package].__version__}
    return model.forest(_words(name), columns, provenance, fraction_bits)


def _front_end(estimator: Any) -> FrontEnd:
    for front_end in FRONT_ENDS:
        # Whoever holds an instance has imported its library.
        library = sys.modules.get(front_end.package)
        if library is not None and isinstance(estimator, getattr(library, front_end.kind)):
            return front_end
    name = type(estimator).__name__
    if name in _REFUSED:
        raise InputError(f"{name} must not be compiled: {_REFUSED[name]}")
    known = ", ".join(dict.fromkeys(front_end.kind for front_end in FRONT_ENDS))
    raise InputError(f"estimator must be one of {known} or have to_forest(), not {name}")


def _words(name: str) -> str:
    """A class name as words: ``DecisionTreeClassifier`` is a decision tree."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removesuffix("Classifier").removesuffix("Proto")).lower()
