"""Names of points in a scatter, where they hide neither points nor each other; what has no place is left unnamed."""

from collections import defaultdict
from collections.abc import Mapping
from itertools import product
from typing import Any, NamedTuple

from .drawing import INK, QUIET

__all__ = ["name_points"]

_DISTANCES = (6, 12, 20, 30)
_ACROSS, _UP = ((1, "left"), (-1, "right"), (0, "center")), ((0, "center"), (1, "bottom"), (-1, "top"))
_SIDES = [
    (distance * across, distance * up, horizontal, vertical)
    for distance in _DISTANCES
    # Beside a point and above it first, then aslant.
    for (across, horizontal), (up, vertical) in sorted(
        product(_ACROSS, _UP), key=lambda side: bool(side[0][0] and side[1][0])
    )
    if across or up
]
"""Offsets that are tried, the nearest first, in points, and how a name is aligned there."""

_NEAR = 6
"""Up to this offset a name needs no line to its point."""

_MARK_PIXELS = 5


class _Box(NamedTuple):
    left: float
    bottom: float
    right: float
    top: float

    def meets(self, other: "_Box") -> bool:
        apart = self.right <= other.left or other.right <= self.left
        return not (apart or self.top <= other.bottom or other.top <= self.bottom)

    def holds(self, other: "_Box") -> bool:
        across = self.left <= other.left and other.right <= self.right
        return across and self.bottom <= other.bottom and other.top <= self.top


def name_points(axes: Any, points: Mapping[str, tuple[float, float]], size: float = 7) -> list[str]:
    """Name the points of axes that are otherwise finished, all at one place together; gives those that stay unnamed."""
    axes.figure.draw_without_rendering()
    at_place: dict[tuple[float, float], list[str]] = defaultdict(list)
    for name, place in points.items():
        at_place[place].append(name)
    outer = _Box(*axes.get_window_extent().extents)
    taken = [
        _Box(x - _MARK_PIXELS, y - _MARK_PIXELS, x + _MARK_PIXELS, y + _MARK_PIXELS)
        for x, y in axes.transData.transform(list(at_place)).tolist()
    ]
    if (legend := axes.get_legend()) is not None:
        taken.append(_Box(*legend.get_window_extent().extents))
    unnamed = []
    for place, names in at_place.items():
        if not _place(axes, place, ", ".join(names), size, taken, outer):
            unnamed += names
    return unnamed


def _place(axes: Any, place: tuple[float, float], words: str, size: float, taken: list[_Box], outer: _Box) -> bool:
    for across, up, horizontal, vertical in _SIDES:
        align = {"ha": horizontal, "va": vertical, "fontsize": size, "color": INK, "textcoords": "offset points"}
        text = axes.annotate(words, place, (across, up), **align)
        box = _Box(*text.get_window_extent().extents)
        if outer.holds(box) and not any(box.meets(other) for other in taken):
            taken.append(box)
            if max(abs(across), abs(up)) > _NEAR:
                line = {"arrowstyle": "-", "color": QUIET, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3}
                axes.annotate("", place, (across, up), textcoords="offset points", arrowprops=line)
            return True
        text.remove()
    return False
