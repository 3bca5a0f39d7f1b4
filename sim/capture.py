"""Frames of a capture file: pcap and pcapng of either byte order, gzipped or not, read as a stream.

Link layers other than Ethernet are turned into Ethernet (:mod:`sim.link_layers`).

A capture that is cut off or goes wrong in the middle gives what was whole before that point, then a :class:`Cut`.
"""

import contextlib
import gzip
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from compiler.errors import InputError

from .capture_source import MAX_WIRE, CapturedFrame, CutOff, Damaged, Source, check_link_type, frame_of
from .pcapng import PCAPNG_MAGIC, read_pcapng
from .record_chain import MAX_CAPTURED

__all__ = [
    "CapturedFrame",
    "Cut",
    "PcapFormat",
    "capture_stream",
    "is_pcap",
    "read_capture",
    "read_frames",
    "start_pcap",
]

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
    with capture_stream(path) as stream:
        yield from read_frames(path, stream, on_cut)


@contextlib.contextmanager
def capture_stream(path: Path) -> Iterator[BinaryIO]:
    """The unpacked bytes of a capture; while it is open, errors of the system become InputError."""
    try:
        with path.open("rb") as file:
            start = file.peek(2)[:2]
            if not start:
                raise InputError(f"{path}: is empty")
            with gzip.open(file) if start == b"\x1f\x8b" else file as stream:
                yield stream
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None


class PcapFormat(NamedTuple):
    """What the header of a pcap file says about the records behind it.

    Attributes
    ----------
    order: byte order, ``<`` or ``>``
    unit_ns: nanoseconds per unit of the fraction of a second
    fcs_bytes: of every frame, at its end
    """

    order: str
    unit_ns: int
    link_type: int
    fcs_bytes: int


def is_pcap(start: bytes) -> bool:
    """Whether a file that starts so is a pcap file."""
    return start[:4] in _PCAP


def start_pcap(path: Path, source: Source) -> PcapFormat:
    """Take the header of a pcap file.

    Raises
    ------
    InputError
        When it is not whole or its link type is not known.
    """
    try:
        return _pcap_header(path, source, source.take(4))
    except Damaged as error:
        raise _bad_header(path, error) from None


def _bad_header(path: Path, error: Damaged) -> InputError:
    return InputError(f"{path}: {'cut off' if isinstance(error, CutOff) else 'damaged'} in its header")


def _pcap_header(path: Path, source: Source, magic: bytes) -> PcapFormat:
    order, unit_ns = _PCAP[magic]
    link = struct.unpack(order + "HHiIII", source.take(20))[-1]
    link_type = link & 0xFFFF
    check_link_type(path, link_type)
    # Bit 26 says that the top four bits count the FCS at the end of every frame, in units of two bytes.
    fcs_bytes = 2 * (link >> 28) if link >> 26 & 1 else 0
    source.mark()
    return PcapFormat(order, unit_ns, link_type, fcs_bytes)


def read_frames(path: Path, stream: BinaryIO, on_cut: Callable[[Cut], None] | None) -> Iterator[CapturedFrame]:
    """What :func:`read_capture` gives, from the unpacked bytes of the file; ``path`` is for messages."""
    source = Source(stream)
    try:
        magic = source.take(4)
    except Damaged:
        raise InputError(f"{path}: is not a capture (pcap or pcapng)") from None
    if magic in _PCAP:
        packets = _pcap(path, source, magic)
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
            raise _bad_header(path, error) from None
        if on_cut is not None:
            on_cut(Cut(str(path), count, source.whole, damaged=not isinstance(error, CutOff)))


def _pcap(path: Path, source: Source, magic: bytes) -> Iterator[CapturedFrame]:
    order, unit_ns, link_type, fcs_bytes = _pcap_header(path, source, magic)
    header = struct.Struct(order + "IIII")
    while head := source.take(header.size, may_end=True):
        seconds, fraction, captured, wire = header.unpack(head)
        if captured > MAX_CAPTURED or wire > MAX_WIRE:
            raise Damaged
        data = source.take(captured)
        source.mark()
        yield frame_of(seconds * 1_000_000_000 + fraction * unit_ns, wire, data, fcs_bytes, link_type)
