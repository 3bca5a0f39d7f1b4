"""ClassScores: a sum of real leaf scores for each of several classes, the highest of which is the answer.

Leaves become integers by one factor for all classes, exactly or rounded as in :mod:`~compiler.frontends.score_model`.
Libraries give a tie to the class of the lowest index, as a forest does, so exact scores need nothing for ties.
``score_error`` bounds the difference of any two scores: the two largest errors of classes together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from hdl.tree import Leaf, Tree

from ..forest import Column, Forest
from .rounding import (
    FRACTION_BITS,
    bound,
    check_fraction_bits,
    exact_scale,
    fraction_for,
    integer_tree,
    rounded,
)
from .score_model import ScoreModel

__all__ = ["ClassScores"]


@dataclass(frozen=True, kw_only=True)
class ClassScores:
    """The real score of every class.

    Parameters
    ----------
    classes:
        Their names.
    scores:
        As many models, whose ``tie`` says nothing.
    """

    classes: tuple[str, ...]
    scores: tuple[ScoreModel, ...]

    def forest(
        self, name: str, columns: tuple[Column, ...], provenance: dict[str, str], fraction_bits: int = FRACTION_BITS
    ) -> Forest:
        """The verified forest of integer leaves."""
        check_fraction_bits(fraction_bits)
        reach = max(model.reach for model in self.scores)
        scale = exact_scale({score for model in self.scores for score in model.values}, reach)
        fraction = 0
        if scale is None:
            most_trees = max(len(model.trees) for model in self.scores)
            fraction = fraction_for(reach, most_trees, fraction_bits)
            scale = Fraction(1 << fraction)
        trees: list[Tree] = []
        errors = []
        for index, model in enumerate(self.scores):
            made, error = _integers(model, scale, index)
            trees += made
            errors.append(error)
        forest = Forest(
            name=name,
            columns=columns,
            trees=tuple(trees),
            provenance=provenance,
            score_fraction=fraction,
            score_error=bound(sum(sorted(errors)[-2:]) / (1 << fraction)),
            classes=self.classes,
        )
        forest.verify()
        return forest


def _integers(model: ScoreModel, scale: Fraction, index: int) -> tuple[Sequence[Tree], Fraction]:
    """The trees of a class, and how far their sum can be from its real score, in steps of the integers."""
    constant, error = rounded(model.constant, scale)
    trees = []
    for tree in model.trees:
        votes = {score: rounded(score, scale) for score in tree.scores}
        trees.append(integer_tree(tree, {score: vote for score, (vote, _) in votes.items()}, class_index=index))
        error += max(off for _, off in votes.values())
    if constant or not trees:
        trees.append(Tree(1, (Leaf(constant),), index))
    return trees, error + model.noise * scale
