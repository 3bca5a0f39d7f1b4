"""A console whose tables are not cut to the width of a terminal."""

from rich.console import Console

__all__ = ["wide_console"]


def wide_console(width: int = 160) -> Console:
    """For tables of names from files, which are shown as they are."""
    return Console(width=width, highlight=False, markup=False)
