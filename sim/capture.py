"""Frames of a capture file: pcap and pcapng of either byte order, gzipped or not, read as a stream.

Link layers other than Ethernet are turned into Ethernet (:mod:`sim.link_layers`).

A capture that is cut off or goes wrong in the middle gives what was whole before that point, then a :class:`Cut`.
"""

import gzip
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from compiler.errors import InputError

from .capture_source import MAX_WIRE, CapturedFrame, CutOff, Damaged, Source, check_link_type, frame_of
from .pcapng import PCAPNG_MAGIC, read_pcapng

__all__ = ["CapturedFrame", "Cut", "read_capture"]

MAX_CAPTURED = 262_144
"""Longest captured part that libpcap writes; a larger one is a damaged length."""

_PCAP = {  # magic: byte order, nanoseconds per unit of the fraction of a second
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\x3c\x4d": (">", 1),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
}


class Cut(NamedTuple):
    """Where a capture ended before its end.

    Attributes
    ----------
    packets, offset: whole packets before, and bytes of the unpacked file
    damaged: the file goes on and makes no sense there; else it was cut off
    """

    name: str
    packets: int
    offset: int
    damaged: bool = False

    def __str__(self) -> str:
        what = "damaged" if self.damaged else "cut off"
        return f"{self.name}: {what} after packet {self.packets}, at byte {self.offset}"


def read_capture(path: str | Path, on_cut: Callable[[Cut], None] | None = None) -> Iterator[CapturedFrame]:
    """The Ethernet frames of a capture, in the order of the file.

    Parameters
    ----------
    path:
        A pcap or pcapng file, plain or gzipped.
    on_cut:
        Called once, after the last whole frame, when the file does not end where a packet ends.

    Raises
    ------
    InputError
        When the file is missing, empty or no capture, or holds frames of a link type that is not known.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            start = file.peek(2)[:2]
            if not start:
                raise InputError(f"{path}: is empty")
            with gzip.open(file) if start == b"\x1f\x8b" else file as stream:
                yield from _frames(path, stream, on_cut)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None


def _frames(path: Path, stream: BinaryIO, on_cut: Callable[[Cut], None] | None) -> Iterator[CapturedFrame]:
    source = Source(stream)
    try:
        magic = source.take(4)
    except Damaged:
        raise InputError(f"{path}: is not a capture (pcap or pcapng)") from None
    if magic in _PCAP:
        packets = _pcap(path, source, *_PCAP[magic])
    elif magic == PCAPNG_MAGIC:
        packets = read_pcapng(path, source)
    else:
        raise InputError(f"{path}: is not a capture (pcap or pcapng)")
    count = 0
    try:
        for frame in packets:
            count += 1
            yield frame
    except Damaged as error:
        if not source.whole:
            raise InputError(f"{path}: {'cut off' if isinstance(error, CutOff) else 'damaged'} in its header") from None
        if on_cut is not None:
            on_cut(Cut(str(path), count, source.whole, damaged=not isinstance(error, CutOff)))


def _pcap(path: Path, source: Source, order: str, unit_ns: int) -> Iterator[CapturedFrame]:
    link = struct.unpack(order + "HHiIII", source.take(20))[-1]
    link_type = link & 0xFFFF
    check_link_type(path, link_type)
    # Bit 26 says that the top four bits count the FCS at the end of every frame, in units of two bytes.
    fcs_bytes = 2 * (link >> 28) if link >> 26 & 1 else 0
    header = struct.Struct(order + "IIII")
    source.mark()
    while head := source.take(header.size, may_end=True):
        seconds, fraction, captured, wire = header.unpack(head)
        if captured > MAX_CAPTURED or wire > MAX_WIRE:
            raise Damaged
        data = source.take(captured)
        source.mark()
        yield frame_of(seconds * 1_000_000_000 + fraction * unit_ns, wire, data, fcs_bytes, link_type)
