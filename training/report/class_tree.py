"""A fitted tree of classes as a figure: the root on the left, yes goes up, no goes down."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.tree import DecisionTreeClassifier

from compiler.extras import import_extra
from compiler.features import CATALOGUE
from compiler.report.quantities import value_text
from compiler.report.tree_layout import Box, lay_out

from .contents import Drawing, thousands
from .drawing import INK, PANEL, QUIET, class_colour, finish, new_figure

__all__ = ["class_name", "draw_class_tree"]

_BOX_WIDTH, _BOX_HEIGHT, _GAP, _LEVEL_GAP, _MARGIN = 124, 34, 8, 44, 6
_TITLE_HEIGHT = 24
_PIXELS_PER_INCH = 96


def class_name(number: int) -> str:
    """Class 0 is what is no spam."""
    return f"subclass {number}" if number else "class 0"


def draw_class_tree(
    tree: DecisionTreeClassifier, features: Sequence[str], name: str, title: str, caption: str
) -> Drawing:
    """Tests with thresholds in their units; leaves with their class, their flows and how many of them are of it."""
    fitted = tree.tree_
    children = {
        node: (int(fitted.children_left[node]), int(fitted.children_right[node]))
        for node in range(fitted.node_count)
        if fitted.children_left[node] >= 0
    }
    # The layout is of a tree that grows downwards; on its side it is narrow enough for a page.
    heights = dict.fromkeys(range(fitted.node_count), _BOX_HEIGHT)
    layout = lay_out(children, heights, height=_BOX_WIDTH, gap=_GAP, level_gap=_LEVEL_GAP)
    boxes = {node: Box(box.y, box.x, _BOX_WIDTH, _BOX_HEIGHT) for node, box in layout.boxes.items()}
    width, height = layout.height + 2 * _MARGIN, layout.width + 2 * _MARGIN + _TITLE_HEIGHT
    figure = new_figure(width / _PIXELS_PER_INCH, height / _PIXELS_PER_INCH, layout="none")
    axes = figure.add_axes(
        (0, 0, 1, 1),
        xlim=(-_MARGIN, width - _MARGIN),
        ylim=(height - _TITLE_HEIGHT - _MARGIN, -_TITLE_HEIGHT - _MARGIN),
    )
    axes.axis("off")
    axes.text(0, -_TITLE_HEIGHT, title, fontsize=10, fontweight="bold", ha="left", va="top")
    for node, both in children.items():
        _draw_edges(axes, boxes[node], [boxes[child] for child in both])
    for node, box in boxes.items():
        if node in children:
            feature = CATALOGUE[features[fitted.feature[node]]]
            threshold = value_text(int(np.floor(fitted.threshold[node])), feature.fraction)
            _draw_box(axes, box, feature.name, f"≤ {threshold} {feature.unit}".rstrip(), None)
        else:
            shares = fitted.value[node, 0] / fitted.value[node, 0].sum()
            leading = int(shares.argmax())
            number = int(tree.classes_[leading])
            flows = f"{thousands(fitted.n_node_samples[node])} flows, {100 * shares[leading]:.0f} %"
            _draw_box(axes, box, class_name(number), flows, class_colour(number))
    return finish(figure, name, title, caption)


def _draw_edges(axes: Any, parent: Box, children: Sequence[Box]) -> None:
    start, begin = parent.x + parent.width, parent.y + parent.height / 2
    turn = start + _LEVEL_GAP / 3
    for child, word in zip(children, ("yes", "no"), strict=True):
        end = child.y + child.height / 2
        axes.plot([start, turn, turn, child.x], [begin, begin, end, end], color=QUIET, linewidth=1)
        axes.text(turn + 4, end - 2, word, ha="left", va="bottom", fontsize=7, color=QUIET)


def _draw_box(axes: Any, box: Box, first: str, second: str, colour: str | None) -> None:
    patches = import_extra("matplotlib.patches", "plot", "report")
    shape = f"round,pad=0,rounding_size={10 if colour else 2}"
    edge = {"edgecolor": colour or QUIET, "linewidth": 1.8 if colour else 1}
    axes.add_patch(patches.FancyBboxPatch(box[:2], *box[2:], boxstyle=shape, facecolor=PANEL, **edge))
    middle = box.x + box.width / 2
    axes.text(middle, box.y + 11, first, ha="center", va="center", fontsize=8, fontweight="bold", color=colour or INK)
    axes.text(middle, box.y + 24, second, ha="center", va="center", fontsize=7.5, color=INK)
