"""Loads for the check of a probe: a damaged image and a good one of another forest, in the middle of its traffic."""

import dataclasses
import itertools
import random
from collections.abc import Sequence
from typing import NamedTuple

from compiler.forest import Forest
from compiler.plan import forest_parameters
from hdl.item import CHUNK_BYTES
from hdl.table_loader import table_image
from hdl.tree import Leaf
from hdl.walker_parameters import WalkerParameters

from .items import Item
from .table_loading import chunk_items

__all__ = ["LoadedItems", "fitting", "image_of", "mirrored", "with_loads"]


class LoadedItems(NamedTuple):
    """Items with chunks among them, and the forest that is in use behind them."""

    items: list[Item]
    forest: Forest


def mirrored(forest: Forest) -> Forest:
    """A forest of the same size that answers otherwise: in each tree the least leaf is the greatest, and so on.

    What is for monitoring only is not, and the other way round.
    """
    trees = []
    for tree in forest.trees:
        values = sorted({node.value for node in tree.nodes if isinstance(node, Leaf)})
        opposite = dict(zip(values, reversed(values), strict=True))
        nodes = tuple(Leaf(opposite[node.value]) if isinstance(node, Leaf) else node for node in tree.nodes)
        trees.append(tree._replace(nodes=nodes))
    return dataclasses.replace(forest, trees=tuple(trees), monitor_only=not forest.monitor_only)


def with_loads(items: Sequence[Item], forest: Forest, parameters: WalkerParameters, *, seed: int) -> LoadedItems:
    """A damaged image from a third of the items on, a good one from their middle on, a chunk between any two items.

    Parameters
    ----------
    forest: of the probe
    parameters: of its walker
    """
    another, image = fitting(forest, parameters)
    bent = bytearray(image)
    rng = random.Random(seed)
    # Not in what tells the size: the walker is to write what it has to throw away.
    bent[rng.randrange(CHUNK_BYTES, len(bent))] ^= 1 << rng.randrange(8)
    third, half = len(items) // 3, len(items) // 2
    parts = (
        items[:third],
        _mixed(chunk_items(bytes(bent)), items[third:half]),
        _mixed(chunk_items(image), items[half:]),
    )
    return LoadedItems(list(itertools.chain(*parts)), another)


def fitting(forest: Forest, parameters: WalkerParameters) -> tuple[Forest, bytes]:
    """Another forest for the walker and its image; the same one again where the walker has no room for the other."""
    other = mirrored(forest)
    for candidate in (other, dataclasses.replace(forest, monitor_only=other.monitor_only)):
        try:
            return candidate, image_of(candidate, parameters)
        except ValueError:
            continue
    raise AssertionError("A walker must have room for its own forest")


def image_of(forest: Forest, parameters: WalkerParameters) -> bytes:
    """The image of a forest for a walker; :class:`ValueError` when it is too large."""
    forest_id = int(forest.id, 16)
    return table_image(forest_parameters(forest), parameters.size, forest_id, monitor_only=forest.monitor_only)


def _mixed(chunks: Sequence[Item], items: Sequence[Item]) -> list[Item]:
    pairs = itertools.zip_longest(chunks, items)
    return [item for pair in pairs for item in pair if item is not None]
