"""What a page is made of: sections with text, tables and drawings, in the order in which they are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

__all__ = ["PAPER", "Content", "Drawing", "Note", "Section", "Table", "minus", "percent", "thousands"]

PAPER = "the paper"
"""Heads the columns that hold its figures."""


def percent(share: float) -> str:
    """A share with its unit."""
    return f"{100 * share:.1f} %"


def thousands(number: float) -> str:
    """A count with its thousands apart."""
    return f"{number:,.0f}".replace(",", " ")


def minus(figures: str) -> str:
    """Figures with minus signs as wide as a plus; ranges keep their dash."""
    return figures.replace("-", "−")


@dataclass(frozen=True)
class Drawing:
    """A figure.

    Attributes
    ----------
    name:
        Of the file, without its suffix.
    title, caption:
        What it shows, and how it is read.
    svg:
        Markup without a size of its own style, coloured by the variables of the style sheet.
    png:
        The same as the bytes of a file.
    """

    kind: ClassVar = "drawing"
    name: str
    title: str
    caption: str
    svg: str
    png: bytes


@dataclass(frozen=True)
class Table:
    """Cells are text; the first ``texts`` columns are words, the others figures. ``after`` is read below it."""

    kind: ClassVar = "table"
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: int = 1
    after: str = ""


@dataclass(frozen=True)
class Note:
    """A paragraph, or lines of a list, or what was left out and why."""

    kind: ClassVar = "note"
    text: str
    lines: Sequence[str] = ()
    left_out: bool = False


Content = Drawing | Table | Note


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes
    ----------
    key:
        Its anchor.
    lead:
        What is done here, and how.
    paper:
        What the paper says of it.
    left_out:
        Why there is nothing in it; empty when there is.
    """

    key: str
    title: str
    lead: str
    paper: str
    contents: Sequence[Content] = ()
    left_out: str = ""

    @property
    def drawings(self) -> list[Drawing]:
        return [content for content in self.contents if isinstance(content, Drawing)]

    @property
    def reasons(self) -> list[str]:
        """Of all that was left out."""
        notes = [content.text for content in self.contents if isinstance(content, Note) and content.left_out]
        return [self.left_out] if self.left_out else notes
