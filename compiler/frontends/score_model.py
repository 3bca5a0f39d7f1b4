"""ScoreModel: a sum of real leaf scores and what its sign means; the one form in which front ends give a model.

Integer leaves
    When one common factor turns all scores into integers below 2**16, those are the leaves and nothing is rounded:
    hard votes and pure leaves become +1 and −1. Else a leaf is ``round(score * 2**F)`` with the largest F, at most
    ``fraction_bits``, with which the sum fits; ``score_error`` adds up the rounding of all trees and the library's own
    bound of floating-point error. The score of exact votes counts in steps of that common factor.
Ties
    A forest calls a score of 0 UNCERTAIN, a library gives it to one of the classes. If votes of whole steps can sum up
    to 0 at all, every vote is doubled (a tree's weight becomes even) and a tree of one leaf adds the odd constant that
    takes 0 to the side of the library's class: −1, or +1 for a library that decides ``score >= 0``. All other signs
    stay. A forest without rounding has ``score_error`` 0, though this constant shifts its score.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from hdl.tree import Leaf, Tree

from ..errors import InputError
from ..forest import Column, Forest
from ..score_grid import score_grid
from .rounding import (
    FRACTION_BITS,
    bound,
    check_fraction_bits,
    exact_scale,
    fraction_for,
    integer_tree,
    rounded,
)
from .score_tree import ScoreTree

__all__ = ["FRACTION_BITS", "ScoreModel", "is_dyadic", "sum_error"]


@dataclass(frozen=True, kw_only=True)
class ScoreModel:
    """The real score ``constant`` + Σ leaf: positive is the second class.

    Parameters
    ----------
    tie:
        The verdict at score 0: +1 or −1.
    noise:
        Upper bound of what the library's floating-point arithmetic adds to the real score before it decides.
    """

    trees: tuple[ScoreTree, ...]
    constant: Fraction = Fraction(0)
    tie: int = -1
    noise: Fraction = Fraction(0)

    def forest(
        self,
        name: str,
        columns: tuple[Column, ...],
        provenance: dict[str, str],
        fraction_bits: int = FRACTION_BITS,
        *,
        catalogue: bool = True,
    ) -> Forest:
        """The verified forest of integer leaves; ``catalogue`` as of :meth:`Forest.verify`."""
        check_fraction_bits(fraction_bits)
        scale = exact_scale(self.values, self.reach)
        exact = scale is not None
        fraction = 0 if exact else fraction_for(self.reach, len(self.trees), fraction_bits)
        scale = scale if exact else Fraction(1 << fraction)
        constant, rounding = rounded(self.constant, scale)
        votes: list[dict[Fraction, int]] = []
        for tree in self.trees:
            each = {score: rounded(score, scale) for score in tree.scores}
            votes.append({score: vote for score, (vote, _) in each.items()})
            rounding += max(error for _, error in each.values())
        off = rounding + self.noise * scale

        ties = score_grid([{constant}, *(frozenset(each.values()) for each in votes)]).distance(0) == 0
        if ties:
            constant = 2 * constant + self.tie
            off = 2 * off + 1 if off else off
            fraction += not exact
        trees = [integer_tree(tree, each, 2 if ties else 1) for tree, each in zip(self.trees, votes, strict=True)]
        if constant or not trees:
            trees.append(Tree(1, (Leaf(constant),)))
        forest = Forest(
            name=name,
            columns=columns,
            trees=tuple(trees),
            provenance=provenance,
            score_fraction=fraction,
            score_error=bound(off / (1 << fraction)),
        )
        forest.verify(catalogue=catalogue)
        return forest

    @property
    def values(self) -> frozenset[Fraction]:
        """The constant and all leaf scores."""
        return frozenset({self.constant}.union(*(tree.scores for tree in self.trees)))

    @property
    def reach(self) -> Fraction:
        """Upper bound of the absolute score."""
        return abs(self.constant) + sum(max(map(abs, tree.scores)) for tree in self.trees)


def sum_error(terms: int, magnitude: Fraction, precision: int = 53) -> Fraction:
    """Upper bound of the error of a floating-point sum of rounded products, in any order.

    Higham, Accuracy and Stability of Numerical Algorithms (2002), 3.1 and 4.2: γ(k) · Σ|x|, γ(k) = ku / (1 − ku), for
    k roundings on the way of a term and u = 2**-precision.

    Parameters
    ----------
    terms: summands; each passes at most that many roundings, and four of its own: leaf, weight, product and division
    magnitude: upper bound of the sum of their absolute values
    precision: bits of a significand, 53 for float64, 24 for float32
    """
    roundings = Fraction(terms + 4, 1 << precision)
    if roundings >= 1:
        raise InputError(f"estimator must have fewer than {1 << precision} trees, not {terms}")
    return roundings / (1 - roundings) * magnitude


def is_dyadic(scores: Iterable[Fraction]) -> bool:
    """Whether floating point adds these up without any rounding: few bits behind the point, few before it."""
    return all(
        score.denominator <= 1 << 16 and score.denominator.bit_count() == 1 and abs(score) < 1 << 8 for score in scores
    )
