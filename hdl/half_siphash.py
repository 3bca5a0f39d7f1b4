"""HalfSipHash-2-4 as a plain function: the model of :mod:`hdl.keyed_hash`.

Source: J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF" (2012), and the 32-bit variant that
its authors publish as HalfSipHash.
"""

__all__ = ["half_siphash", "half_siphash_words"]

_MASK = 0xFFFF_FFFF


def _rotate(value: int, by: int) -> int:
    return (value << by | value >> 32 - by) & _MASK


def _round(v0: int, v1: int, v2: int, v3: int) -> tuple[int, int, int, int]:
    v0 = v0 + v1 & _MASK
    v1 = _rotate(v1, 5) ^ v0
    v0 = _rotate(v0, 16)
    v2 = v2 + v3 & _MASK
    v3 = _rotate(v3, 8) ^ v2
    v0 = v0 + v3 & _MASK
    v3 = _rotate(v3, 7) ^ v0
    v2 = v2 + v1 & _MASK
    v1 = _rotate(v1, 13) ^ v2
    v2 = _rotate(v2, 16)
    return v0, v1, v2, v3


def half_siphash_words(words: list[int], key: int) -> int:
    """64-bit HalfSipHash-2-4 of a message already padded to 32-bit words.

    Parameters
    ----------
    words:
        The message, least significant byte of each word first; the top byte of the last word holds the message
        length in bytes modulo 256, as the padding rule asks.
    key:
        64 bits; byte 0 of the key is its least significant byte.
    """
    k0, k1 = key & _MASK, key >> 32 & _MASK
    v0, v1, v2, v3 = k0, k1 ^ 0xEE, k0 ^ 0x6C796765, k1 ^ 0x74656462
    for word in words:
        v3 ^= word
        for _ in range(2):
            v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        v0 ^= word
    v2 ^= 0xEE
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    low = v1 ^ v3
    v1 ^= 0xDD
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return (v1 ^ v3) << 32 | low


def half_siphash(message: bytes, key: int) -> int:
    """64-bit HalfSipHash-2-4 of a message of any length."""
    whole = len(message) // 4 * 4
    words = [int.from_bytes(message[i : i + 4], "little") for i in range(0, whole, 4)]
    words.append(int.from_bytes(message[whole:], "little") | (len(message) & 0xFF) << 24)
    return half_siphash_words(words, key)
