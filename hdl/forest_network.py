"""The combinational part of an unrolled forest as a network: features in, the vote codes of all trees out."""

import itertools
from collections.abc import Iterable, Mapping, Sequence

from .forest_parameters import ForestParameters
from .lut_network import FALSE, TRUE, LutNetwork, NetworkBuilder
from .threshold_network import add_thresholds
from .tree import Leaf, Tree
from .vote_code import VoteCode

__all__ = ["add_trees", "forest_network"]


def forest_network(parameters: ForestParameters) -> LutNetwork:
    """Comparisons, each once for all trees, and a multiplexer for every test of every tree.

    Inputs are the bits of the features, feature 0 and the least significant bit first; outputs the bits of the codes
    of the trees (:class:`VoteCode`) in the same order.
    """
    widths = parameters.feature_widths
    builder = NetworkBuilder(sum(widths))
    ends = list(itertools.accumulate(widths))
    at_most: dict[tuple[int, int], int] = {}
    for feature, (width, end) in enumerate(zip(widths, ends, strict=True)):
        nodes = add_thresholds(builder, builder.inputs[end - width : end], parameters.thresholds_of(feature))
        at_most |= {(feature, threshold): node for threshold, node in nodes.items()}
    return builder.network(add_trees(builder, parameters.trees, at_most))


def add_trees(builder: NetworkBuilder, trees: Iterable[Tree], at_most: Mapping[tuple[int, int], int]) -> list[int]:
    """Add multiplexers for all tests; give the nodes of the codes of the trees, in their order.

    ``at_most`` are the nodes of the comparisons, by feature and threshold.
    """
    return [node for tree in trees for node in _code_of(builder, tree, at_most)]


def _code_of(builder: NetworkBuilder, tree: Tree, at_most: Mapping[tuple[int, int], int]) -> Sequence[int]:
    """The nodes of the bits of a tree's code."""
    code = VoteCode.of(tree)
    number_of_step = {step: number for number, step in code.steps.items()}
    answers: dict[int, list[int]] = {}
    for at in tree.children_first():
        node = tree.nodes[at]
        if isinstance(node, Leaf):
            number = number_of_step[tree.weight * node.value - code.lowest]
            answers[at] = [TRUE if number >> bit & 1 else FALSE for bit in range(code.width)]
        else:
            goes_left = at_most[node.feature, node.threshold]
            branches = zip(answers.pop(node.left), answers.pop(node.right), strict=True)
            answers[at] = [builder.select(goes_left, left, right) for left, right in branches]
    return answers[0]
