"""Fit a forest on flows, choose its operating point, and set it beside a one-split stump."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from sklearn.tree import DecisionTreeClassifier

from compiler.errors import InputError
from compiler.forest import Forest

from .ensemble import WeightedVote
from .flow_set import FlowSet
from .operating_point import OperatingPoint, choose_band

__all__ = ["Fit", "FitParameters", "fit_forest", "fit_stump", "sources_of"]


@dataclass(frozen=True, kw_only=True)
class FitParameters:
    """What a forest is fitted with; ports, orientation and directions say which flows it is for."""

    trees: int = 16
    depth: int = 4
    seed: int = 1
    budget: float = 100.0
    ports: frozenset[int] | None = frozenset({25})
    orientation: str = "initiator"
    directions: str = "both"


@dataclass(frozen=True)
class Fit:
    """A forest and the operating point it is bound to."""

    forest: Forest
    operating_point: OperatingPoint


def fit_forest(
    learn: FlowSet, validation: FlowSet, parameters: FitParameters, provenance: dict[str, Any] | None = None
) -> Fit:
    """Grow the trees on one set of senders; weigh them and choose the band on another."""
    for role, part in (("learning", learn), ("validation", validation)):
        spam, background = int(np.sum(part.y == 1)), int(np.sum(part.y == -1))
        if not (spam and background):
            raise InputError(
                f"{part.name}: the {role} senders must have complete flows of both classes, "
                f"not {spam} of spam and {background} of background"
            )
    taught, weighed = learn.teaching, validation.teaching
    vote = WeightedVote(
        learn.features, n_trees=parameters.trees, max_depth=parameters.depth, random_state=parameters.seed
    ).fit(taught.X, taught.y, taught.sender, validation=(weighed.X, weighed.y))
    scores, legitimate = vote.decision_function(validation.X), validation.is_legitimate
    point = choose_band(scores[legitimate], validation.sender[legitimate], scores[validation.y == 1], parameters.budget)
    forest = vote.to_forest(
        band=point.band,
        ports=None if parameters.ports is None else tuple(sorted(parameters.ports)),
        orientation=parameters.orientation,
        directions=parameters.directions,
        prefix=learn.prefix,
        monitor_only=not point.within_budget,
        operating_point=point.to_notes(),
        provenance={
            **(provenance or {}),
            "seed": parameters.seed,
            "learning": {"flows": len(taught), "senders": taught.senders},
            "validation": {"flows": len(weighed), "senders": weighed.senders},
            "scikit-learn": sklearn.__version__,
            "numpy": np.__version__,
        },
    )
    forest.verify()
    return Fit(forest, point)


def fit_stump(learn: FlowSet) -> tuple[DecisionTreeClassifier, str]:
    """The best single split on the same learning rows, at its own threshold, and the split in words."""
    taught = learn.teaching
    stump = DecisionTreeClassifier(max_depth=1, class_weight="balanced", random_state=0).fit(taught.X, taught.y)
    tree = stump.tree_
    if tree.node_count == 1:
        return stump, "no split helps"
    left = int(stump.classes_[np.argmax(tree.value[tree.children_left[0], 0])])
    comparison = "<=" if left == 1 else ">"
    return stump, f"SPAM when {learn.features[tree.feature[0]]} {comparison} {int(np.floor(tree.threshold[0]))}"


def sources_of(paths: Sequence[Path]) -> list[dict[str, str]]:
    """Name and SHA-256 of every file."""
    return [{"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()} for path in paths]
