"""The lines of a log, plain or gzipped, one at a time; those that cannot be read are counted and remembered."""

import gzip
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from compiler.errors import InputError

__all__ = ["LineTally", "log_lines"]

_SHOWN = 3
_SHOWN_CHARACTERS = 100
_LONGEST = 1 << 16
"""Characters that are read of a line; the rest of a longer one counts as a line of its own."""
_STEP = 1 << 14


@dataclass
class LineTally:
    """What became of the lines of a log.

    Attributes
    ----------
    lines: all of them
    used: lines that said something about a session or a mail
    unparsed: lines without a time or without the form of a line of this log
    examples: the first few of those, as ``file: line number: beginning``
    """

    lines: int = 0
    used: int = 0
    unparsed: int = 0
    examples: list[str] = field(default_factory=list)

    def cannot_parse(self, path: Path, line: str) -> None:
        self.unparsed += 1
        if len(self.examples) < _SHOWN:
            text = "".join(c if c.isprintable() else "·" for c in line.rstrip("\n")[:_SHOWN_CHARACTERS])
            self.examples.append(f"{path}: line {self.lines}: {text}")


def log_lines(path: Path, tally: LineTally, on_progress: Callable[[int], None] | None = None) -> Iterator[str]:
    """The lines of a log; ``on_progress`` is told how many bytes of the file were read."""
    with path.open("rb") as file:
        zipped = file.peek(2)[:2] == b"\x1f\x8b"
        try:
            with gzip.open(file) if zipped else nullcontext(file) as lines:
                while piece := lines.readline(_LONGEST):
                    tally.lines += 1
                    if on_progress is not None and not tally.lines % _STEP:
                        on_progress(file.tell())
                    # Logs hold what clients sent, in any encoding or none.
                    yield piece.decode("utf-8", "replace")
        except (EOFError, gzip.BadGzipFile, gzip.zlib.error) as error:
            raise InputError(f"{path}: is not a readable gzip file behind line {tally.lines}: {error}") from None
