"""Models as XGBoost and LightGBM save them, read by treelite: JSON, UBJSON and text hold numbers and run nothing."""

import contextlib
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .errors import InputError
from .extras import import_extra

__all__ = ["is_xgboost_json", "read_lightgbm", "read_xgboost", "refuse_zero_as_missing"]

_MISSING_ZERO = 1
"""LightGBM's number of the rule that takes 0 for a missing value, in bits 2 and 3 of a decision type."""


def is_xgboost_json(path: Path) -> bool:
    """Whether a file is JSON with what XGBoost calls its model, rather than a forest.json or anything else."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(document, dict) and "learner" in document


def read_xgboost(path: Path) -> Any:
    """treelite's model of a .json or .ubj file."""
    # An attribute of a model that was stopped early; a text in either format.
    if found := re.search(rb"best_iteration[^0-9]+([0-9]+)", path.read_bytes()):
        rounds = int(found[1]) + 1
        raise InputError(
            f"{path}: must not have been stopped early: XGBClassifier predicts with its best {rounds} rounds, "
            f"Booster with all; save get_booster()[:{rounds}]"
        )
    return _loaded(path, lambda frontend: frontend.load_xgboost_model(path))


def read_lightgbm(path: Path) -> Any:
    """treelite's model of a .txt file."""
    try:
        refuse_zero_as_missing(path.read_text(encoding="utf-8"))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except ValueError as error:
        raise InputError(f"{path}: not a model of LightGBM that can be read: {error}") from None
    return _loaded(path, lambda frontend: frontend.load_lightgbm_model(path))


def _loaded(path: Path, load: Callable[[Any], Any]) -> Any:
    treelite = import_extra("treelite", "models", path)
    try:
        # It prints what it thinks of a file, beside raising it.
        with contextlib.redirect_stdout(io.StringIO()):
            return load(treelite.frontend)
    except treelite.TreeliteError as error:
        raise InputError(f"{path}: treelite cannot read it: {' '.join(str(error).split())}") from None


def refuse_zero_as_missing(text: str) -> None:
    """Refuse a model of LightGBM, given as its text, that takes 0 for a missing value: treelite reads a number."""
    for line in re.findall(r"^decision_type=(.*)$", text, re.MULTILINE):
        if any(int(decision) >> 2 & 3 == _MISSING_ZERO for decision in line.split()):
            raise InputError("LightGBM must not take 0 for a missing value: train with zero_as_missing=False")
