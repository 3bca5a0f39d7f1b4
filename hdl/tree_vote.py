"""TreeVote: the multiplexers of one decision tree, from the bits of its comparisons to its vote."""

from collections.abc import Mapping
from dataclasses import dataclass

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .tree import Leaf, Tree

__all__ = ["TABLE_BITS", "TreeVote", "VoteCode"]

TABLE_BITS = 4
"""Inputs of a LUT: a table of so many vote bits costs one LUT a bit of its sum."""

_EXPRESSION_HEIGHT = 32


@dataclass(frozen=True)
class VoteCode:
    """How the vote of one tree travels from the tree to the adder.

    A tree of few distinct votes, most often the two of spam and background, sends the number of its vote in ascending
    order, and a table turns that into the vote. A tree of many sends the vote itself, less the lowest.

    Attributes
    ----------
    width:
        Bits of the code.
    lowest:
        The lowest vote.
    steps:
        For every code in use what its vote is above the lowest.
    tabulated:
        Whether codes are numbers of votes, so that ``steps`` is a table.
    """

    width: int
    lowest: int
    steps: Mapping[int, int]
    tabulated: bool

    @classmethod
    def of(cls, tree: Tree) -> "VoteCode":
        votes = sorted(tree.weight * value for value in tree.leaf_values)
        steps = [vote - votes[0] for vote in votes]
        width = (len(votes) - 1).bit_length()
        if width <= TABLE_BITS:
            return cls(width, votes[0], dict(enumerate(steps)), True)
        return cls(steps[-1].bit_length(), votes[0], {step: step for step in steps}, False)


class TreeVote(wiring.Component):
    """Walk one tree for every leaf at once: a multiplexer for each node.

    **Latency**: none, it is combinational.

    Parameters
    ----------
    tree:
        The tree.
    thresholds:
        The pairs (feature, threshold) that the bits of ``at_most`` stand for; every node tests one of them.

    Attributes
    ----------
    at_most:
        In: bit n is set when feature <= threshold of pair n.
    code:
        Out: the vote, as :class:`VoteCode` says.
    """

    def __init__(self, *, tree: Tree, thresholds: tuple[tuple[int, int], ...]):
        self.tree = tree
        self.vote_code = VoteCode.of(tree)
        self._pairs = {pair: index for index, pair in enumerate(thresholds)}
        super().__init__({"at_most": In(len(thresholds)), "code": Out(self.vote_code.width)})

    def elaborate(self, platform):
        m = Module()

        code_of_step = {step: code for code, step in self.vote_code.steps.items()}
        answers: dict[int, tuple[Value, int]] = {}
        for at in self.tree.children_first():
            node = self.tree.nodes[at]
            if isinstance(node, Leaf):
                step = self.tree.weight * node.value - self.vote_code.lowest
                answers[at] = Const(code_of_step[step], self.vote_code.width), 0
            else:
                goes_left = self.at_most[self._pairs[node.feature, node.threshold]]
                (left, left_height), (right, right_height) = answers.pop(node.left), answers.pop(node.right)
                answer, height = Mux(goes_left, left, right), 1 + max(left_height, right_height)
                answers[at] = self._named(m, answer, height)
        m.d.comb += self.code.eq(answers[0][0])

        return m

    def _named(self, m: Module, answer: Value, height: int) -> tuple[Value, int]:
        """The answer of a subtree; a high one gets a signal, because Amaranth recurses into expressions."""
        if height < _EXPRESSION_HEIGHT:
            return answer, height
        named = Signal(self.vote_code.width)
        m.d.comb += named.eq(answer)
        return named, 0
