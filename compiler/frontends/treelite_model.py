"""treelite's models: a base score and a sum of leaves, whatever library they come from.

XGBoost compares float32 by ``<``, LightGBM float64 by ``<=``; treelite says which for every node. Both add up in the
type of their leaves, XGBoost in float32. The score is the margin, before any sigmoid: SPAM is a margin above 0, which
is a probability above a half.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ..errors import InputError
from ..forest import Column
from .score_model import ScoreModel, sum_error
from .score_tree import Score, ScoreTree, Split, at_most, below, grown, real

__all__ = ["feature_count", "score_model"]

_COMPARISONS = {2: below, 3: at_most}
"""treelite's numbers of ``<`` and ``<=``."""

_LEAF, _NUMERICAL_TEST = 0, 1
"""treelite's numbers of kinds of nodes."""


def feature_count(model: Any) -> int:
    return model.num_feature


def score_model(model: Any, columns: Sequence[Column], ends: Sequence[str] = ("identity", "sigmoid")) -> ScoreModel:
    """Real score: the margin; of an average, the number of trees times the margin.

    Parameters
    ----------
    ends: what may come after the margin
    """
    header = model.get_header_accessor()
    postprocessor = header.get_field("postprocessor")
    if postprocessor not in ends:
        raise InputError(f"model must end in {' or '.join(ends)}, not in {postprocessor}")
    shape = header.get_field("num_class").tolist() + header.get_field("leaf_vector_shape").tolist()
    if set(shape) != {1}:
        raise InputError(f"model must have one score (two classes), not {max(shape)}")
    trees = tuple(_leaves(model.get_tree_accessor(at), columns, at) for at in range(model.num_tree))
    base = real(float(header.get_field("base_scores")[0]))
    reach = abs(base) + sum(max(map(abs, tree.scores)) for tree in trees)
    precision = 24 if model.get_tree_accessor(0).get_field("leaf_value").dtype == np.float32 else 53
    noise = sum_error(len(trees) + 1, reach, precision)
    if postprocessor == "sigmoid":
        noise += _sigmoid_error(base, precision) / real(float(header.get_field("sigmoid_alpha")[0]))
    if header.get_field("average_tree_output").any():
        base, noise = base * len(trees), noise * len(trees)
    return ScoreModel(trees=trees, constant=base, noise=noise)


def _leaves(tree: Any, columns: Sequence[Column], number: int) -> ScoreTree:
    fields = ("node_type", "cleft", "cright", "split_index", "threshold", "cmp", "leaf_value")
    kind, left, right, feature, threshold, comparison, value = (tree.get_field(field).tolist() for field in fields)

    def read(at: int) -> Split | Score:
        if kind[at] == _LEAF:
            return Score(real(value[at]))
        if kind[at] != _NUMERICAL_TEST or comparison[at] not in _COMPARISONS:
            raise InputError(f"tree {number}, node {at}: must test a number by < or <=")
        if feature[at] not in range(len(columns)):
            raise InputError(
                f"tree {number}, node {at}: feature must be from 0 to {len(columns) - 1}, not {feature[at]}"
            )
        return Split(feature[at], _COMPARISONS[comparison[at]](threshold[at]), left[at], right[at])

    return grown(read, columns)


def _sigmoid_error(base: Fraction, precision: int) -> Fraction:
    """What stands between the margin and the answer beside the sum.

    Around 0 the sigmoid rises by a quarter of the margin, and a half plus less than half a step of its type is still a
    half. The base score is the logit of a probability, computed in the type of the leaves from ``1 / p - 1``.
    """
    step = Fraction(1, 1 << precision)
    return 8 * step + 4 * step * (2 + abs(base) + Fraction(math.exp(min(abs(base), 700))))
