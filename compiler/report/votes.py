"""What a leaf says, in words and as a kind that the style sheet knows.

The one place that knows there are two sides; a forest with a score for every class needs more kinds here, and colours
for them in the style sheet.
"""

from typing import NamedTuple

from hdl.tree import Leaf, Tree

__all__ = ["Vote", "signed", "vote_of"]


class Vote(NamedTuple):
    """Of one leaf of one tree.

    Attributes
    ----------
    kind:
        Its class in the style sheet.
    word:
        The side it is on.
    amount:
        What it adds to the score, with its sign.
    """

    kind: str
    word: str
    amount: str


def vote_of(tree: Tree, leaf: Leaf) -> Vote:
    """The vote of a tree when this leaf is reached."""
    value = tree.weight * leaf.value
    if value > 0:
        return Vote("spam", "SPAM", signed(value))
    if value < 0:
        return Vote("background", "BACKGROUND", signed(value))
    return Vote("neither", "neither", "0")


def signed(value: int) -> str:
    """A number with its sign, and a minus that is as wide as a plus."""
    return f"{value:+d}".replace("-", "−") if value else "0"
