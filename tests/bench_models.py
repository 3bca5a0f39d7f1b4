"""Models for comparing forest circuits with other tools', as they lie beside a checkout in ``shared/bench``."""

from pathlib import Path

import numpy as np
import pytest

from hdl.forest_parameters import ForestParameters
from hdl.tree import Leaf, Node, Tree

__all__ = ["bench_model"]

_FOLDER = Path(__file__).parents[2] / "shared" / "bench"

_VALIDATION_ROWS = 4000
_GREATEST_WEIGHT = {"vote16d4": 0.71475, "vote60d5": 0.7125}
"""The greatest share of hits among the trees of a model: its leaves hold weights only up to a common factor."""


def bench_model(name: str) -> tuple[ForestParameters, np.ndarray, np.ndarray]:
    """A vote model, its stimuli and scikit-learn's decisions (1 is spam); skips the test when it is not there."""
    path = _FOLDER / f"{name}.npz"
    if not path.exists():
        pytest.skip(f"{path.name} is not beside this checkout")
    with np.load(path) as file:
        arrays = dict(file)
    count = sum(key.endswith("_feature") for key in arrays)
    largest = max(np.abs(arrays[f"t{index}_value"]).max() for index in range(count))
    factor = _GREATEST_WEIGHT[name] * _VALIDATION_ROWS / largest
    parameters = ForestParameters(
        feature_widths=tuple(arrays["bits"].tolist()),
        trees=tuple(_tree(arrays, f"t{index}_", factor) for index in range(count)),
    )
    return parameters, arrays["Xs"], arrays["ys"]


def _tree(arrays: dict[str, np.ndarray], prefix: str, factor: float) -> Tree:
    feature, threshold, left, right, value = (
        arrays[prefix + key].tolist() for key in ("feature", "thr", "left", "right", "value")
    )
    nodes = tuple(
        Leaf(1 if value[at] > 0 else -1) if feature[at] < 0 else Node(feature[at], threshold[at], left[at], right[at])
        for at in range(len(feature))
    )
    return Tree(round(max(abs(number) for number in value) * factor), nodes)
