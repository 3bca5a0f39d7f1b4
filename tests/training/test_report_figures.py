"""Parts of the report that can be checked by themselves."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier

from compiler.errors import InputError
from compiler.export_fields import IPV4_TEMPLATE, export_messages
from compiler.features import UNIVERSAL, accumulators_of
from hdl.entry_layout import EntryLayout
from hdl.ipfix import Opcode
from sim.capture import read_capture
from sim.ipfix_messages import Collector
from tests.training.cases import SLICE
from training.report.ack_packets import fitted_line
from training.report.captured import captured_of
from training.report.class_tree import draw_class_tree
from training.report.contents import minus, percent, thousands
from training.report.densities import bin_edges, is_heavy_tailed
from training.report.drawing import finish, new_axes, plot_style
from training.report.label_places import name_points
from training.report.paper import RULES_CONFUSION, SEPARATION_CONFUSION, SUBCLASSES
from training.report.reduction import REDUCED, record_bytes


@pytest.mark.parametrize("features", [UNIVERSAL, REDUCED])
def test_bytes_of_a_record_are_those_of_the_template(features):
    messages = export_messages(EntryLayout(accumulators_of(features)), forest_id=0, build_id=0)
    # What is not literal, times and sequence numbers, does not matter here.
    template = bytes(step.operand if step.opcode is Opcode.LITERAL else 0 for step in messages.templates)
    collector = Collector()
    collector.read(template)
    assert record_bytes(features) == collector.templates[0][IPV4_TEMPLATE].least_bytes


def test_captured_bytes():
    path = SLICE / "test.pcap.gz"
    frames = list(read_capture(path))
    captured = captured_of(path, frozenset({25, 587}))
    assert captured.frames == len(frames)
    assert captured.wire_bytes == sum(frame.wire_length for frame in frames)
    assert captured.header_bytes == sum(len(frame.data) for frame in frames)
    assert captured_of(path, frozenset({26})).frames == 0


@given(st.integers(-20, 20), st.lists(st.integers(1, 1000), min_size=2, max_size=50))
def test_line_through_points_on_a_line(intercept, packets):
    sp = np.array(packets)
    if np.ptp(sp) == 0:
        with pytest.raises(InputError, match=rf"all flows have {sp[0]} packets"):
            fitted_line(sp, sp)
        return
    line = fitted_line(sp, 3 * sp + intercept)
    assert (round(line.slope, 6), round(line.intercept, 4), round(line.r, 9)) == (3, intercept, 1)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=60), st.booleans())
def test_every_value_is_in_a_bin(values, heavy):
    values = np.array(values)
    edges = bin_edges(values.astype(float), heavy)
    assert (np.diff(edges) > 0).all()
    assert np.histogram(values, edges)[0].sum() == len(values)


def test_the_largest_value_of_a_logarithmic_axis_is_in_a_bin():
    assert np.histogram([64, 1500], bin_edges(np.array([64.0, 1500.0]), True))[0].tolist() == [1, *[0] * 38, 1]


def test_tails():
    assert is_heavy_tailed(np.array([1, 1, 1, 11]))
    assert not is_heavy_tailed(np.array([1, 1, 1, 10]))
    assert bin_edges(np.array([3.0, 5.0]), False).tolist() == [2.5, 3.5, 4.5, 5.5]


def test_numbers_in_words():
    assert (thousands(1234567), percent(0.12345), minus("0.1 (-0.2–-0.1)")) == (
        "1 234 567",
        "12.3 %",
        "0.1 (−0.2–−0.1)",
    )


def test_the_figures_of_the_paper_agree_with_each_other():
    assert round(sum(said.share for said in SUBCLASSES), 1) == 100
    for said in SUBCLASSES:
        assert round(said.dnsbl + said.y_spam, 1) == 100
    rules, parted = (np.array(list(matrix.values())) for matrix in (RULES_CONFUSION, SEPARATION_CONFUSION))
    assert np.trace(rules) / rules.sum() > 0.99
    assert round(100 * np.trace(parted) / parted.sum()) == 97
    falsely = 100 * (1 - np.diag(parted) / parted.sum(axis=0))
    assert [round(share, 1) for share in falsely[1:].tolist()] == [5.5, 0.2, 13.8]
    assert round(100 * (1 - parted[0, 0] / parted[0].sum())) == 30
    largest = rules.sum(axis=1).argmax() + 1
    assert SUBCLASSES[0].number == largest


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=1, max_size=25))
def test_names_hide_nothing(places):
    points = {f"feature{at}": place for at, place in enumerate(places)}
    with plot_style():
        _, (axes,) = new_axes(5, 5)
        axes.set(xlim=(-5, 105), ylim=(-5, 105))
        unnamed = name_points(axes, points)
        boxes = [text.get_window_extent() for text in axes.texts if text.get_text()]
    named = [name for text in axes.texts if text.get_text() for name in text.get_text().split(", ")]
    assert sorted([*named, *unnamed]) == sorted(points)
    for at, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:at])
        pixels = axes.transData.transform(places)
        assert not any(box.contains(*pixel) for pixel in pixels)


def test_a_tree_is_drawn_with_every_leaf():
    generator = np.random.default_rng(5)
    X = generator.integers(0, 1000, (400, 2))
    classes = (X[:, 0] > 300).astype(int) + (X[:, 1] > 500)
    tree = DecisionTreeClassifier(random_state=0).fit(X, classes)
    with plot_style():
        drawn = draw_class_tree(tree, ("maxpl", "slas"), "tree", "A tree", "")
    words = re.findall(r"<text[^>]*>([^<]*)</text>", drawn.svg)
    leaves = [re.fullmatch(r"(\d+) flows, 100 %", word) for word in words]
    assert sum(int(leaf[1]) for leaf in leaves if leaf) == 400
    assert sum(word.startswith(("class", "subclass")) for word in words) == tree.get_n_leaves()
    # A mean has two bits behind the point.
    root = int(np.floor(tree.tree_.threshold[0]))
    assert f"≤ {root if tree.tree_.feature[0] == 0 else f'{root / 4:g}'} bytes" in words
    assert (words.count("yes"), words.count("no")) == (tree.get_n_leaves() - 1,) * 2


def test_names_of_sources_are_escaped():
    with plot_style():
        figure, (axes,) = new_axes(2, 2)
        axes.set_title("<script>")
        drawn = finish(figure, "figure", '"<script>&', "")
    assert "<script>" not in drawn.svg
    assert 'aria-label="&quot;&lt;script&gt;&amp;"' in drawn.svg
