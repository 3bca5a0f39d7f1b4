"""Trees as pictures: one in full with its tests and votes, and one as large as a stamp that shows its shape."""

from html import escape

from hdl.tree import Node

from ..forest import Forest, Tree
from .quantities import condition, count
from .svg import CHARACTER_WIDTH, drawing, element, text
from .tree_folding import FoldedTree, fold
from .tree_layout import Box, Layout, lay_out
from .votes import vote_of

__all__ = ["MOST_BOXES", "draw_tree", "miniature"]

MOST_BOXES = 127
"""In one picture: a full tree of depth 6. What lies deeper is folded, so that a page stays small and can be read."""

_MOST_DOTS = 63
"""In a miniature."""

_PADDING, _MARGIN = 6, 2


def draw_tree(forest: Forest, number: int) -> str:
    """A tree as SVG: tests with threshold and unit, yes on the left, leaves with their votes."""
    tree = forest.trees[number]
    folded = fold(tree, MOST_BOXES)
    lines = {node: _lines(forest, tree, folded, node) for node in folded.nodes}
    widths = {node: _width(words) for node, (_, *words) in lines.items()}
    layout = lay_out(folded.children, widths, height=36, gap=8, level_gap=26)
    return drawing(
        layout.width + 2 * _MARGIN,
        layout.height + 2 * _MARGIN,
        f"tree {number}",
        element(
            "g",
            _edges(folded, layout),
            *_answers(folded, layout),
            *(_box(layout.boxes[node], node, *lines[node]) for node in folded.nodes),
            transform=f"translate({_MARGIN} {_MARGIN})",
        ),
        class_="tree",
    )


def _lines(forest: Forest, tree: Tree, folded: FoldedTree, node: int) -> tuple[str, str, str]:
    """Kind and the two lines of a node."""
    entry = tree.nodes[node]
    if node in folded.hidden:
        return "folded", "…", count(folded.hidden[node], "test")
    if isinstance(entry, Node):
        column = forest.columns[entry.feature]
        return "test", column.name, condition(entry, column)
    vote = vote_of(tree, entry)
    return vote.kind, vote.word, vote.amount


def _width(words: list[str]) -> int:
    return round(CHARACTER_WIDTH * max(map(len, words))) + 2 * _PADDING


def _box(box: Box, node: int, kind: str, first: str, second: str) -> str:
    return element(
        "g",
        f"<title>node {node}: {escape(first)} {escape(second)}</title>",
        element("rect", x=box.x, y=box.y, width=box.width, height=box.height, rx=2 if kind == "test" else 10),
        text(first, x=box.middle, y=box.y + 15),
        text(second, x=box.middle, y=box.y + 29),
        class_=kind,
    )


def _edges(folded: FoldedTree, layout: Layout) -> str:
    boxes = layout.boxes
    lines = [
        f"M{boxes[node].middle} {boxes[node].y + boxes[node].height}L{boxes[child].middle} {boxes[child].y}"
        for node, both in folded.children.items()
        for child in both
    ]
    return element("path", class_="edges", d="".join(lines)) if lines else ""


def _answers(folded: FoldedTree, layout: Layout) -> list[str]:
    """Which way is yes, said once, at the root."""
    if 0 not in folded.children:
        return []
    root, (left, right) = layout.boxes[0], (layout.boxes[child] for child in folded.children[0])
    # Three quarters down, where the words clear both the box above and the line below them.
    y = root.height + 13
    return [
        text("yes", x=(root.middle + 3 * left.middle) / 4, y=y, class_="answer end"),
        text("no", x=(root.middle + 3 * right.middle) / 4, y=y, class_="answer start"),
    ]


def miniature(tree: Tree) -> str:
    """The shape of a tree: its edges, and a dot for every leaf in the colour of its vote."""
    folded = fold(tree, _MOST_DOTS)
    layout = lay_out(folded.children, dict.fromkeys(folded.nodes, 4), height=4, gap=1, level_gap=4)
    dots: dict[str, list[str]] = {}
    for node in folded.nodes:
        if node in folded.hidden:
            kind = "folded"
        elif not isinstance(tree.nodes[node], Node):
            kind = vote_of(tree, tree.nodes[node]).kind
        else:
            continue
        box = layout.boxes[node]
        # A line without length, whose round ends are the dot: one path for all leaves of a kind.
        dots.setdefault(kind, []).append(f"M{box.middle} {box.y + 2}h0")
    return drawing(
        layout.width,
        layout.height,
        "shape",
        _edges(folded, layout),
        *(element("path", class_=kind, d="".join(places)) for kind, places in sorted(dots.items())),
        class_="shape",
    )
