"""Passes keep every answer and leave nothing that they were made to remove."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from compiler.forest import Leaf, Node, Tree
from compiler.passes import drop_decided_tests, merge_equal_branches, simplify
from tests.forests import forests, rows_for


@given(forest=forests(), seed=st.integers(0, 2**16))
def test_answers_stay(forest, seed):
    rows = rows_for(forest, 60, seed)
    simple = simplify(forest)
    assert np.array_equal(simple.score(rows), forest.score(rows))
    assert sum(len(t.nodes) for t in simple.trees) <= sum(len(t.nodes) for t in forest.trees)


@given(forest=forests())
def test_nothing_is_left_to_simplify(forest):
    once = simplify(forest)
    assert simplify(once) == once


def test_branches_with_equal_leaves_are_merged():
    nodes = (Node(0, 5, 1, 2), Node(0, 3, 3, 4), Leaf(1), Leaf(-1), Leaf(-1))
    assert merge_equal_branches(Tree(2, nodes), [8]) == Tree(2, (Node(0, 5, 1, 2), Leaf(-1), Leaf(1)))


def test_equal_subtrees_are_merged_to_one_leaf_at_the_root():
    nodes = (Node(0, 5, 1, 2), Leaf(3), Node(1, 0, 3, 4), Leaf(3), Leaf(3))
    assert merge_equal_branches(Tree(1, nodes), [8, 1]) == Tree(1, (Leaf(3),))


def test_a_test_that_an_ancestor_has_settled_is_dropped():
    nodes = (Node(0, 5, 1, 2), Node(0, 9, 3, 4), Node(0, 5, 5, 6), Leaf(1), Leaf(2), Leaf(3), Leaf(4))
    assert drop_decided_tests(Tree(1, nodes), [8]) == Tree(1, (Node(0, 5, 1, 2), Leaf(1), Leaf(4)))


def test_a_threshold_that_no_value_exceeds_is_dropped():
    assert drop_decided_tests(Tree(1, (Node(0, 255, 1, 2), Leaf(1), Leaf(2))), [8]) == Tree(1, (Leaf(1),))


def test_chains_deeper_than_the_recursion_limit():
    depth = 3000
    nodes = [Node(0, 3000 - at // 2, at + 1, at + 2) if at % 2 == 0 else Leaf(at) for at in range(2 * depth)]
    chain = Tree(1, (*nodes, Leaf(0)))
    assert len(drop_decided_tests(chain, [12]).nodes) == 3
    assert merge_equal_branches(chain, [12]) == chain
