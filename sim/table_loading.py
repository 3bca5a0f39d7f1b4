"""TableLoading: what becomes of the chunks of table images, the model of chunk reader and table loader."""

import dataclasses
import zlib
from collections.abc import Iterable

from compiler.forest import Forest
from hdl.item import CHUNK_BYTES, ItemKind
from hdl.table_loader import least_image_bytes, size_id
from hdl.walker_parameters import WalkerParameters

from .items import Item

__all__ = ["TableLoading", "chunk_items"]

_CRC_OF_ANY_WITH_ITS_CRC = 0x2144DF1C
"""CRC-32 of all that ends in its own CRC-32, least significant byte first."""

_FIRST, _LAST = 1, 2
"""Bits of the kind of a chunk."""


def chunk_items(image: bytes) -> list[Item]:
    """A table image as items; its size is a multiple of that of a chunk, and at least two of them."""
    if len(image) % CHUNK_BYTES or len(image) < 2 * CHUNK_BYTES:
        raise ValueError(f"An image must be two or more chunks of {CHUNK_BYTES} bytes, not {len(image)} bytes")
    starts = range(0, len(image), CHUNK_BYTES)
    return [
        Item(
            ItemKind(ItemKind.CHUNK | _FIRST * (start == 0) | _LAST * (start == starts[-1])),
            0,
            body=image[start : start + CHUNK_BYTES],
        )
        for start in starts
    ]


class TableLoading:
    """Which forest a probe judges with.

    Parameters
    ----------
    parameters: of its walker
    forests: that the walker holds at the start, and all that an image may be of

    Attributes
    ----------
    forest: in use, or, while there is none, the one before
    incomplete: its only tables have been written over, and no good image has come since
    ended, refused: images that have been judged; those of them that were not used
    """

    def __init__(self, parameters: WalkerParameters, forests: Iterable[Forest]):
        self._size, self._double = parameters.size, parameters.double
        self._forests = {int(forest.id, 16): forest for forest in forests}
        self.forest = self._forests[parameters.forest_id]
        self.incomplete = False
        self.ended = self.refused = 0
        self._image: bytearray | None = None

    def take(self, item: Item) -> None:
        """Take a chunk.

        Raises
        ------
        ValueError
            When a good image is of none of the forests.
        """
        first, last = bool(item.kind & _FIRST), bool(item.kind & _LAST)
        if first:
            if self._image is not None:
                self._refuse()
            self._image = bytearray()
        if self._image is None:
            if last:
                self._refuse()
            return
        self._image += item.body[:CHUNK_BYTES]
        right_size = self._image[:4] == size_id(self._size).to_bytes(4, "big")
        self.incomplete |= right_size and not self._double
        if last:
            self._judge(bytes(self._image), right_size)
            self._image = None

    def _judge(self, image: bytes, right_size: bool) -> None:
        whole = len(image) >= least_image_bytes(self._size)
        if not (right_size and whole and zlib.crc32(image) == _CRC_OF_ANY_WITH_ITS_CRC):
            self._refuse()
            return
        forest_id = int.from_bytes(image[5:9], "big")
        if forest_id not in self._forests:
            raise ValueError(f"An image must be of a forest that is known, not of {forest_id:08x}")
        # The flag is no part of what the id tells.
        self.forest = dataclasses.replace(self._forests[forest_id], monitor_only=bool(image[4] & 1))
        self.incomplete = False
        self.ended += 1

    def _refuse(self) -> None:
        self.refused += 1
        self.ended += 1
