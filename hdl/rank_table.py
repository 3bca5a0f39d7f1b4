"""RankTable: the thresholds of a forest as a block RAM is searched for the rank of a feature.

The **rank** of a value is how many thresholds of its feature lie below it. A test ``x <= threshold`` is then one of the
rank and of the threshold's place among those of the feature: nothing is lost, whatever the value is.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .forest_parameters import ForestParameters
from .tree import Node, Tree

__all__ = ["RankTable", "ranked", "with_ranks"]


@dataclass(frozen=True, kw_only=True)
class RankTable:
    """Where in the memory each feature is searched for, and what the memory holds.

    The thresholds of a feature have a block of the memory, with a word for every value that a rank of ``depth`` bits
    can have, at a multiple of its size. Word ``r`` of the block is the threshold that values of rank ``r`` or more are
    above; the first word is not used, and behind the last threshold stands the greatest value, which none is above. So
    the bits of the rank are found one after the other, the highest first: the bit is one if the value is above the word
    at the rank so far with that bit.

    Parameters
    ----------
    thresholds:
        Of every feature, ascending and all different.
    value_bits:
        Of the widest feature.
    """

    thresholds: tuple[tuple[int, ...], ...]
    value_bits: int

    @classmethod
    def of(cls, forest: ForestParameters) -> "RankTable":
        """The table for the tests of a forest."""
        tested = [[] for _ in forest.feature_widths]
        for feature, threshold in forest.thresholds:
            tested[feature].append(threshold)
        return cls(thresholds=tuple(map(tuple, tested)), value_bits=max(forest.feature_widths))

    @functools.cached_property
    def depths(self) -> tuple[int, ...]:
        """Bits of the rank of every feature, and steps of its search."""
        return tuple(max(1, len(found).bit_length()) for found in self.thresholds)

    @functools.cached_property
    def bases(self) -> tuple[int, ...]:
        """Address of the block of every feature: the largest come first, so that each is at a multiple of its size."""
        bases, free = {}, 0
        for feature in sorted(range(len(self.depths)), key=lambda feature: -self.depths[feature]):
            bases[feature] = free
            free += 1 << self.depths[feature]
        return tuple(bases[feature] for feature in range(len(self.depths)))

    @property
    def rank_bits(self) -> int:
        """Of the widest rank."""
        return max(self.depths)

    @property
    def address_bits(self) -> int:
        return (sum(1 << depth for depth in self.depths) - 1).bit_length()

    @functools.cached_property
    def words(self) -> tuple[int, ...]:
        """What the memory holds."""
        greatest = (1 << self.value_bits) - 1
        words = [greatest] * (1 << self.address_bits)
        for base, found in zip(self.bases, self.thresholds, strict=True):
            words[base + 1 : base + 1 + len(found)] = found
        return tuple(words)

    @property
    def search_clocks(self) -> int:
        """Clocks of the search for all features of a flow: a word each, and one to take the feature."""
        return sum(self.depths) + len(self.depths)

    def ranks(self, features: Sequence[int]) -> tuple[int, ...]:
        """The rank of every feature of a flow."""
        return tuple(sum(t < value for t in found) for value, found in zip(features, self.thresholds, strict=True))


def with_ranks(tree: Tree, table: RankTable) -> Tree:
    """The tree that says of ranks what the given one says of features."""
    return tree._replace(
        nodes=tuple(
            node._replace(threshold=table.thresholds[node.feature].index(node.threshold))
            if isinstance(node, Node)
            else node
            for node in tree.nodes
        )
    )


def ranked(forest: ForestParameters) -> tuple[RankTable, ForestParameters]:
    """The table of a forest, and the forest of ranks that answers as it does."""
    table = RankTable.of(forest)
    trees = tuple(with_ranks(tree, table) for tree in forest.trees)
    return table, replace(forest, feature_widths=table.depths, trees=trees)
