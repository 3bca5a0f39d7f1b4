"""Which scores a sum of votes can reach: a grid, so that a score can be shown never to occur."""

import math
from collections.abc import Collection, Iterable
from typing import NamedTuple

__all__ = ["ScoreGrid", "score_grid"]


class ScoreGrid(NamedTuple):
    """Every sum of votes is ``base`` plus a multiple of ``step``; step 0 means that it is always ``base``."""

    base: int
    step: int

    def less(self, other: "ScoreGrid") -> "ScoreGrid":
        """The grid of differences between a score of this grid and one of another."""
        return ScoreGrid(self.base - other.base, math.gcd(self.step, other.step))

    def distance(self, score: int) -> int:
        """How far the grid stays from ``score``, 0 when it may lie on it."""
        if not self.step:
            return abs(score - self.base)
        above = (score - self.base) % self.step
        return min(above, self.step - above)


def score_grid(votes: Iterable[Collection[int]]) -> ScoreGrid:
    """The grid of the sums of one vote a tree; ``votes`` holds what each tree can say."""
    base = step = 0
    for values in votes:
        lowest = min(values)
        base += lowest
        step = math.gcd(step, *(value - lowest for value in values))
    return ScoreGrid(base, step)
