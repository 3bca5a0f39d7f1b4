"""treelite's models: a base score and a sum of leaves, whatever library they come from.

XGBoost compares float32 by ``<``, LightGBM float64 by ``<=``; treelite says which for every node. Both add up in the
type of their leaves, XGBoost in float32. The score is the margin, before any sigmoid: SPAM is a margin above 0, which
is a probability above a half. Several classes have a margin each.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ..errors import InputError
from ..forest import Column
from .class_scores import ClassScores
from .score_model import ScoreModel, sum_error
from .score_tree import Score, ScoreTree, Split, at_most, below, grown, real

__all__ = ["ALL_ENDS", "feature_count", "score_model"]

_COMPARISONS = {2: below, 3: at_most}
"""treelite's numbers of ``<`` and ``<=``."""

ALL_ENDS = ("identity", "sigmoid", "identity_multiclass", "softmax")
"""What may come after the margins without changing which is the answer."""

_LEAF, _NUMERICAL_TEST = 0, 1
"""treelite's numbers of kinds of nodes."""


def feature_count(model: Any) -> int:
    return model.num_feature


def score_model(
    model: Any, columns: Sequence[Column], ends: Sequence[str] = ALL_ENDS, classes: Sequence[str] | None = None
) -> ScoreModel | ClassScores:
    """Real score: the margin; of an average, the number of trees times the margin.

    Parameters
    ----------
    ends: what may come after the margin
    classes: their names where there are several; by default their numbers
    """
    header = model.get_header_accessor()
    postprocessor = header.get_field("postprocessor")
    if postprocessor not in ends:
        raise InputError(f"model must end in {' or '.join(ends)}, not in {postprocessor}")
    (targets,), (count, *_) = header.get_field("num_target").tolist(), header.get_field("num_class").tolist()
    if targets != 1:
        raise InputError(f"model must have one target, not {targets}")
    if count == 2:
        # Two scores, of which the higher one wins: libraries have one score for two classes.
        raise InputError("model must have one score (two classes) or three and more, not 2")
    if count == 1:
        return _score(model, columns, 0)
    if classes is not None and len(classes) != count:
        raise InputError(f"model must have {len(classes)} classes, as its estimator has, not {count}")
    names = map(str, range(count) if classes is None else classes)
    return ClassScores(classes=tuple(names), scores=tuple(_score(model, columns, at) for at in range(count)))


def _score(model: Any, columns: Sequence[Column], index: int) -> ScoreModel:
    header = model.get_header_accessor()
    accessors = [model.get_tree_accessor(at) for at in range(model.num_tree)]
    # Below 0 where a leaf holds a number for every class.
    tree_classes = header.get_field("class_id").tolist()
    trees = tuple(
        _leaves(tree, columns, at, index if tree_classes[at] < 0 else 0)
        for at, tree in enumerate(accessors)
        if tree_classes[at] in (index, -1)
    )
    base = real(float(header.get_field("base_scores")[index]))
    reach = abs(base) + sum(max(map(abs, tree.scores)) for tree in trees)
    precision = 24 if accessors[0].get_field("leaf_value").dtype == np.float32 else 53
    noise = sum_error(len(trees) + 1, reach, precision)
    postprocessor = header.get_field("postprocessor")
    if postprocessor == "sigmoid":
        noise += _sigmoid_error(base, precision) / real(float(header.get_field("sigmoid_alpha")[0]))
    elif postprocessor == "softmax":
        noise += _softmax_error(precision)
    if header.get_field("average_tree_output").any():
        base, noise = base * len(trees), noise * len(trees)
    return ScoreModel(trees=trees, constant=base, noise=noise)


def _leaves(tree: Any, columns: Sequence[Column], number: int, place: int) -> ScoreTree:
    """The tree with its leaves, or with what they hold at a place."""
    fields = ("node_type", "cleft", "cright", "split_index", "threshold", "cmp", "leaf_value")
    kind, left, right, feature, threshold, comparison, value = (tree.get_field(field).tolist() for field in fields)
    vector, begin = tree.get_field("leaf_vector").tolist(), tree.get_field("leaf_vector_begin").tolist()

    def read(at: int) -> Split | Score:
        if kind[at] == _LEAF:
            return Score(real(vector[begin[at] + place] if vector else value[at]))
        if kind[at] != _NUMERICAL_TEST or comparison[at] not in _COMPARISONS:
            raise InputError(f"tree {number}, node {at}: must test a number by < or <=")
        if feature[at] not in range(len(columns)):
            raise InputError(
                f"tree {number}, node {at}: feature must be from 0 to {len(columns) - 1}, not {feature[at]}"
            )
        return Split(feature[at], _COMPARISONS[comparison[at]](threshold[at]), left[at], right[at])

    return grown(read, columns)


def _softmax_error(precision: int) -> Fraction:
    """What stands between the scores and the answer of several classes, for each of them.

    The exponential of a margin of eight steps is a few steps below 1, and stays below after the division.
    """
    return Fraction(8, 1 << precision)


def _sigmoid_error(base: Fraction, precision: int) -> Fraction:
    """What stands between the margin and the answer beside the sum.

    Around 0 the sigmoid rises by a quarter of the margin, and a half plus less than half a step of its type is still a
    half. The base score is the logit of a probability, computed in the type of the leaves from ``1 / p - 1``.
    """
    step = Fraction(1, 1 << precision)
    return 8 * step + 4 * step * (2 + abs(base) + Fraction(math.exp(min(abs(base), 700))))
