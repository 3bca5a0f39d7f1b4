"""A matrix of shares as a figure: rows of flows by what is said of them, the larger a share the fuller its cell."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from compiler.extras import import_extra

from .class_tree import class_name
from .contents import Drawing
from .drawing import QUIET, class_colour, finish, new_axes

__all__ = ["draw_confusion", "draw_matrix"]

_FULLEST = 0.55
"""Opacity of a share of 1; more of it would hide what is written there."""


def draw_confusion(
    confusion: NDArray[np.int64], classes: Sequence[int], *, said: str, name: str, title: str, caption: str
) -> Drawing:
    """Flows by class and by what is said of them, as counts; cells are as full as their share of the class."""
    sizes = confusion.sum(axis=1)
    return draw_matrix(
        confusion / np.maximum(sizes, 1)[:, None],
        [[str(flows) for flows in row] for row in confusion.tolist()],
        rows=[f"{class_name(number)} ({size} flows)" for number, size in zip(classes, sizes.tolist(), strict=True)],
        columns=[class_name(number) for number in classes],
        colours=[class_colour(number) for number in classes],
        said=said,
        name=name,
        title=title,
        caption=caption,
    )


def draw_matrix(
    shares: NDArray[np.float64],
    texts: Sequence[Sequence[str]],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    colours: Sequence[str],
    said: str,
    name: str,
    title: str,
    caption: str,
) -> Drawing:
    """Shares of each row of flows.

    Parameters
    ----------
    shares:
        Of shape (rows, columns), from 0 to 1.
    texts:
        What stands in the cells.
    colours:
        Of the columns.
    said:
        What the columns are.
    """
    patches = import_extra("matplotlib.patches", "plot", "report")
    figure, (axes,) = new_axes(6.6, 0.95 + 0.3 * len(rows))
    axes.set(xlim=(0, len(columns)), ylim=(len(rows), 0), title=title)
    for row, of_row in enumerate(shares):
        for column, share in enumerate(of_row):
            axes.add_patch(patches.Rectangle((column, row), 1, 1, facecolor=colours[column], alpha=_FULLEST * share))
            axes.text(column + 0.5, row + 0.5, texts[row][column], ha="center", va="center", fontsize=8.5)
    axes.set_xticks([at + 0.5 for at in range(len(columns))], columns)
    axes.set_yticks([at + 0.5 for at in range(len(rows))], rows)
    axes.set_xlabel(said)
    axes.tick_params(length=0)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.grid(visible=False)
    for at in range(len(rows) + 1):
        axes.axhline(at, color=QUIET, linewidth=0.4)
    return finish(figure, name, title, caption)
