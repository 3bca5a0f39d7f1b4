"""From real leaf scores to integers: exactly, where one small factor does it for all, else rounded."""

import math
from collections.abc import Collection
from fractions import Fraction

from hdl.tree import Leaf, Node, Tree

from ..errors import InputError
from ..forest_rules import MAX_SCORE, SCORE_BITS
from .score_tree import ScoreTree

__all__ = ["FRACTION_BITS", "bound", "check_fraction_bits", "exact_scale", "fraction_for", "integer_tree", "rounded"]

FRACTION_BITS = 16
"""Fraction bits of a rounded leaf, unless the sum leaves fewer or the caller asks for others."""

_EXACT_BELOW = 1 << 16
# Doubled for ties, one bit more, and still inside the score.
_MOST_FRACTION_BITS = SCORE_BITS - 2


def check_fraction_bits(fraction_bits: int) -> None:
    if not 0 <= fraction_bits <= _MOST_FRACTION_BITS:
        raise InputError(f"fraction_bits must be from 0 to {_MOST_FRACTION_BITS}, not {fraction_bits}")


def exact_scale(scores: Collection[Fraction], reach: Fraction) -> Fraction | None:
    """The factor that turns all scores into the smallest integers, if these are small and so is their sum ``reach``."""
    largest = max(map(abs, scores))
    # The greatest fraction that all scores are multiples of.
    common = Fraction(0)
    for score in scores:
        common = Fraction(math.gcd(common.numerator, score.numerator), math.lcm(common.denominator, score.denominator))
        if largest >= common * _EXACT_BELOW and common:
            return None
    scale = 1 / common if common else Fraction(1)
    return scale if 2 * reach * scale < MAX_SCORE else None


def fraction_for(reach: Fraction, trees: int, most: int) -> int:
    """The most fraction bits, up to ``most``, with which a sum of rounded scores fits, doubled or not."""
    # Doubled, with up to half a step of rounding in every tree, and with the constant that settles ties.
    room = Fraction(MAX_SCORE - 1, 2) - trees - 1
    for fraction in range(most, -1, -1):
        if reach * (1 << fraction) <= room:
            return fraction
    raise InputError(f"scores must fit a signed integer of 32 bits, but reach {float(reach):.6g}")


def rounded(score: Fraction, scale: Fraction) -> tuple[int, Fraction]:
    """The nearest integer of a scaled score, and how far off it is."""
    vote = round(score * scale)
    return vote, abs(vote - score * scale)


def integer_tree(tree: ScoreTree, votes: dict[Fraction, int], factor: int = 1, class_index: int = 0) -> Tree:
    """The integer tree: what its votes have in common is its weight."""
    weight = math.gcd(*votes.values()) or 1
    nodes = (node if isinstance(node, Node) else Leaf(votes[node.value] // weight) for node in tree.nodes)
    return Tree(weight * factor, tuple(nodes), class_index)


def bound(error: Fraction) -> float:
    """A float that is not below an error."""
    return math.nextafter(float(error), math.inf) if error else 0.0
