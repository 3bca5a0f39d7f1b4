"""A weighted sum of what single trees say: of two classes +1 or −1, of several 1 for the one they say."""

from collections.abc import Sequence
from fractions import Fraction

from .score_model import ScoreModel, is_dyadic, sum_error
from .score_tree import ScoreTree

__all__ = ["weighted_signs"]


def weighted_signs(trees: Sequence[ScoreTree], weights: Sequence[Fraction]) -> ScoreModel:
    """Real score: Σ weight · leaf, which the library adds up in float64; without rounding where the weights allow it.

    Leaves are −1, 0 or 1.
    """
    magnitude = sum(map(abs, weights), Fraction(0))
    return ScoreModel(
        trees=tuple(tree.times(weight) for tree, weight in zip(trees, weights, strict=True)),
        noise=Fraction(0) if is_dyadic(weights) else sum_error(len(trees), magnitude),
    )
