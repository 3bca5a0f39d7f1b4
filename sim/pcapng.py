"""pcapng: sections of either byte order, several interfaces each, and the three kinds of block that hold a packet."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .capture_source import MAX_WIRE, CapturedFrame, Damaged, Source, check_link_type, frame_of

__all__ = ["PCAPNG_MAGIC", "read_pcapng"]

PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"
"""Type of a section header block, with which a file begins."""

MAX_BLOCK = 1 << 24
_BYTE_ORDER = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
_INTERFACE, _PACKET, _SIMPLE, _ENHANCED = 1, 2, 3, 6  # block types
_OPTION_TSRESOL, _OPTION_FCSLEN, _OPTION_TSOFFSET = 9, 13, 14


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
            raise Damaged from None

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
            raise Damaged
        interface = self._interfaces[number]
        check_link_type(f"{self._path}: interface {number}", interface.link_type)
        if time_ns is None:
            ticks = high << 32 | low
            time_ns = interface.offset_s * 1_000_000_000 + ticks * 1_000_000_000 // interface.units_per_second
            time_ns = max(time_ns, 0)
        self.last_ns = time_ns
        return frame_of(time_ns, wire, body[begin : begin + captured], interface.fcs_bytes, interface.link_type)


def read_pcapng(path: Path, source: Source) -> Iterator[CapturedFrame]:
    """The frames of a file whose first four bytes were taken."""
    section = _Section(path, "<", 0)
    kind, rest = PCAPNG_MAGIC, source.take(4)
    while True:
        if kind == PCAPNG_MAGIC:
            # Its type reads the same in either byte order; only the mark behind the length tells the order.
            mark = source.take(4)
            if mark not in _BYTE_ORDER:
                raise Damaged
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


def _take_body(source: Source, section: _Section, length: bytes, *, taken: int) -> bytes:
    """The rest of a block of which ``taken`` bytes were read, without the length that is repeated at its end."""
    (total,) = section.unpack("I", length)
    if total % 4 or not taken + 4 <= total <= MAX_BLOCK:
        raise Damaged
    body = source.take(total - taken)
    if body[-4:] != length:
        raise Damaged
    return body[:-4]
