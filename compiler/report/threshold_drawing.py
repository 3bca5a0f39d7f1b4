"""The thresholds of a feature on its range, a mark for every one, taller the more tests use it."""

import math
from collections import Counter
from collections.abc import Mapping
from html import escape

from ..forest import Column, Forest, Node
from .quantities import count, in_unit
from .svg import drawing, element, text

__all__ = ["draw_thresholds", "threshold_uses"]

_WIDTH, _HEIGHT, _MARGIN = 640, 50, 34
_BASE = 32
"""Where the axis lies."""

_NAMED_MARKS = 100
"""So many marks are told one by one under the pointer; more of them would only make the page large."""

_LABEL_ROOM = 70


def threshold_uses(forest: Forest) -> list[Counter[int]]:
    """For every column, how many tests use each threshold."""
    uses: list[Counter[int]] = [Counter() for _ in forest.columns]
    for tree in forest.trees:
        for node in tree.nodes:
            if isinstance(node, Node):
                uses[node.feature][node.threshold] += 1
    return uses


def draw_thresholds(column: Column, uses: Mapping[int, int]) -> str:
    """A strip from 0 to the greatest value, as SVG; the axis is that of log(1 + value), so 0 is on it."""
    greatest = (1 << column.bits) - 1
    return drawing(
        _WIDTH,
        _HEIGHT,
        f"{count(len(uses), 'threshold')} of {column.name}",
        element("path", class_="axis", d=f"M{_MARGIN} {_BASE}H{_WIDTH - _MARGIN}"),
        *_ticks(column, greatest),
        *_marks(column, uses),
        class_="strip",
    )


def _x(raw: float, column: Column) -> float:
    """Where a value lies on the strip."""
    scale = 2**column.fraction
    share = math.log1p(raw / scale) / math.log1p(((1 << column.bits) - 1) / scale)
    return _MARGIN + share * (_WIDTH - 2 * _MARGIN)


def _ticks(column: Column, greatest: int) -> list[str]:
    """0, the powers of ten in the unit, and the end; those too close to the end are left out."""
    values, power = [0], 1
    while power << column.fraction < greatest:
        values.append(power << column.fraction)
        power *= 10
    end = _x(greatest, column)
    values = [value for value in values if end - _x(value, column) > _LABEL_ROOM] + [greatest]
    plain = column._replace(unit="")
    places = [(_x(value, column), in_unit(value, plain)) for value in values]
    return [element("path", class_="axis", d="".join(f"M{x:.1f} {_BASE}v4" for x, _ in places))] + [
        text(label, x=x, y=_BASE + 15) for x, label in places
    ]


def _marks(column: Column, uses: Mapping[int, int]) -> list[str]:
    if not uses:
        return []
    most = max(uses.values())
    if len(uses) <= _NAMED_MARKS:
        return [
            element(
                "path",
                f"<title>≤ {escape(in_unit(threshold, column))}: {count(uses[threshold], 'test')}</title>",
                class_="mark",
                d=_line(_x(threshold, column), uses[threshold] / most),
            )
            for threshold in sorted(uses)
        ]
    # Those that fall on one pixel are one mark, as tall as the tallest.
    tallest: dict[int, int] = {}
    for threshold in sorted(uses):
        x = round(_x(threshold, column))
        tallest[x] = max(tallest.get(x, 0), uses[threshold])
    return [element("path", class_="mark", d="".join(_line(x, use / most) for x, use in tallest.items()))]


def _line(x: float, share: float) -> str:
    return f"M{x:.1f} {_BASE}v{-8 - 18 * share:.1f}"
