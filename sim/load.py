"""Load: another forest for a probe that is running, among the items of a capture."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from compiler.errors import InputError
from compiler.forest import Forest
from compiler.loading import load
from compiler.table_file import table_image_for
from hdl.item import ItemKind

from .items import Item
from .table_loading import chunk_items

__all__ = ["Load", "LoadItems"]


class LoadItems(NamedTuple):
    """A forest, and the chunks of its image behind so many frames."""

    forest: Forest
    chunks: list[Item]
    after: int

    def among(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items with the chunks among them.

        :class:`InputError` when there are fewer frames.
        """
        frames, loaded = 0, False
        for item in items:
            if frames == self.after and not loaded:
                yield from self.chunks
                loaded = True
            frames += item.kind is ItemKind.FRAME
            yield item
        if not loaded:
            raise InputError(f"--load-after: must be at most {frames}, the frames that there are, not {self.after}")


class Load(NamedTuple):
    """What a user says of a load.

    ``path``: file of the forest; ``after``: how many frames are to come before it.
    """

    path: Path
    after: int = 0

    def read(self, export: Path) -> LoadItems:
        """The load for the probe of an export; :class:`InputError` when it cannot take the forest."""
        forest = load(self.path)
        return LoadItems(forest, chunk_items(table_image_for(forest, export)), self.after)
