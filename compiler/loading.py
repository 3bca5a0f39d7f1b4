"""Load a forest from wherever it comes: a file, or a fitted estimator."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from .booster_files import is_xgboost_json
from .errors import InputError
from .forest import Forest
from .forest_json import read_forest
from .model_files import SUFFIXES, one_line, read_estimator

__all__ = ["REFERENCE", "load"]

REFERENCE = Path(__file__).with_name("reference") / "forest.json"
"""The forest that ships with the project, of ``make reference``."""


def load(
    source: str | PathLike[str] | Any,
    features: Sequence[str] | None = None,
    trust_pickle: bool = False,
    *,
    fraction_bits: int | None = None,
) -> Forest:
    """The verified forest of a file or of a fitted estimator.

    Parameters
    ----------
    source:
        Path of a forest.json, an ONNX model, a model that XGBoost (.json, .ubj) or LightGBM (.txt) saved, a skops file
        or a pickle; an estimator with a method ``to_forest()``, such as the ensemble of ``training``; or a fitted
        estimator that a front end knows.
    features:
        Catalogue names of the columns the estimator was fitted on, in order. By default its ``feature_names_in_``.
    trust_pickle:
        Read pickles (.pkl, .pickle, .joblib), which can run any program.
    fraction_bits:
        Bits behind the point of leaf scores that have to be rounded, where the sum leaves that many; 16 by default.
    """
    if isinstance(source, (str, PathLike)):
        path = Path(source)
        suffix = path.suffix.lower()
        if suffix not in SUFFIXES or (suffix == ".json" and not is_xgboost_json(path)):
            if features is not None:
                raise InputError("features must not be given for a file: a forest.json names its own")
            return read_forest(path)
        estimator = read_estimator(path, trust_pickle)
        try:
            return _forest_of(estimator, features, fraction_bits)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            # A file can hold an estimator that no library has fitted, wrong anywhere.
            raise InputError(f"{path}: not a fitted estimator that can be read: {one_line(error)}") from error
    return _forest_of(source, features, fraction_bits)


def _forest_of(estimator: Any, features: Sequence[str] | None, fraction_bits: int | None) -> Forest:
    if callable(getattr(estimator, "to_forest", None)):
        forest = estimator.to_forest()
        forest.verify()
        return forest
    # Only here, so that whoever reads files needs no scikit-learn.
    from .frontends.registry import forest_of

    options = {} if fraction_bits is None else {"fraction_bits": fraction_bits}
    return forest_of(estimator, features, **options)
