"""A forest that goes on learning: new trees beside the old ones, all weighed on newer flows, the weakest dropped."""

from dataclasses import dataclass, replace

import numpy as np

from compiler.errors import InputError
from compiler.features import CATALOGUE
from compiler.forest import Column, Forest, Node, Tree

from .ensemble import WEIGHT_STEPS
from .fitting import Fit, FitParameters, fit_forest
from .flow_set import FlowSet, said_of, split_senders
from .operating_point import choose_band
from .senders.list_score import choose_list_score

__all__ = ["Grown", "add_trees"]


@dataclass(frozen=True)
class Grown:
    """The forest with its new band, and how many of its trees are old and new ones."""

    fit: Fit
    old: int
    new: int


def add_trees(forest: Forest, flows: FlowSet, parameters: FitParameters, cap: int) -> Grown:
    """Add trees that learn from newer flows, and keep the ``cap`` strongest of all.

    Of the newer senders two thirds teach. Then all trees, old and new, are weighed alike on the last third, by the
    share of flows they are right about, and the band is chosen there.
    """
    if forest.classes:
        raise InputError(f"forest {forest.name!r}: must be one of verdicts, not of {len(forest.classes)} classes")
    if forest.prefix != flows.prefix:
        raise InputError(
            f"{flows.name}: must hold {said_of(forest.prefix)} as forest {forest.id}, not {said_of(flows.prefix)}"
        )
    learn, weigh = split_senders(flows, (2, 1), parameters.seed)
    for part in (learn, weigh):
        if not (np.any(part.target == 1) and np.any(part.target == -1)):
            raise InputError(f"{flows.name}: must hold spam and legitimate flows of several senders each")
    fresh = fit_forest(learn, parameters).forest
    names = tuple(dict.fromkeys((*forest.feature_names, *fresh.feature_names)))
    columns = tuple(Column(f.name, f.bits, f.fraction, f.unit) for f in map(CATALOGUE.__getitem__, names))
    taught = weigh.teaching
    X, target = taught.columns(names), taught.target
    votes = []
    for source, is_new in ((forest, False), (fresh, True)):
        places = [names.index(name) for name in source.feature_names]
        for tree in source.trees:
            placed = _placed(tree, places)
            alone = replace(forest, columns=columns, trees=(placed._replace(weight=1),))
            right = float(np.mean(np.sign(alone.score(X)) == target))
            votes.append((round(right * WEIGHT_STEPS), is_new, placed))
    strongest = sorted(range(len(votes)), key=lambda at: -votes[at][0])[:cap]
    kept = [votes[at] for at in sorted(strongest) if votes[at][0]]
    joined = replace(
        forest,
        columns=columns,
        trees=tuple(tree._replace(weight=weight) for weight, _, tree in kept),
        validation_rows=WEIGHT_STEPS,
    )
    joined = _without_unused(joined)
    scores, legitimate = joined.score(weigh.columns(joined.feature_names)), weigh.is_legitimate
    point = choose_band(scores[legitimate], weigh.sender[legitimate], scores[weigh.is_spam], parameters.budget)
    joined = replace(
        joined,
        band=point.band,
        monitor_only=not point.within_budget,
        operating_point=point.to_notes()
        | {
            "measured_on": "the newer senders that weighed the trees",
            "list": choose_list_score(scores, weigh).to_notes(),
        },
        provenance={**fresh.provenance, "added_to": forest.id},
    )
    joined.verify()
    new = sum(is_new for _, is_new, _ in kept)
    return Grown(Fit(joined, point, scores), len(kept) - new, new)


def _placed(tree: Tree, places: list[int]) -> Tree:
    nodes = (node._replace(feature=places[node.feature]) if isinstance(node, Node) else node for node in tree.nodes)
    return tree._replace(nodes=tuple(nodes))


def _without_unused(forest: Forest) -> Forest:
    """A probe measures every column of a forest, so those that no tree tests are left out."""
    used = [at for at, thresholds in enumerate(forest.thresholds()) if thresholds] or [0]
    places = {at: place for place, at in enumerate(used)}
    trees = tuple(_placed(tree, [places.get(at, 0) for at in range(len(forest.columns))]) for tree in forest.trees)
    return replace(forest, columns=tuple(forest.columns[at] for at in used), trees=trees)
