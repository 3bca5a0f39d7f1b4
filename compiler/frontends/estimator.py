"""What every front end asks of an estimator first: that it is fitted, knows its columns, tells classes apart."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from ..errors import InputError
from ..features import CATALOGUE
from ..forest import Column

__all__ = ["class_names", "columns_of", "named_columns", "require_classes", "require_fitted", "require_one_output"]


def require_fitted(estimator: Any) -> None:
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        raise InputError("estimator must be fitted: call fit() first") from None


def require_classes(estimator: Any) -> None:
    """Of two classes the first is BACKGROUND, the second SPAM; several have a score each."""
    require_one_output(estimator)
    if len(estimator.classes_) < 2:
        raise InputError(
            f"estimator must tell two classes or more apart, not {np.asarray(estimator.classes_).tolist()}"
        )


def class_names(estimator: Any) -> tuple[str, ...]:
    """The names of three classes or more, in scikit-learn's order; none where there are two, which give verdicts."""
    classes = np.asarray(estimator.classes_).tolist()
    return tuple(map(str, classes)) if len(classes) > 2 else ()


def require_one_output(estimator: Any) -> None:
    outputs = getattr(estimator, "n_outputs_", 1)
    if outputs != 1:
        raise InputError(f"estimator must have one output, not {outputs}")


def columns_of(estimator: Any, features: Sequence[str] | None = None) -> tuple[Column, ...]:
    """The catalogue's columns under the names that were given, or that the estimator was fitted with."""
    names = features if features is not None else getattr(estimator, "feature_names_in_", None)
    return named_columns(names, estimator.n_features_in_)


def named_columns(names: Sequence[str] | None, count: int) -> tuple[Column, ...]:
    """The catalogue's columns under ``count`` names."""
    if names is None:
        raise InputError("features must be given: the estimator was fitted without column names")
    if len(names) != count:
        raise InputError(f"features must be {count} names, as the estimator has, not {len(names)}")
    for name in names:
        if name not in CATALOGUE:
            raise InputError(f"feature {str(name)!r} is not in the catalogue (python -m compiler features)")
    catalogued = (CATALOGUE[name] for name in names)
    return tuple(Column(f.name, f.bits, f.fraction, f.unit) for f in catalogued)
