"""Drawings of a report: every node is there once and no two boxes overlap, whatever the tree."""

import re
from collections import Counter
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.forest import Band, Column, Leaf, Node, Tree
from compiler.report.quantities import in_unit, per_second, time_text
from compiler.report.score_drawing import draw_score
from compiler.report.threshold_drawing import draw_thresholds
from compiler.report.tree_drawing import MOST_BOXES, draw_tree, miniature
from compiler.report.tree_folding import fold
from compiler.report.tree_layout import lay_out
from compiler.report.votes import vote_of
from tests.forests import forests, grown_forest, one_tree


def chain(tests: int) -> Tree:
    """A tree as deep as it has tests."""
    nodes: list = []
    for at in range(tests):
        nodes += [Node(0, at, 2 * at + 1, 2 * at + 2), Leaf(1)]
    return Tree(1, (*nodes, Leaf(-1)))


@given(forests(), st.integers(1, 40))
def test_what_is_not_drawn_is_counted(forest, most):
    for tree in forest.trees:
        folded = fold(tree, most)
        assert len(folded.nodes) == len(set(folded.nodes)) <= most
        tests = sum(isinstance(node, Node) for node in tree.nodes)
        assert len(folded.children) + sum(folded.hidden.values()) == tests
        for node in folded.nodes:
            drawn = isinstance(tree.nodes[node], Leaf) or node in folded.children
            assert drawn != (node in folded.hidden)


@given(forests(), st.randoms(use_true_random=False), st.integers(0, 20), st.integers(0, 30))
def test_boxes_do_not_overlap(forest, random, gap, level_gap):
    for tree in forest.trees:
        folded = fold(tree, len(tree.nodes))
        widths = {node: random.randint(1, 200) for node in folded.nodes}
        layout = lay_out(folded.children, widths, height=10, gap=gap, level_gap=level_gap)
        boxes = layout.boxes
        assert set(boxes) == set(range(len(tree.nodes)))
        for a, b in combinations(boxes.values(), 2):
            beside = a.x + a.width + gap <= b.x or b.x + b.width + gap <= a.x
            assert beside if a.y == b.y else abs(a.y - b.y) >= 10 + level_gap
        assert min(box.x for box in boxes.values()) == min(box.y for box in boxes.values()) == 0
        assert max(box.x + box.width for box in boxes.values()) == layout.width
        assert max(box.y + box.height for box in boxes.values()) == layout.height
        for node, (left, right) in folded.children.items():
            assert boxes[left].middle + boxes[right].middle == 2 * boxes[node].middle
            assert boxes[left].middle < boxes[node].middle
            assert boxes[left].y == boxes[right].y == boxes[node].y + 10 + level_gap


def test_the_two_children_are_as_close_as_they_may():
    layout = lay_out({0: (1, 2)}, {0: 10, 1: 30, 2: 20}, height=5, gap=3, level_gap=5)
    assert layout.boxes[1].x == 0
    assert 3 <= layout.boxes[2].x - 30 <= 4


@given(forests(catalogue=True))
def test_every_node_is_drawn_once(forest):
    for number, tree in enumerate(forest.trees):
        svg = draw_tree(forest, number)
        drawn = Counter(map(int, re.findall(r"<title>node (\d+): ", svg)))
        assert drawn == Counter(range(len(tree.nodes)))
        for node, entry in enumerate(tree.nodes):
            if isinstance(entry, Node):
                column = forest.columns[entry.feature]
                assert f"<title>node {node}: {column.name} ≤ {in_unit(entry.threshold, column)}</title>" in svg
            else:
                vote = vote_of(tree, entry)
                assert f'<g class="{vote.kind}"><title>node {node}: {vote.word} {vote.amount}</title>' in svg
        kinds = Counter(vote_of(tree, entry).kind for entry in tree.nodes if isinstance(entry, Leaf))
        dots = re.findall(r'<path class="(spam|background|neither)" d="([^"]*)"', miniature(tree))
        assert Counter({kind: places.count("M") for kind, places in dots}) == kinds


@pytest.mark.parametrize(("tree", "hidden"), [(chain(5000), 4937), (grown_forest(trees=1, depth=10).trees[0], 960)])
def test_a_large_tree_is_folded(tree, hidden):
    forest = grown_forest(trees=1)
    svg = draw_tree(type(forest)(name="large", columns=forest.columns, trees=(tree,)), 0)
    assert len(re.findall("<title>", svg)) <= MOST_BOXES
    assert sum(int(tests) for tests in re.findall(r"<title>node \d+: … (\d+) tests?</title>", svg)) == hidden
    assert len(svg) < 60_000
    assert len(miniature(tree)) < 2_500


@pytest.mark.parametrize(
    ("value", "kind", "amount"), [(2, "spam", "+6"), (-1, "background", "−3"), (0, "neither", "0")]
)
def test_votes(value, kind, amount):
    vote = vote_of(Tree(3, (Leaf(value),)), Leaf(value))
    assert (vote.kind, vote.amount) == (kind, amount)


@given(st.integers(1, 24), st.data())
def test_marks_lie_on_the_axis(bits, data):
    column = Column("x", bits, data.draw(st.integers(0, bits)), "u")
    greatest = (1 << bits) - 1
    uses = data.draw(st.dictionaries(st.integers(0, greatest), st.integers(1, 9), min_size=1, max_size=150))
    svg = draw_thresholds(column, uses)
    marks = [float(x) for path in re.findall(r'class="mark" d="([^"]*)"', svg) for x in re.findall(r"M([\d.]+) ", path)]
    assert marks == sorted(marks)
    assert all(34 <= x <= 606 for x in marks)
    labels = [float(x) for x in re.findall(r'<text x="([\d.]+)"', svg)]
    assert all(b - a > 5 for a, b in pairwise(labels))
    assert (labels[0], labels[-1]) == (34, 606)
    named = re.findall(r"<title>≤ \S+ u: (\d+) tests?</title>", svg)
    assert not named if len(uses) > 100 else list(map(int, named)) == [uses[value] for value in sorted(uses)]


@given(forests())
def test_the_parts_of_the_score_fill_its_range(forest):
    svg = draw_score(forest)
    rectangles = re.findall(r'<rect class="\w+" x="([\d.]+)" y="22" width="([\d.]+)"', svg)
    parts = [(float(x), float(width)) for x, width in rectangles]
    lowest, highest = forest.score_range
    if lowest < highest:
        assert parts[0][0] == 100
        assert abs(sum(width for _, width in parts) - 440) < 0.2
    assert f"band from {forest.band.lo} to {forest.band.hi}" in svg


def test_a_band_beyond_the_range():
    svg = draw_score(one_tree(band=Band(-1000, 1000)))
    assert re.findall(r'<rect class="(\w+)"', svg) == ["neither"]


@pytest.mark.parametrize(
    ("raw", "column", "text"),
    [
        (470, Column("slas", 18, 2, "bytes"), "117.5 bytes"),
        (400, Column("slas", 18, 2, "bytes"), "100 bytes"),
        (100, Column("maxpl", 16, 0, "bytes"), "100 bytes"),
        (0, Column("syn", 1), "0"),
        (1, Column("x", 24, 24), "0.000000059604644775390625"),
    ],
)
def test_values_in_their_unit(raw, column, text):
    assert in_unit(raw, column) == text


def test_times_and_rates():
    assert [time_text(2 / 24e6), time_text(1e-5), time_text(0.25), time_text(3)] == [
        "83.33 ns",
        "10 µs",
        "250 ms",
        "3 s",
    ]
    assert [per_second(24e6), per_second(12096.4)] == ["24 million/s", "12096/s"]
