"""Estimators from files: skops files of known types, ONNX models, and pickles for those who say that they trust them.

Reading a pickle runs whatever its author wrote into it. A skops file names the types it builds, and only those listed
here, beside what skops itself takes for safe, are built. ONNX files are numbers and names, and no other file that one
points to is opened. XGBoost's and LightGBM's own files are read by treelite (:mod:`~compiler.booster_files`).
"""

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .booster_files import read_lightgbm, read_xgboost
from .errors import InputError
from .extras import import_extra

__all__ = ["SUFFIXES", "one_line", "read_estimator"]

TRUSTED_TYPES = (
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
)
"""What fitted trees and ensembles of scikit-learn hold beside the types that skops trusts: arrays and numbers."""


def read_estimator(path: Path, trust_pickle: bool = False) -> Any:
    """The estimator of a file whose suffix is one of ``SUFFIXES``."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    return _READERS[path.suffix.lower()](path, trust_pickle)


def _read_skops(path: Path, trust_pickle: bool) -> Any:
    skops = import_extra("skops.io", "models", path)
    try:
        untrusted = sorted(set(skops.get_untrusted_types(file=path)) - set(TRUSTED_TYPES))
        if untrusted:
            raise InputError(f"{path}: holds types that are not trusted: {', '.join(untrusted)}")
        return skops.load(path, trusted=TRUSTED_TYPES)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, ImportError) as error:
        raise InputError(f"{path}: not a skops file that can be read: {one_line(error)}") from None


def _read_onnx(path: Path, trust_pickle: bool) -> Any:
    onnx = import_extra("onnx", "models", path)
    decode_error = import_extra("google.protobuf.message", "models", path).DecodeError
    try:
        model = onnx.load_model(path, format="protobuf", load_external_data=False)
    except decode_error as error:
        raise InputError(f"{path}: not an ONNX model that can be read: {one_line(error)}") from None
    if not model.HasField("graph"):
        raise InputError(f"{path}: not an ONNX model that can be read: it has no graph")
    return model


def _read_pickle(path: Path, trust_pickle: bool) -> Any:
    if not trust_pickle:
        raise InputError(
            f"{path}: a pickle can run any program while it is read; --trust-pickle (trust_pickle=True) reads it, "
            "a skops file needs no trust"
        )
    joblib = import_extra("joblib", "models", path)
    try:
        return joblib.load(path)
    except Exception as error:
        # Unpickling runs code of others, which may raise anything.
        raise InputError(f"{path}: not a pickle that can be read: {one_line(error)}") from None


def one_line(error: Exception) -> str:
    """An error of another library, whose text may have many lines."""
    return " ".join(f"{type(error).__name__}: {error}".split())


_READERS: Mapping[str, Callable[[Path, bool], Any]] = MappingProxyType(
    {
        ".skops": _read_skops,
        ".onnx": _read_onnx,
        ".json": lambda path, trust_pickle: read_xgboost(path),
        ".ubj": lambda path, trust_pickle: read_xgboost(path),
        ".txt": lambda path, trust_pickle: read_lightgbm(path),
        ".pkl": _read_pickle,
        ".pickle": _read_pickle,
        ".joblib": _read_pickle,
    }
)

SUFFIXES = tuple(_READERS)
