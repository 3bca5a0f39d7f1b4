"""Models for comparing forest circuits with other tools', as they lie beside a checkout in ``shared/bench``."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.forest import Band, Column, Forest
from compiler.frontends.score_model import ScoreModel, sum_error
from compiler.frontends.score_tree import Score, ScoreTree, real
from hdl.tree import Leaf, Node, Tree

__all__ = ["FOLDER", "PeerModel", "peer_model"]

FOLDER = Path(__file__).parents[2] / "shared" / "bench"

SCORE_FRACTION_BITS = 16
"""Of real leaf scores: fewer make the circuit smaller and the stated error larger."""

_VALIDATION_ROWS = 4000
_GREATEST_WEIGHT = {"vote16d4": 0.71475, "vote60d5": 0.7125}
"""The greatest share of hits among the trees of a model: its leaves hold weights only up to a common factor."""


class PeerModel(NamedTuple):
    """A model, its stimuli of shape (rows, features) and scikit-learn's decisions (1 is spam)."""

    forest: Forest
    rows: NDArray[np.int64]
    decisions: NDArray[np.int64]


def peer_model(name: str) -> PeerModel:
    """``vote16d4``, ``vote60d5`` or ``gbc30d5``; raises FileNotFoundError when it is not beside this checkout."""
    with np.load(FOLDER / f"{name}.npz") as file:
        arrays = dict(file)
    count = sum(key.endswith("_feature") for key in arrays)
    columns = tuple(Column(f"f{index}", bits) for index, bits in enumerate(arrays["bits"].tolist()))
    if name in _GREATEST_WEIGHT:
        largest = max(np.abs(arrays[f"t{index}_value"]).max() for index in range(count))
        factor = _GREATEST_WEIGHT[name] * _VALIDATION_ROWS / largest
        trees = tuple(_tree(arrays, f"t{index}_", factor) for index in range(count))
        forest = Forest(name=name, columns=columns, trees=trees, band=Band(0, 0))
    else:
        forest = _scored(name, columns, arrays, count)
    return PeerModel(forest, arrays["Xs"].astype(np.int64), arrays["ys"].astype(np.int64))


def _scored(name: str, columns: tuple[Column, ...], arrays: dict[str, NDArray], count: int) -> Forest:
    """A model of real leaf scores, rounded as that of a library."""
    trees = tuple(_score_tree(arrays, f"t{index}_") for index in range(count))
    constant = real(float(arrays["init"]))
    reach = abs(constant) + sum(max(map(abs, tree.scores)) for tree in trees)
    model = ScoreModel(trees=trees, constant=constant, noise=sum_error(count + 1, reach))
    return model.forest(name, columns, {}, SCORE_FRACTION_BITS, catalogue=False)


def _score_tree(arrays: dict[str, NDArray], prefix: str) -> ScoreTree:
    feature, threshold, left, right, value = _lists(arrays, prefix)
    return ScoreTree(
        tuple(
            Score(real(value[at])) if feature[at] < 0 else Node(feature[at], threshold[at], left[at], right[at])
            for at in range(len(feature))
        )
    )


def _tree(arrays: dict[str, NDArray], prefix: str, factor: float) -> Tree:
    feature, threshold, left, right, value = _lists(arrays, prefix)
    nodes = tuple(
        Leaf(1 if value[at] > 0 else -1) if feature[at] < 0 else Node(feature[at], threshold[at], left[at], right[at])
        for at in range(len(feature))
    )
    return Tree(round(max(abs(number) for number in value) * factor), nodes)


def _lists(arrays: dict[str, NDArray], prefix: str) -> tuple[list, ...]:
    return tuple(arrays[prefix + key].tolist() for key in ("feature", "thr", "left", "right", "value"))
