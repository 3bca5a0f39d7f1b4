"""The rows of a walker say what the forest says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peer_models import FOLDER, peer_model
from compiler.forest import Band, Column, Forest
from compiler.plan import forest_parameters
from hdl.tree import Leaf, Node, Tree
from hdl.walker_table import GATE, WalkerTable
from tests.forests import forests, grown_forest, rows_for


def walks(table, rows):
    return [table.walk(row)[:2] for row in rows.tolist()]


def answers(forest, rows):
    scores = forest.score(rows)
    return list(zip(scores.tolist(), forest.verdicts(scores).tolist(), strict=True))


@settings(max_examples=200)
@given(forest=forests(), more_bits=st.integers(0, 2), seed=st.integers(0, 2**16))
def test_a_walk_gives_score_and_verdict(forest, more_bits, seed):
    parameters = forest_parameters(forest)
    table = WalkerTable.of(parameters)
    table = WalkerTable.of(parameters, root_bits=table.root_bits + more_bits)
    rows = rows_for(forest, 50, seed)
    assert walks(table, rows) == answers(forest, rows)
    assert max(table.walk(row)[2] for row in rows.tolist()) <= table.most_visits


def test_pairs_of_tests_stand_side_by_side_at_even_rows():
    table = WalkerTable.of(forest_parameters(grown_forest(trees=9, depth=4, seed=5)))
    pairs = [row.pointer for row in table.rows[GATE + 1 :] if row.both and row.pointer != GATE]
    assert pairs
    assert all(pointer % 2 == 0 for pointer in pairs)


def test_equal_subtrees_of_different_trees_share_a_row():
    below = (Node(1, 5, 3, 4), Leaf(1), Leaf(-1), Leaf(1))
    trees = tuple(Tree(weight, (Node(0, threshold, 1, 2), *below)) for weight, threshold in ((3, 1), (5, 2), (7, 3)))
    forest = Forest(name="alike", columns=(Column("a", 4), Column("b", 4)), trees=trees, band=Band(0, 0))
    table = WalkerTable.of(forest_parameters(forest))
    assert sum(row.threshold == 5 and row.feature == 1 for row in table.rows) == 1


def test_a_band_beyond_all_scores_takes_no_more_bits():
    forest = grown_forest(trees=3, depth=2, seed=1)
    near = WalkerTable.of(forest_parameters(forest))
    far = WalkerTable.of(
        forest_parameters(Forest(name="f", columns=forest.columns, trees=forest.trees, band=Band(-(10**9), 10**9)))
    )
    assert far.score_bits <= near.score_bits + 1


@pytest.mark.skipif(not FOLDER.is_dir(), reason="needs the models in ../shared/bench")
def test_the_benchmark_forest_fits_eleven_bits():
    table = WalkerTable.of(forest_parameters(peer_model("vote60d5").forest))
    assert (len(table.rows) - 1).bit_length() == 11
    assert table.most_visits == 302
