"""JSON that anyone may have written, as rows of words: notes in forest.json, entries of a manifest."""

from collections.abc import Mapping
from typing import Any

__all__ = ["rows_of", "words"]

_MOST_ROWS, _MOST_CHARACTERS, _MOST_LEVELS = 60, 160, 4


def rows_of(notes: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and value of everything in an object, at most so many rows; what lies in another has both names."""
    rows: list[tuple[str, str]] = []
    _collect(notes, "", rows, 0)
    if len(rows) > _MOST_ROWS:
        rows[_MOST_ROWS:] = [("and more", f"{len(rows) - _MOST_ROWS} in the file")]
    return rows


def _collect(value: Any, name: str, rows: list[tuple[str, str]], level: int) -> None:
    if level < _MOST_LEVELS and isinstance(value, Mapping) and value:
        for key, entry in value.items():
            _collect(entry, f"{name} · {words(key)}" if name else words(key), rows, level + 1)
    elif level < _MOST_LEVELS and isinstance(value, list) and _holds_more(value):
        for at, entry in enumerate(value):
            _collect(entry, f"{name} {at + 1}" if len(value) > 1 else name, rows, level + 1)
    else:
        rows.append((name, _text(value)))


def _holds_more(value: list[Any]) -> bool:
    """Whether it is more than a list of single values."""
    return any(isinstance(entry, (Mapping, list)) for entry in value)


def words(name: str) -> str:
    """A key as words."""
    return name.replace("_", " ")


def _text(value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case list() if not _holds_more(value):
            written = ", ".join(map(_text, value)) or "none"
        case Mapping() | list():
            written = "…" if value else "none"
        case _:
            written = str(value)
    return written if len(written) <= _MOST_CHARACTERS else written[:_MOST_CHARACTERS] + " …"
