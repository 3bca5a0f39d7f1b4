"""Forest: scores and verdicts against a walk written out for one row, and its id."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.forest import Band, Column, Forest, Leaf, Node, Tree
from tests.forests import class_forests, columns, forests, one_tree, rows_for


def walk(forest: Forest, row: list[int]) -> list[int]:
    """The score of every class, or the one there is."""
    scores = [0] * (len(forest.classes) or 1)
    for weight, nodes, class_index in forest.trees:
        node = nodes[0]
        while isinstance(node, Node):
            node = nodes[node.left if row[node.feature] <= node.threshold else node.right]
        scores[class_index] += weight * node.value
    return scores


@given(forest=forests(), seed=st.integers(0, 2**16))
def test_score_is_the_sum_of_the_votes(forest, seed):
    rows = rows_for(forest, 20, seed)
    scores = forest.score(rows)
    assert scores.dtype == np.int64
    assert scores.tolist() == [score for row in rows.tolist() for score in walk(forest, row)]
    lowest, highest = forest.score_range
    assert lowest <= scores.min() <= scores.max() <= highest


@given(forest=class_forests(), seed=st.integers(0, 2**16))
def test_every_class_has_the_sum_of_its_votes(forest, seed):
    forest.verify(catalogue=False)
    rows = rows_for(forest, 20, seed)
    scores = forest.score(rows)
    assert scores.shape == (20, len(forest.classes))
    walked = [walk(forest, row) for row in rows.tolist()]
    assert scores.tolist() == walked
    for at, (lowest, highest) in enumerate(forest.score_ranges):
        assert lowest <= scores[:, at].min() <= scores[:, at].max() <= highest
    best, decisions = forest.answer(rows)
    assert best.tolist() == [max(row) for row in walked]
    # index() finds the first.
    assert decisions.tolist() == forest.decide(rows).tolist() == [row.index(max(row)) for row in walked]


def test_a_tie_is_of_the_lowest_class():
    trees = [
        Tree(1, (Node(0, 9, 1, 2), Leaf(low), Leaf(high)), at)
        for at, (low, high) in enumerate([(0, 3), (3, 3), (3, 0)])
    ]
    forest = Forest(name="ties", columns=columns("maxpl"), trees=tuple(trees), classes=("a", "b", "c"))
    assert forest.decide([[9], [10]]).tolist() == [1, 0]


def test_threshold_itself_goes_left():
    rows = np.array([[1400, 0], [1400, 1], [1401, 0]])
    assert one_tree().score(rows).tolist() == [-1, 1, 1]


@pytest.mark.parametrize(("band", "verdicts"), [((0, 0), [-1, 0, 1]), ((-1, 0), [0, 0, 1]), ((-1, 1), [0, 0, 0])])
def test_the_ends_of_the_band_decide_nothing(band, verdicts):
    forest = one_tree(band=Band(*band))
    assert forest.verdicts(np.array([-1, 0, 1])).tolist() == verdicts


def test_decide_is_the_verdict_of_the_score():
    assert one_tree().decide([[1400, 0], [1401, 0]]).tolist() == [-1, 1]


def test_no_rows_are_no_scores():
    assert one_tree().score(np.zeros((0, 2), np.int64)).tolist() == []


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1, 0, 0]], r"^X must have shape \(rows, 2\), not \(1, 3\)$"),
        ([1, 0], r"^X must have shape \(rows, 2\), not \(2,\)$"),
        ([[1.0, 0.0]], "^X must hold integers, not float64$"),
        ([[1, 0], [70000, 0]], r"^Row 1 of X must hold 'maxpl' as unsigned\(16\), not 70000$"),
        ([[0, -1]], r"^Row 0 of X must hold 'syn' as unsigned\(1\), not -1$"),
    ],
)
def test_wrong_rows_are_named(rows, message):
    with pytest.raises(ValueError, match=message):
        one_tree().score(rows)


def test_score_reads_every_integer_type():
    rows = np.array([[1400, 1], [3, 0]])
    for kind in (np.uint16, np.int32, np.uint64):
        assert one_tree().score(rows.astype(kind)).tolist() == [1, -1]


OTHER_ANSWERS = {
    "columns": columns("maxtw", "syn"),
    "trees": (Tree(2, one_tree().trees[0].nodes),),
    "band": Band(0, 1),
    "ports": None,
    "orientation": "first",
    "directions": "forward",
    "min_packets": 3,
    "prefix": 7,
    "classes": ("ham", "spam"),
}
SAME_ANSWERS = {
    "name": "another",
    "validation_rows": 7,
    "monitor_only": True,
    "operating_point": {"budget": 100},
    "provenance": {"seed": 1},
    "score_fraction": 3,
    "score_error": 0.5,
}


@pytest.mark.parametrize("field", OTHER_ANSWERS)
def test_id_changes_with_what_changes_answers(field):
    assert dataclasses.replace(one_tree(), **{field: OTHER_ANSWERS[field]}).id != one_tree().id


@pytest.mark.parametrize("field", SAME_ANSWERS)
def test_id_stays_with_notes(field):
    assert dataclasses.replace(one_tree(), **{field: SAME_ANSWERS[field]}).id == one_tree().id


def test_every_field_is_known_to_change_answers_or_not():
    assert {field.name for field in dataclasses.fields(Forest)} == {*OTHER_ANSWERS, *SAME_ANSWERS}


def test_id_is_eight_hexadecimal_digits():
    assert len(one_tree().id) == 8
    assert int(one_tree().id, 16) < 2**32


def test_order_of_ports_does_not_change_the_id():
    assert one_tree(ports=(25, 587)).id == one_tree(ports=(587, 25)).id


def test_a_thousand_trees_of_depth_8_are_scored():
    nodes = tuple(Node(at % 2, at, 2 * at + 1, 2 * at + 2) for at in range(255)) + (Leaf(-1), Leaf(1)) * 128
    forest = Forest(name="large", columns=(Column("a", 8), Column("b", 8)), trees=(Tree(3, nodes),) * 1000)
    forest.verify(catalogue=False)
    row = [40, 200]
    assert forest.score([row]).tolist() == walk(forest, row)
