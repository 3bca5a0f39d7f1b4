"""FrameBlock: many frames of a capture as arrays, for whoever works on all of them at once."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from compiler.errors import InputError

from .capture_source import CapturedFrame

__all__ = ["FRAME_PADDING", "FrameBlock", "block_of_frames"]

FRAME_PADDING = 128
"""Bytes behind the last frame in a block's data, so that headers can be read where none are: more than all headers."""

_MAX_TIME_NS = 1 << 63
_HEADER = 14


class FrameBlock(NamedTuple):
    """Frames in the order of the capture.

    Attributes
    ----------
    data:
        Bytes that the frames lie in, and at least FRAME_PADDING more (uint8). It is overwritten by the next block.
    starts:
        Where each frame begins, or where it would begin if it were Ethernet: its packet is 14 bytes on (int64).
    captured:
        Bytes captured from there on (int64).
    wire:
        Length on the wire, as Ethernet without FCS (int64).
    ethertype:
        EtherType of each frame; without meaning where fewer than 14 bytes were captured (int64).
    time_ns:
        Since 1970 (int64).
    """

    data: np.ndarray
    starts: np.ndarray
    captured: np.ndarray
    wire: np.ndarray
    ethertype: np.ndarray
    time_ns: np.ndarray

    def take(self, chosen: slice | np.ndarray) -> "FrameBlock":
        """Some of the frames, in the same data."""
        return FrameBlock(self.data, *(column[chosen] for column in self[1:]))


def block_of_frames(frames: Sequence[CapturedFrame], place: object, before: int) -> FrameBlock:
    """The block of these frames; errors name ``place`` and count the packets ``before``.

    Raises
    ------
    InputError
        When a time does not fit in 63 bits: it is after the year 2262.
    """
    for number, frame in enumerate(frames, before + 1):
        if frame.time_ns >= _MAX_TIME_NS:
            raise InputError(f"{place}: packet {number} is dated after the year 2262")
    data = np.frombuffer(b"".join([*(frame.data for frame in frames), bytes(FRAME_PADDING)]), np.uint8)
    captured = np.array([len(frame.data) for frame in frames], np.int64)
    starts = np.cumsum(captured) - captured
    ethertype = data[starts + _HEADER - 2].astype(np.int64) << 8 | data[starts + _HEADER - 1]
    wire = np.array([frame.wire_length for frame in frames], np.int64)
    return FrameBlock(data, starts, captured, wire, ethertype, np.array([frame.time_ns for frame in frames], np.int64))
