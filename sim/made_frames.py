"""Frames made of header fields: whole ones, and random ones that are often wrong."""

import random

__all__ = ["LAYERS", "extension_headers", "random_frame", "tcp_frame"]

LAYERS = ("tag", "service tag", "snap", "pppoe", "label")
"""What can stand between Ethernet's addresses and IP."""


def tcp_frame(
    *,
    source: bytes,
    destination: bytes,
    source_port: int,
    destination_port: int,
    flags: int = 0x10,
    window: int = 1000,
    ttl: int = 64,
    payload: int = 0,
    layers: tuple[str, ...] = (),
    option_words: int = 0,
    tcp_option_words: int = 0,
    next_header: int = 6,
    fragment: int = 0,
    extensions: bytes = b"",
) -> tuple[bytes, int]:
    """(headers, wire length) of an Ethernet frame; addresses of 4 bytes make IPv4, of 16 IPv6.

    ``layers`` are some of :data:`LAYERS` from the outside in; ``next_header`` is that of the fixed header, and
    ``extensions`` follow it in IPv6.
    """
    tcp = source_port.to_bytes(2, "big") + destination_port.to_bytes(2, "big") + bytes(8)
    tcp += bytes([(5 + tcp_option_words) << 4, flags]) + window.to_bytes(2, "big") + bytes(4 + 4 * tcp_option_words)
    if len(source) == 4:
        words = 5 + option_words
        length = 4 * words + len(tcp) + payload
        ip = bytes([0x40 | words, 0]) + length.to_bytes(2, "big") + bytes(2) + fragment.to_bytes(2, "big")
        ip += bytes([ttl, next_header]) + bytes(2) + source + destination + bytes(4 * option_words)
        ip = ip[:10] + _header_sum(ip) + ip[12:]
    else:
        length = len(extensions) + len(tcp) + payload
        ip = b"\x60\0\0\0" + length.to_bytes(2, "big") + bytes([next_header, ttl]) + source + destination + extensions
    frame = bytes(12) + _below(layers, version=4 if len(source) == 4 else 6) + ip + tcp
    return frame, max(len(frame) + payload, 60)


def _header_sum(header: bytes) -> bytes:
    """The checksum of an IPv4 header in which it is zero, by RFC 1071."""
    total = sum(header[at] << 8 | header[at + 1] for at in range(0, len(header), 2)) % 0xFFFF
    return (0xFFFF - total).to_bytes(2, "big")


def _below(layers: tuple[str, ...], *, version: int) -> bytes:
    """From the first EtherType to the byte before IP."""
    if not layers:
        return b"\x08\x00" if version == 4 else b"\x86\xdd"
    layer, *rest = layers
    if layer == "pppoe":
        return b"\x88\x64\x11\0\0\x07\0\0" + (b"\0\x21" if version == 4 else b"\0\x57")
    if layer == "label":
        # All that follow are labels, and the last of them says so.
        return b"\x88\x47" + b"\0\x01\x40\x40" * len(rest) + b"\0\x02\x41\x40"
    inner = _below(tuple(rest), version=version)
    types = {"tag": b"\x81\0\0\x07", "service tag": b"\x88\xa8\0\x09", "snap": b"\0\x30\xaa\xaa\x03\0\0\0"}
    return types[layer] + inner


def extension_headers(rng: random.Random, last: int) -> tuple[int, bytes]:
    """What the fixed header of IPv6 says comes next, and a random chain that ends with ``last``."""
    following, chain = last, b""
    for kind in rng.choices((0, 43, 44, 51, 60, 135), k=rng.randint(1, 3)):
        units = rng.choice((0, 1, 2))
        size = 8 if kind == 44 else 4 * (units + 2) if kind == 51 else 8 * (units + 1)
        offset = rng.choice((0, 0, 0, 8)) if kind == 44 else rng.getrandbits(16)
        chain = bytes([following, units]) + offset.to_bytes(2, "big") + rng.randbytes(size - 4) + chain
        following = kind
    return following, chain


def random_frame(rng: random.Random) -> tuple[bytes, int]:
    """A frame that is often right and often bent, cut or of something else."""
    size = rng.choice((4, 4, 16))
    next_header, extensions = rng.choice((6, 6, 6, 6, 6, 17, 44, 0, 58, 41, 47, 50)), b""
    if size == 16 and rng.random() < 0.4:
        next_header, extensions = extension_headers(rng, rng.choice((6, 6, 6, 17, 41, 59)))
    frame, wire_length = tcp_frame(
        source=rng.randbytes(size),
        destination=rng.randbytes(size),
        source_port=rng.choice((25, 587, 1024, rng.getrandbits(16))),
        destination_port=rng.choice((25, 25, 25, 587, 4789, rng.getrandbits(16))),
        flags=rng.getrandbits(8),
        window=rng.getrandbits(16),
        ttl=rng.getrandbits(8),
        payload=rng.choice((0, 1, 500, 1400, 60000)),
        layers=tuple(rng.choices(LAYERS, k=rng.choice((0, 0, 0, 1, 1, 2, 3)))),
        option_words=rng.choice((0, 0, 0, 1, 10)),
        tcp_option_words=rng.choice((0, 0, 3, 10)),
        next_header=next_header,
        fragment=rng.choice((0, 0, 0, 0, 0x2000, 0x4000, 1)),
        extensions=extensions,
    )
    if rng.random() < 0.1:
        at = 12 + 4 * (frame[12:14] in (b"\x81\x00", b"\x88\xa8"))
        ethertype = rng.choice((0x0806, 0x8100, 0x88A8, 0x8847, 0x8864, 0x0026, 0x05DC, 0x05DD))
        frame = frame[:at] + ethertype.to_bytes(2, "big") + frame[at + 2 :]
    if rng.random() < 0.3:
        flipped = bytearray(frame)
        flipped[rng.randrange(12, len(frame))] ^= 1 << rng.randrange(8)
        frame = bytes(flipped)
    if rng.random() < 0.2:
        frame = frame[: rng.randint(0, len(frame))]
    if rng.random() < 0.1:
        wire_length = rng.randint(0, 200)
    return frame, wire_length
