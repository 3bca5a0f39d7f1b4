"""What readers of capture files share: the frame they give, the bytes they take, and when those make no sense."""

import gzip
import zlib
from typing import BinaryIO, NamedTuple

from compiler.errors import InputError

from .link_layers import ETHERNET, LINK_LAYERS

__all__ = ["MAX_WIRE", "CapturedFrame", "CutOff", "Damaged", "Source", "check_link_type", "frame_of"]

MAX_WIRE = 0xFF_FFFF
"""Longest frame an item can carry; a longer one is a damaged length."""


class CapturedFrame(NamedTuple):
    """One frame: when it was seen, how long it was on the wire (without FCS), and the bytes that were kept."""

    time_ns: int
    wire_length: int
    data: bytes


def check_link_type(place: object, link_type: int) -> None:
    """Refuse a link type that cannot be read."""
    if link_type != ETHERNET and link_type not in LINK_LAYERS:
        known = ", ".join(map(str, sorted([ETHERNET, *LINK_LAYERS])))
        raise InputError(
            f"{place}: link type must be Ethernet (1) or another that carries IP ({known}), not {link_type}"
        )


def frame_of(time_ns: int, wire: int, data: bytes, fcs_bytes: int, link_type: int) -> CapturedFrame:
    """A frame as Ethernet, without the FCS that the capture has at its end."""
    if fcs_bytes:
        wire = max(wire - fcs_bytes, 0)
        data = data[:wire]
    if link_type != ETHERNET:
        data, wire = LINK_LAYERS[link_type].as_ethernet(data, wire)
    return CapturedFrame(time_ns, wire, data)


class Damaged(Exception):
    """The file stops making sense inside a packet or block."""


class CutOff(Damaged):
    """The file ends inside a packet or block."""


class Source:
    """Reads exactly as many bytes as are asked for, and remembers where the last whole piece ended."""

    def __init__(self, stream: BinaryIO):
        self._stream = stream
        self._position = 0
        self.whole = 0

    def take(self, count: int, *, may_end: bool = False) -> bytes:
        """The next ``count`` bytes; none at all when the file ends right here and ``may_end`` allows it."""
        try:
            data = self._stream.read(count)
        except EOFError as error:
            raise CutOff from error
        except (zlib.error, gzip.BadGzipFile) as error:
            raise Damaged from error
        self._position += len(data)
        if len(data) < count and not (may_end and not data):
            raise CutOff
        return data

    def mark(self) -> None:
        """All that was read so far is whole."""
        self.whole = self._position
