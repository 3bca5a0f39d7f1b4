"""The combinational part of an unrolled forest as a network: features in, the vote codes of all trees out."""

import itertools
from collections.abc import Mapping, Sequence

from .forest_parameters import ForestParameters
from .lut_network import FALSE, TRUE, LutNetwork, NetworkBuilder
from .threshold_network import add_thresholds
from .tree import Leaf, Tree
from .vote_code import VoteCode

__all__ = ["forest_network"]


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
        thresholds = [threshold for tested, threshold in parameters.thresholds if tested == feature]
        nodes = add_thresholds(builder, builder.inputs[end - width : end], thresholds)
        at_most |= {(feature, threshold): node for threshold, node in nodes.items()}
    outputs = [node for tree in parameters.trees for node in _code_of(builder, tree, at_most)]
    return builder.network(outputs)


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
