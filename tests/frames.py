"""Frames for tests: whole ones from header fields, and random ones that are often wrong."""

import random

__all__ = ["random_frame", "tcp_frame"]


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
    tagged: bool = False,
    option_words: int = 0,
    tcp_option_words: int = 0,
    next_header: int = 6,
    fragment: int = 0,
) -> tuple[bytes, int]:
    """(headers, wire length) of an Ethernet frame; addresses of 4 bytes make IPv4, of 16 IPv6."""
    tcp = source_port.to_bytes(2, "big") + destination_port.to_bytes(2, "big") + bytes(8)
    tcp += bytes([(5 + tcp_option_words) << 4, flags]) + window.to_bytes(2, "big") + bytes(4 + 4 * tcp_option_words)
    if len(source) == 4:
        words = 5 + option_words
        length = 4 * words + len(tcp) + payload
        ip = bytes([0x40 | words, 0]) + length.to_bytes(2, "big") + bytes(2) + fragment.to_bytes(2, "big")
        ip += bytes([ttl, next_header]) + bytes(2) + source + destination + bytes(4 * option_words)
        ethertype = b"\x08\x00"
    else:
        ip = b"\x60\0\0\0" + (len(tcp) + payload).to_bytes(2, "big") + bytes([next_header, ttl]) + source + destination
        ethertype = b"\x86\xdd"
    frame = bytes(12) + (b"\x81\x00\x00\x07" if tagged else b"") + ethertype + ip + tcp
    return frame, max(len(frame) + payload, 60)


def random_frame(rng: random.Random) -> tuple[bytes, int]:
    """A frame that is often right and often bent, cut or of something else."""
    size = rng.choice((4, 4, 16))
    frame, wire_length = tcp_frame(
        source=rng.randbytes(size),
        destination=rng.randbytes(size),
        source_port=rng.choice((25, 587, 1024, rng.getrandbits(16))),
        destination_port=rng.choice((25, 25, 25, 587, rng.getrandbits(16))),
        flags=rng.getrandbits(8),
        window=rng.getrandbits(16),
        ttl=rng.getrandbits(8),
        payload=rng.choice((0, 1, 500, 1400, 60000)),
        tagged=rng.random() < 0.3,
        option_words=rng.choice((0, 0, 0, 1, 10)),
        tcp_option_words=rng.choice((0, 0, 3, 10)),
        next_header=rng.choice((6, 6, 6, 6, 6, 17, 44, 0, 58)),
        fragment=rng.choice((0, 0, 0, 0, 0x2000, 0x4000, 1)),
    )
    if rng.random() < 0.1:
        at = 12 + 4 * (frame[12:14] == b"\x81\x00")
        ethertype = rng.choice((0x0806, 0x8100, 0x88A8, 0x8847, 0x8864, 0x0026))
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
