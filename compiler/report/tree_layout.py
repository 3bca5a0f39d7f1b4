"""Where the boxes of a tree lie: level below level, parents in the middle over their children, and narrow.

After Reingold and Tilford (1981): two subtrees are moved together until their outlines are a gap apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Box", "Layout", "lay_out"]


class Box(NamedTuple):
    """A rectangle in whole pixels; ``x`` and ``y`` are its upper left corner."""

    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> int:
        return self.x + self.width // 2


@dataclass(frozen=True)
class Layout:
    """The box of every node, all at or right of and below 0, and the room they take."""

    boxes: Mapping[int, Box]
    width: int
    height: int


class _Span(NamedTuple):
    """The room that a subtree takes on one level, seen from the middle of its root."""

    left: int
    right: int


def lay_out(
    children: Mapping[int, tuple[int, int]],
    widths: Mapping[int, int],
    *,
    height: int,
    gap: int,
    level_gap: int,
) -> Layout:
    """Lay out the tree of node 0.

    Parameters
    ----------
    children:
        The left and the right child of every node that has any.
    widths:
        Of the box of every node, rounded up to even.
    height:
        Of every box.
    gap, level_gap:
        The least distance of two boxes side by side, and that of two levels.
    """
    outlines: dict[int, list[_Span]] = {}
    # How far a node lies beside its parent.
    beside = {0: 0}
    order = _parents_first(children)
    for node in reversed(order):
        half = (widths[node] + 1) // 2
        outline = [_Span(-half, half)]
        if node in children:
            left, right = children[node]
            apart = _distance(outlines[left], outlines[right], gap)
            beside[left], beside[right] = -apart, apart
            outline += _joined(outlines.pop(left), outlines.pop(right), apart)
        outlines[node] = outline
    return _placed(order, children, widths, beside, outlines[0], height, level_gap)


def _parents_first(children: Mapping[int, tuple[int, int]]) -> list[int]:
    order, ahead = [], [0]
    while ahead:
        order.append(node := ahead.pop())
        ahead += children.get(node, ())
    return order


def _distance(left: list[_Span], right: list[_Span], gap: int) -> int:
    """Of either child from the middle between them, so that no level of the two comes closer than the gap."""
    apart = max(a.right - b.left for a, b in zip(left, right, strict=False)) + gap
    return (apart + 1) // 2


def _joined(left: list[_Span], right: list[_Span], apart: int) -> list[_Span]:
    shared = min(len(left), len(right))
    spans = [_Span(a.left - apart, b.right + apart) for a, b in zip(left, right, strict=False)]
    spans += [_Span(a.left - apart, a.right - apart) for a in left[shared:]]
    spans += [_Span(b.left + apart, b.right + apart) for b in right[shared:]]
    return spans


def _placed(
    order: list[int],
    children: Mapping[int, tuple[int, int]],
    widths: Mapping[int, int],
    beside: Mapping[int, int],
    outline: list[_Span],
    height: int,
    level_gap: int,
) -> Layout:
    middles, levels = {0: -min(span.left for span in outline)}, {0: 0}
    boxes = {}
    for node in order:
        half = (widths[node] + 1) // 2
        boxes[node] = Box(middles[node] - half, levels[node] * (height + level_gap), 2 * half, height)
        for child in children.get(node, ()):
            middles[child] = middles[node] + beside[child]
            levels[child] = levels[node] + 1
    width = middles[0] + max(span.right for span in outline)
    return Layout(boxes, width, len(outline) * (height + level_gap) - level_gap)
