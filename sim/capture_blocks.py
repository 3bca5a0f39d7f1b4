"""Frames of a capture file in blocks of arrays: what sim/capture.py reads frame by frame, many times faster.

The records of pcap files are found and read together. Other files are read frame by frame and packed into blocks.
"""

import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from .capture import Cut, PcapFormat, capture_stream, is_pcap, read_frames, start_pcap
from .capture_source import MAX_WIRE, CapturedFrame, CutOff, Damaged, Source
from .frame_block import FRAME_PADDING, FrameBlock, block_of_frames
from .link_layers import ETHERNET, LINK_LAYERS
from .record_chain import HEADER_BYTES, MAX_CAPTURED, record_headers, record_starts, words_at

__all__ = ["BLOCK_BYTES", "read_blocks"]

BLOCK_BYTES = 4 << 20
"""Of a file in one block: some 50 000 headers, so that what is done once a block does not count."""

_BLOCK_FRAMES = 1 << 16
"""In one block of frames that were read one by one."""

_ETHERNET_HEADER = 14


def read_blocks(
    path: str | Path,
    on_cut: Callable[[Cut], None] | None = None,
    on_progress: Callable[[int], None] | None = None,
    *,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[FrameBlock]:
    """The frames of :func:`sim.capture.read_capture`, in blocks.

    Parameters
    ----------
    path:
        A pcap or pcapng file, plain or gzipped.
    on_cut:
        Called once, after the last whole frame, when the file does not end where a packet ends.
    on_progress:
        Called after every block with the number of bytes that were read of the file as it lies on the disk.
    block_bytes:
        Of the file in a block; more than the longest packet.

    Raises
    ------
    InputError
        When the file is missing, empty or no capture, or holds frames of a link type that is not known; when a packet
        of a pcapng file is dated after 2262.
    """
    if block_bytes < HEADER_BYTES + MAX_CAPTURED:
        raise ValueError(f"Block must hold a packet of {HEADER_BYTES + MAX_CAPTURED} bytes, not only {block_bytes}")
    path = Path(path)
    with capture_stream(path) as stream:
        blocks = (
            _pcap_blocks(path, stream, on_cut, block_bytes)
            if is_pcap(_peek(stream))
            else _packed_blocks(path, stream, on_cut, block_bytes)
        )
        file = stream.fileobj if isinstance(stream, gzip.GzipFile) else stream
        for block in blocks:
            yield block
            if on_progress is not None and file.seekable():
                on_progress(file.tell())


def _peek(stream: BinaryIO) -> bytes:
    """The first four bytes; none when they cannot be read, which the reader that is called then says better."""
    try:
        return stream.peek(4)[:4]
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return b""


def _packed_blocks(
    path: Path, stream: BinaryIO, on_cut: Callable[[Cut], None] | None, block_bytes: int
) -> Iterator[FrameBlock]:
    frames: list[CapturedFrame] = []
    before, size = 0, 0
    for frame in read_frames(path, stream, on_cut):
        frames.append(frame)
        size += len(frame.data)
        if len(frames) == _BLOCK_FRAMES or size >= block_bytes:
            yield block_of_frames(frames, path, before)
            before += len(frames)
            frames, size = [], 0
    if frames:
        yield block_of_frames(frames, path, before)


def _pcap_blocks(
    path: Path, stream: BinaryIO, on_cut: Callable[[Cut], None] | None, block_bytes: int
) -> Iterator[FrameBlock]:
    source = Source(stream)
    layout = start_pcap(path, source)
    data = np.zeros(block_bytes + FRAME_PADDING, np.uint8)
    filled, packets, offset = 0, 0, source.whole
    stopped: type[Exception] | None = None
    while stopped is None:
        filled, stopped = _fill(stream, data[:block_bytes], filled)
        starts = record_starts(data, filled, layout.order)
        seconds, fraction, captured, wire = record_headers(data, starts, layout.order)
        absurd = (captured > MAX_CAPTURED) | (wire > MAX_WIRE)
        ends = starts + HEADER_BYTES + captured
        broken = np.flatnonzero(absurd | (ends > filled))
        count = int(broken[0]) if len(broken) else len(starts)
        if len(broken) and absurd[count]:
            stopped = Damaged
        whole = int(ends[count - 1]) if count else 0
        if count:
            time_ns = seconds[:count] * 1_000_000_000 + fraction[:count] * layout.unit_ns
            yield _ethernet(data, starts[:count] + HEADER_BYTES, captured[:count], wire[:count], time_ns, layout)
        packets += count
        offset += whole
        data[: filled - whole] = data[whole:filled]
        filled -= whole
    if on_cut is not None and (filled or stopped is not EOFError):
        on_cut(Cut(str(path), packets, offset, damaged=stopped is Damaged))


def _fill(stream: BinaryIO, data: np.ndarray, filled: int) -> tuple[int, type[Exception] | None]:
    """How far ``data`` is filled then, and whether that was all: EOFError at the end of the file, CutOff, Damaged."""
    try:
        while filled < len(data):
            if isinstance(stream, gzip.GzipFile):
                # A buffer at a time, as when it is read frame by frame: what is unpacked together with damaged bytes is
                # lost.
                piece = stream.read1(min(len(stream.peek(1)), len(data) - filled))
                count = len(piece)
                data[filled : filled + count] = np.frombuffer(piece, np.uint8)
            else:
                count = stream.readinto(data[filled:].data)
            if not count:
                return filled, EOFError
            filled += count
    except EOFError:
        return filled, CutOff
    except (zlib.error, gzip.BadGzipFile):
        return filled, Damaged
    return filled, None


def _ethernet(
    data: np.ndarray,
    starts: np.ndarray,
    captured: np.ndarray,
    wire: np.ndarray,
    time_ns: np.ndarray,
    layout: PcapFormat,
) -> FrameBlock:
    """The block of frames of any link layer, without the FCS at their ends."""
    if layout.fcs_bytes:
        wire = np.maximum(wire - layout.fcs_bytes, 0)
        captured = np.minimum(captured, wire)
    if layout.link_type == ETHERNET:
        ethertype = words_at(data, 10, ">")[starts].astype(np.int64) & 0xFFFF
        return FrameBlock(data, starts, captured, wire, ethertype, time_ns)
    link = LINK_LAYERS[layout.link_type]
    head = np.stack([data[starts + at] for at in range(link.header + 1)])
    longer = _ETHERNET_HEADER - link.header
    return FrameBlock(
        data,
        starts - longer,
        np.where(captured > link.header, captured + longer, 0),
        np.maximum(wire - link.header, 0) + _ETHERNET_HEADER,
        link.ethertypes(head),
        time_ns,
    )
