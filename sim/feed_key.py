"""The secret key of a probe: random, or from a file."""

import os
import secrets
from pathlib import Path

from compiler.errors import InputError

__all__ = ["key_of", "parse_key"]

_DIGITS = 16


def parse_key(text: str, name: str) -> int:
    """A secret key from 16 hexadecimal digits; ``name`` is what an error calls them."""
    if len(text) != _DIGITS or set(text.lower()) - set("0123456789abcdef"):
        raise InputError(f"{name}: must be {_DIGITS} hexadecimal digits")
    return int(text, 16)


def key_of(path: Path | None) -> int:
    """The key in a file, which is made, for its owner's eyes only, when there is none; without a file a random key."""
    if path is None:
        return secrets.randbits(4 * _DIGITS)
    if path.exists():
        return parse_key(path.read_text(encoding="ascii", errors="replace").strip(), str(path))
    key = secrets.randbits(4 * _DIGITS)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{key:0{_DIGITS}x}\n")
    return key
