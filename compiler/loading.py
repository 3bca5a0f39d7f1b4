"""Load a forest from wherever it comes: a file, or an estimator that scikit-learn has fitted."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

from .errors import InputError
from .forest import Forest
from .forest_json import read_forest

__all__ = ["load"]


def load(source: str | PathLike[str] | Any, features: Sequence[str] | None = None) -> Forest:
    """The verified forest of a forest.json or of a fitted estimator.

    Parameters
    ----------
    source:
        Path of a forest.json; an estimator with a method ``to_forest()``, such as the ensemble of ``training``; or
        a fitted scikit-learn estimator that a front end knows.
    features:
        Catalogue names of the columns the estimator was fitted on, in order. By default its ``feature_names_in_``.
    """
    if isinstance(source, (str, PathLike)):
        if features is not None:
            raise InputError("features must not be given for a file: a forest.json names its own")
        return read_forest(source)
    if callable(getattr(source, "to_forest", None)):
        forest = source.to_forest()
        forest.verify()
        return forest
    # Only here, so that whoever reads files needs no scikit-learn.
    from .frontends.decision_tree import forest_of

    return forest_of(source, features)
