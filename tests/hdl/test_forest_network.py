"""The network of a forest gives the vote codes of its trees."""

import numpy as np
from hypothesis import given

from compiler.plan import forest_parameters
from hdl.forest_network import forest_network
from hdl.forest_parameters import ForestParameters
from hdl.tree import Leaf, Node, Tree
from hdl.vote_code import VoteCode
from tests.forests import forests, rows_for


def score(parameters, rows):
    """The sum of the votes that the codes of the network stand for."""
    bits = [
        [value >> bit & 1 for value, width in zip(row, parameters.feature_widths, strict=True) for bit in range(width)]
        for row in rows.tolist()
    ]
    outputs = forest_network(parameters).evaluate(np.array(bits, bool)).astype(int)
    total, at = np.zeros(len(rows), int), 0
    for tree in parameters.trees:
        code = VoteCode.of(tree)
        numbers = sum((outputs[:, at + bit] << bit for bit in range(code.width)), np.zeros(len(rows), int))
        total += [code.lowest + code.steps[number] for number in numbers.tolist()]
        at += code.width
    return total


@given(forest=forests())
def test_codes_are_the_votes(forest):
    rows = rows_for(forest, 60, 5)
    assert score(forest_parameters(forest), rows).tolist() == forest.score(rows).tolist()


def test_a_test_that_two_trees_ask_is_made_once():
    tree = Tree(1, (Node(0, 77, 1, 2), Leaf(-1), Leaf(1)))
    one = ForestParameters(feature_widths=(8,), trees=(tree,))
    two = ForestParameters(feature_widths=(8,), trees=(tree, tree._replace(weight=2)))
    assert len(forest_network(one).luts) == len(forest_network(two).luts)
