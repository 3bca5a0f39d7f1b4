"""Frames of blocks, and frames that were read one by one, in one form to compare."""

from collections.abc import Iterable

from sim.capture_source import CapturedFrame
from sim.frame_block import FrameBlock

__all__ = ["SeenFrame", "frames_of", "seen"]

SeenFrame = tuple[int, int, int, int, bytes]
"""Time in nanoseconds, wire length, captured bytes, EtherType, and the bytes behind it; these are all that counts."""


def seen(frames: Iterable[CapturedFrame]) -> list[SeenFrame]:
    return [
        (frame.time_ns, frame.wire_length, *_seen(frame.data, int.from_bytes(frame.data[12:14], "big")))
        for frame in frames
    ]


def frames_of(block: FrameBlock) -> list[SeenFrame]:
    columns = (block.time_ns, block.wire, block.starts, block.captured, block.ethertype)
    return [
        (time_ns, wire, *_seen(bytes(block.data[start : start + captured]), ethertype))
        for time_ns, wire, start, captured, ethertype in zip(*(column.tolist() for column in columns), strict=True)
    ]


def _seen(data: bytes, ethertype: int) -> tuple[int, int, bytes]:
    return len(data), ethertype if len(data) >= 14 else 0, data[14:]
