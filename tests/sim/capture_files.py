"""Capture files made by hand, for tests of what reads them."""

import struct

__all__ = ["block", "enhanced_block", "interface_block", "old_packet_block", "pcap", "section_block", "simple_block"]

Frame = tuple[int, bytes, int]
"""Time in nanoseconds, captured bytes, wire length."""


def pcap(frames: list[Frame], *, order: str = "<", nanoseconds: bool = False, link: int = 1) -> bytes:
    magic, unit = (0xA1B23C4D, 1) if nanoseconds else (0xA1B2C3D4, 1000)
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    for time_ns, data, wire in frames:
        seconds, rest = divmod(time_ns, 1_000_000_000)
        out += struct.pack(order + "IIII", seconds, rest // unit, len(data), wire) + data
    return out


def block(kind: int, body: bytes, *, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + length + body + length


def section_block(*, order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order=order)


def interface_block(*, order: str = "<", link: int = 1, options: dict[int, bytes] | None = None) -> bytes:
    body = struct.pack(order + "HHI", link, 0, 65535)
    for code, value in (options or {}).items():
        body += struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)
    return block(1, body, order=order)


def enhanced_block(ticks: int, data: bytes, wire: int, *, interface: int = 0, order: str = "<") -> bytes:
    body = struct.pack(order + "IIIII", interface, ticks >> 32, ticks & 0xFFFFFFFF, len(data), wire) + data
    return block(6, body, order=order)


def old_packet_block(ticks: int, data: bytes, wire: int, *, interface: int = 0, order: str = "<") -> bytes:
    body = struct.pack(order + "HHIIII", interface, 0, ticks >> 32, ticks & 0xFFFFFFFF, len(data), wire) + data
    return block(2, body, order=order)


def simple_block(data: bytes, wire: int, *, order: str = "<") -> bytes:
    return block(3, struct.pack(order + "I", wire) + data, order=order)
