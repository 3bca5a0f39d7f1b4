"""ONNX models: TreeEnsembleClassifier, TreeEnsembleRegressor and, from version 5 on, TreeEnsemble of one target.

Where the standard is vague the rules are those of onnxruntime, which adds up in float32. Two classes have one score:
the second label needs it above a half when no weight is below 0, else above 0; a transform changes no label. A
regressor's score above 0 is SPAM. More classes have a score each, and the first of the highest is the answer.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from ..errors import InputError
from ..forest import Column
from .class_scores import ClassScores
from .onnx_graph import Ensemble, ensemble_of
from .onnx_trees import OnnxTree, trees_of
from .score_model import ScoreModel, sum_error
from .score_tree import real

__all__ = ["feature_count", "score_model"]

_PRECISION = 24
_LABEL_TRANSFORMS = ("NONE", "LOGISTIC", "SOFTMAX")


def feature_count(model: Any) -> int:
    return ensemble_of(model).columns


def score_model(model: Any, columns: Sequence[Column]) -> ScoreModel | ClassScores:
    """Real score: the sum of the leaves and the base value, less what it is compared with."""
    ensemble = ensemble_of(model)
    trees = trees_of(ensemble.operator, ensemble.attributes, ensemble.columns)
    if not trees:
        raise InputError(f"{ensemble.operator} must hold at least one tree, not none")
    return _READERS[ensemble.operator](ensemble, trees, columns)


def _classifier(ensemble: Ensemble, trees: Sequence[OnnxTree], columns: Sequence[Column]) -> ScoreModel | ClassScores:
    attributes = ensemble.attributes
    labels = _labels(attributes)
    _require_transform(ensemble, _LABEL_TRANSFORMS)
    base = [real(value) for value in _base_values(attributes)]
    if len(labels) > 2:
        return _classes(trees, columns, labels, base)
    if len(labels) != 2:
        raise InputError(f"TreeEnsembleClassifier must tell two classes or more apart, not {labels}")
    weighed = {target for tree in trees for leaf in tree.leaves for target in leaf}
    if len(weighed) != 1 or not weighed <= {0, 1}:
        # With weights for both, onnxruntime answers by the sign of the second score, the standard by the greater one.
        raise InputError(f"class_ids of two classes must all be 0 or all be 1, not {sorted(weighed)}")
    (target,) = weighed
    if len(base) > (target == 0):
        raise InputError(
            f"base_values of two classes must be one, with class_ids 0, or none, not {len(base)} with {target}"
        )
    return _single_score(trees, target, columns, sum(base), _boundary(trees))


def _classes(
    trees: Sequence[OnnxTree], columns: Sequence[Column], labels: Sequence[str], base: Sequence[Fraction]
) -> ClassScores:
    """Three classes or more: the first highest sum is the answer."""
    if len(base) not in (0, len(labels)):
        raise InputError(f"base_values must be one a class or none, not {len(base)}")
    scores = []
    for index, label in enumerate(labels):
        voters = [tree for tree in trees if any(index in leaf for leaf in tree.leaves)]
        # A class that has got no weight is no candidate for onnxruntime, though its sum of 0 may be the highest.
        if not base and not any(all(index in leaf for leaf in tree.leaves) for tree in voters):
            raise InputError(f"class {label!r} must have a base value, or a tree with a weight for it in every leaf")
        scored = tuple(tree.for_target(index, columns) for tree in voters)
        start = base[index] if base else Fraction(0)
        reach = abs(start) + sum(max(map(abs, tree.scores)) for tree in scored)
        noise = sum_error(len(scored) + 1, reach, _PRECISION)
        scores.append(ScoreModel(trees=scored, constant=start, noise=noise))
    weighed = {target for tree in trees for leaf in tree.leaves for target in leaf}
    if not weighed <= set(range(len(labels))):
        raise InputError(f"class_ids must be from 0 to {len(labels) - 1}, not {sorted(weighed)}")
    return ClassScores(classes=tuple(labels), scores=tuple(scores))


def _regressor(ensemble: Ensemble, trees: Sequence[OnnxTree], columns: Sequence[Column]) -> ScoreModel:
    attributes = ensemble.attributes
    _require_transform(ensemble, ("NONE",))
    targets = attributes.get("n_targets", 1)
    if targets != 1:
        raise InputError(f"{ensemble.operator} must have one target, not {targets}")
    base = [real(value) for value in _base_values(attributes)]
    if len(base) > 1:
        raise InputError(f"base_values must be at most one, not {len(base)}")
    return _single_score(trees, 0, columns, sum(base), Fraction(0))


def _single_score(
    trees: Sequence[OnnxTree], target: int, columns: Sequence[Column], base: Fraction, boundary: Fraction
) -> ScoreModel:
    for tree in trees:
        for leaf in tree.leaves:
            if set(leaf) != {target}:
                raise InputError(
                    f"tree {tree.number}: each leaf must have one weight, for {target}, not {sorted(leaf)}"
                )
    scored = tuple(tree.for_target(target, columns) for tree in trees)
    reach = abs(base) + sum(max(map(abs, tree.scores)) for tree in scored)
    return ScoreModel(trees=scored, constant=base - boundary, noise=sum_error(len(scored) + 1, reach, _PRECISION))


def _boundary(trees: Sequence[OnnxTree]) -> Fraction:
    weights = [weight for tree in trees for leaf in tree.leaves for weight in leaf.values()]
    return Fraction(1, 2) if min(weights) >= 0 else Fraction(0)


def _labels(attributes: Mapping[str, Any]) -> list[str]:
    return [str(label) for label in attributes.get("classlabels_int64s") or attributes.get("classlabels_strings") or ()]


def _base_values(attributes: Mapping[str, Any]) -> list[float]:
    return attributes.get("base_values") or attributes.get("base_values_as_tensor") or []


def _require_transform(ensemble: Ensemble, allowed: Sequence[str]) -> None:
    transform = ensemble.attributes.get("post_transform", "NONE")
    if transform not in (*allowed, 0):
        raise InputError(f"{ensemble.operator} must have post_transform {' or '.join(allowed)}, not {transform}")


_READERS = {"TreeEnsembleClassifier": _classifier, "TreeEnsembleRegressor": _regressor, "TreeEnsemble": _regressor}
