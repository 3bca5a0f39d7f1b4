"""The item stream between link and probe: frames, ticks and flushes, each with its time and wire length, and more."""

import enum

from amaranth.lib import data

__all__ = ["CHUNK_BYTES", "ITEM_HEADER_BYTES", "OF_THE_LINK", "SETUP_BODY_BYTES", "FrameOutcome", "ItemKind"]
__all__ += ["WORD_BYTES", "WORD_PADDING", "framed", "framed_words", "item_bytes", "padded", "setup_body"]

ITEM_HEADER_BYTES = 8
"""Kind (1 byte), wire length (3 bytes), time in milliseconds (4 bytes), all in network byte order."""

SETUP_BODY_BYTES = 20

WORD_BYTES = 4
"""Of the words that headers are read in."""

WORD_PADDING = 2
"""Zero bytes between the header of an item and its frame in a stream of words: every header behind Ethernet's addresses
and type then begins with a word of four bytes, whatever tags there are."""

CHUNK_BYTES = 32
"""Of a table image in each item that carries a part of it."""


class ItemKind(enum.IntEnum):
    """First byte of an item."""

    FRAME = 0
    TICK = 1
    FLUSH = 2
    SETUP = 3
    """With the epoch (8 bytes, milliseconds since 1970), the secret key (8 bytes) and the export time (4 bytes)."""
    CHUNK = 4
    """A part of a table image. Bit 0 of a kind from here on: it is the first of its image; bit 1: it is the last."""
    FIRST_CHUNK = 5
    LAST_CHUNK = 6
    ONLY_CHUNK = 7
    """No image is so short, so it is refused."""

    @property
    def is_chunk(self) -> bool:
        """Whether it carries a part of a table image."""
        return self >= ItemKind.CHUNK


class FrameOutcome(enum.IntEnum):
    """Where a frame ended: every frame is counted under exactly one of these."""

    USED = 0
    NOT_IP = 1
    ENCAPSULATED = 2
    """Labels above something else than IP."""
    NOT_TCP = 3
    TUNNEL = 4
    """IP in IP, GRE or VXLAN: what is inside is not followed."""
    FRAGMENT = 5
    MALFORMED = 6
    BAD_CHECKSUM = 7
    """Of an IPv4 header; only where checksums are looked at."""
    TRUNCATED = 8
    UNTRACKED = 9
    NOT_READY = 10
    OVERRUN = 11
    BAD_FCS = 12
    """Damaged on the wire, or not a frame at all; only where the link reads the wire itself."""


OF_THE_LINK = frozenset({FrameOutcome.OVERRUN, FrameOutcome.BAD_FCS})
"""Outcomes that a link counts: those frames do not reach the header parser."""


def framed(width: int) -> data.StructLayout:
    """Payload of a framed stream: ``data``, and whether it is the first or the last of its frame."""
    return data.StructLayout({"data": width, "first": 1, "last": 1})


def framed_words(size: int) -> data.StructLayout:
    """Payload of a framed stream of ``size`` bytes a clock, the first in the most significant place of ``data``.

    ``bytes`` of them count: all of them in every word but the last, 1 or more in that.
    """
    return data.StructLayout({"data": 8 * size, "bytes": range(size + 1), "first": 1, "last": 1})


def item_bytes(kind: ItemKind, *, time_ms: int = 0, wire_length: int = 0, body: bytes = b"") -> bytes:
    """An item as it goes over the link; ``body`` is the captured part of a frame, or the seconds of a tick."""
    return bytes([kind]) + wire_length.to_bytes(3, "big") + time_ms.to_bytes(4, "big") + body


def padded(item: bytes) -> bytes:
    """An item as it goes over a stream of words."""
    if item[:1] != bytes([ItemKind.FRAME]) or len(item) < ITEM_HEADER_BYTES:
        return item
    return item[:ITEM_HEADER_BYTES] + bytes(WORD_PADDING) + item[ITEM_HEADER_BYTES:]


def setup_body(key: int, epoch_ms: int, seconds: int) -> bytes:
    """What follows the header of a set-up item."""
    return epoch_ms.to_bytes(8, "big") + key.to_bytes(8, "big") + seconds.to_bytes(4, "big")
