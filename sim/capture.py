"""Frames of a capture file: pcap and pcapng of either byte order, gzipped or not, read as a stream.

A capture that is cut off or goes wrong in the middle gives what was whole before that point, then a :class:`Cut`.
"""

import gzip
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from compiler.errors import InputError

__all__ = ["CapturedFrame", "Cut", "read_capture"]

ETHERNET = 1
MAX_CAPTURED = 262_144
"""Longest captured part that libpcap writes; a larger one is a damaged length."""
MAX_WIRE = 0xFF_FFFF
"""Longest frame an item can carry."""
MAX_BLOCK = 1 << 24

_PCAP = {  # magic: byte order, nanoseconds per unit of the fraction of a second
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\x3c\x4d": (">", 1),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
}
_SECTION = b"\x0a\x0d\x0d\x0a"
_BYTE_ORDER = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
_INTERFACE, _PACKET, _SIMPLE, _ENHANCED = 1, 2, 3, 6  # block types
_OPTION_TSRESOL, _OPTION_FCSLEN, _OPTION_TSOFFSET = 9, 13, 14


class CapturedFrame(NamedTuple):
    """One frame: when it was seen, how long it was on the wire (without FCS), and the bytes that were kept."""

    time_ns: int
    wire_length: int
    data: bytes


class Cut(NamedTuple):
    """Where a capture ended before its end. ``offset`` counts bytes of the unpacked file."""

    name: str
    packets: int
    offset: int

    def __str__(self) -> str:
        return f"{self.name}: cut off after packet {self.packets}, at byte {self.offset}"


class _Damaged(Exception):
    """The file ends, or stops making sense, inside a packet or block."""


class _Source:
    """Reads exactly as many bytes as are asked for, and remembers where the last whole piece ended."""

    def __init__(self, stream: BinaryIO):
        self._stream = stream
        self._position = 0
        self.whole = 0

    def take(self, count: int, *, may_end: bool = False) -> bytes:
        """The next ``count`` bytes; none at all when the file ends right here and ``may_end`` allows it."""
        try:
            data = self._stream.read(count)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise _Damaged from error
        self._position += len(data)
        if len(data) < count and not (may_end and not data):
            raise _Damaged
        return data

    def mark(self) -> None:
        """All that was read so far is whole."""
        self.whole = self._position


class _Interface(NamedTuple):
    link_type: int
    units_per_second: int = 1_000_000
    offset_s: int = 0
    fcs_bytes: int = 0


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
        When the file is missing, empty or no capture, or holds frames of another link type than Ethernet.
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
    source = _Source(stream)
    try:
        magic = source.take(4)
    except _Damaged:
        raise InputError(f"{path}: is not a capture (pcap or pcapng)") from None
    if magic in _PCAP:
        packets = _pcap(path, source, *_PCAP[magic])
    elif magic == _SECTION:
        packets = _pcapng(path, source)
    else:
        raise InputError(f"{path}: is not a capture (pcap or pcapng)")
    count = 0
    try:
        for count, frame in enumerate(packets, 1):
            yield frame
    except _Damaged:
        if on_cut is not None:
            on_cut(Cut(str(path), count, source.whole))


def _pcap(path: Path, source: _Source, order: str, unit_ns: int) -> Iterator[CapturedFrame]:
    link = struct.unpack(order + "HHiIII", source.take(20))[-1]
    if link & 0xFFFF != ETHERNET:
        raise InputError(f"{path}: link type must be Ethernet (1), not {link & 0xFFFF}")
    # Bit 26 says that the top four bits count the FCS at the end of every frame, in units of two bytes.
    fcs_bytes = 2 * (link >> 28) if link >> 26 & 1 else 0
    header = struct.Struct(order + "IIII")
    source.mark()
    while head := source.take(header.size, may_end=True):
        seconds, fraction, captured, wire = header.unpack(head)
        if captured > MAX_CAPTURED or wire > MAX_WIRE:
            raise _Damaged
        data = source.take(captured)
        source.mark()
        yield _frame(seconds * 1_000_000_000 + fraction * unit_ns, wire, data, fcs_bytes)


def _frame(time_ns: int, wire: int, data: bytes, fcs_bytes: int) -> CapturedFrame:
    if fcs_bytes:
        wire = max(wire - fcs_bytes, 0)
        data = data[:wire]
    return CapturedFrame(time_ns, wire, data)


class _Interface(NamedTuple):
    link_type: int
    units_per_second: int
    offset_s: int
    fcs_bytes: int


class _Section:
    """One section of a pcapng file: its byte order, its interfaces, and the time of its latest packet."""

    def __init__(self, path: Path, order: str, last_ns: int):
        self._path = path
        self.order = order
        self.last_ns = last_ns
        self._interfaces: list[_Interface] = []

    def unpack(self, layout: str, data: bytes, offset: int = 0) -> tuple[int, ...]:
        try:
            return struct.unpack_from(self.order + layout, data, offset)
        except struct.error:
            raise _Damaged from None

    def add_interface(self, body: bytes) -> None:
        (link_type,) = self.unpack("H", body)
        units_per_second, offset_s, fcs_bytes = 1_000_000, 0, 0
        at = 8
        while at + 4 <= len(body):
            code, length = self.unpack("HH", body, at)
            at += 4
            if code == _OPTION_TSRESOL and length == 1:
                (resolution,) = self.unpack("B", body, at)
                units_per_second = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10**resolution
            elif code == _OPTION_FCSLEN and length == 1:
                (fcs_bytes,) = self.unpack("B", body, at)
            elif code == _OPTION_TSOFFSET and length == 8:
                (offset_s,) = self.unpack("q", body, at)
            at += length + -length % 4
        self._interfaces.append(_Interface(link_type, units_per_second, offset_s, fcs_bytes))

    def frame(self, kind: int, body: bytes) -> CapturedFrame:
        """The frame of a packet block. A simple packet block has no time: it takes that of the packet before it."""
        if kind == _SIMPLE:
            number, time_ns, begin = 0, self.last_ns, 4
            (wire,) = self.unpack("I", body)
            captured = min(wire, len(body) - begin)
        else:
            number, high, low, captured, wire = self.unpack("IIIII" if kind == _ENHANCED else "HxxIIII", body)
            time_ns, begin = None, 20
        if number >= len(self._interfaces) or captured > len(body) - begin or wire > MAX_WIRE:
            raise _Damaged
        interface = self._interfaces[number]
        if interface.link_type != ETHERNET:
            raise InputError(
                f"{self._path}: interface {number}: link type must be Ethernet (1), not {interface.link_type}"
            )
        if time_ns is None:
            ticks = high << 32 | low
            time_ns = interface.offset_s * 1_000_000_000 + ticks * 1_000_000_000 // interface.units_per_second
            time_ns = max(time_ns, 0)
        self.last_ns = time_ns
        return _frame(time_ns, wire, body[begin : begin + captured], interface.fcs_bytes)


def _pcapng(path: Path, source: _Source) -> Iterator[CapturedFrame]:
    section = _Section(path, "<", 0)
    kind, rest = _SECTION, source.take(4)
    while True:
        if kind == _SECTION:
            # Its type reads the same in either byte order; only the mark behind the length tells the order.
            mark = source.take(4)
            if mark not in _BYTE_ORDER:
                raise _Damaged
            section = _Section(path, _BYTE_ORDER[mark], section.last_ns)
            _take_body(source, section, rest, taken=12)
        else:
            body = _take_body(source, section, rest, taken=8)
            (number,) = section.unpack("I", kind)
            if number == _INTERFACE:
                section.add_interface(body)
            elif number in (_PACKET, _SIMPLE, _ENHANCED):
                frame = section.frame(number, body)
                source.mark()
                yield frame
        source.mark()
        head = source.take(8, may_end=True)
        if not head:
            return
        kind, rest = head[:4], head[4:]


def _take_body(source: _Source, section: _Section, length: bytes, *, taken: int) -> bytes:
    """The rest of a block of which ``taken`` bytes were read, without the length that is repeated at its end."""
    (total,) = section.unpack("I", length)
    if total % 4 or not taken + 4 <= total <= MAX_BLOCK:
        raise _Damaged
    body = source.take(total - taken)
    if body[-4:] != length:
        raise _Damaged
    return body[:-4]
