"""ForestParameters: everything that a forest circuit is made from, and the payloads of its streams."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import Shape, signed
from amaranth.lib import data

from .tree import Leaf, Node, Tree

__all__ = ["ForestParameters"]


@dataclass(frozen=True, kw_only=True)
class ForestParameters:
    """What a forest circuit computes: the same for every architecture.

    Parameters
    ----------
    feature_widths:
        Bits of every feature, in the order of the input.
    trees:
        The trees; the features of their nodes are positions in ``feature_widths``.
    lo, hi:
        The band: a score above ``hi`` is SPAM, below ``lo`` BACKGROUND, else UNCERTAIN.
    classes:
        How many classes have a score of their own, the highest of which is the answer; 0 for one score and the band.
    """

    feature_widths: tuple[int, ...]
    trees: tuple[Tree, ...]
    lo: int = 0
    hi: int = 0
    classes: int = 0

    def __post_init__(self):
        if not self.feature_widths or min(self.feature_widths) < 1:
            raise ValueError(f"Feature widths must be at least one and positive, not {self.feature_widths!r}")
        if not self.trees:
            raise ValueError("Trees must be at least one, not none")
        if self.lo > self.hi:
            raise ValueError(f"Band must have lo <= hi, not {self.lo!r} > {self.hi!r}")
        if self.classes == 1 or {tree.class_index for tree in self.trees} != set(range(self.classes or 1)):
            raise ValueError(f"Trees must be of each of {self.classes or 1} scores, of several classes at least 2")
        for index, tree in enumerate(self.trees):
            for at, node in enumerate(tree.nodes):
                if not isinstance(node, Leaf):
                    self._check_node(f"Tree {index}, node {at}", node)

    def _check_node(self, place: str, node: Node) -> None:
        if node.feature not in range(len(self.feature_widths)):
            raise ValueError(f"{place}: feature must be below {len(self.feature_widths)}, not {node.feature!r}")
        width = self.feature_widths[node.feature]
        if node.threshold not in range(1 << width):
            raise ValueError(f"{place}: threshold must fit unsigned({width}), not {node.threshold!r}")

    @property
    def features_layout(self) -> data.StructLayout:
        """Payload of the input stream: feature 0 in the least significant bits."""
        return data.StructLayout({f"feature_{index}": width for index, width in enumerate(self.feature_widths)})

    @functools.cached_property
    def score_shape(self) -> Shape:
        """The narrowest signed integer that holds every sum of votes, of whatever class."""
        return max(self.score_shapes, key=lambda shape: shape.width)

    @functools.cached_property
    def score_shapes(self) -> tuple[Shape, ...]:
        """The narrowest signed integer for the score of every class, or for the one there is."""
        return tuple(
            _sum_shape([[tree.weight * value for value in tree.leaf_values] for tree in self.trees_of(index)])
            for index in range(self.classes or 1)
        )

    def trees_of(self, index: int) -> tuple[Tree, ...]:
        """The trees that vote for a class."""
        return tuple(tree for tree in self.trees if tree.class_index == index)

    @property
    def answer_layout(self) -> data.StructLayout:
        """Payload of the output stream: the score and the verdict, or the highest score and the class it is of."""
        if self.classes:
            return data.StructLayout({"score": self.score_shape, "class_index": range(self.classes)})
        return data.StructLayout({"score": self.score_shape, "verdict": signed(2)})

    @functools.cached_property
    def thresholds(self) -> tuple[tuple[int, int], ...]:
        """Every distinct (feature, threshold) that a node tests, in ascending order."""
        return tuple(sorted({node[:2] for tree in self.trees for node in tree.nodes if not isinstance(node, Leaf)}))

    def thresholds_of(self, feature: int) -> tuple[int, ...]:
        """The distinct thresholds of a feature, in ascending order."""
        return tuple(threshold for tested, threshold in self.thresholds if tested == feature)


def _sum_shape(votes: Sequence[Sequence[int]]) -> Shape:
    ends = sum(map(min, votes)), sum(map(max, votes))
    return signed(1 + max((end if end >= 0 else ~end).bit_length() for end in ends))
