"""The votes: the code that the circuit gives for every tree is that of the leaf that the tree reaches."""

from collections.abc import Sequence
from typing import NamedTuple

import z3

from hdl.tree import Leaf, Tree
from hdl.vote_code import VoteCode

from ..forest import Forest
from .gates import Gates
from .netlist import Bit, Netlist

__all__ = ["WrongVote", "prove_vote"]


class WrongVote(NamedTuple):
    """A flow for which the circuit is wrong.

    Attributes
    ----------
    features: their values, in the order of the columns
    tree, node: the tree, and its leaf that the flow reaches
    vote, expected: of the tree, as the circuit says and as it should
    """

    features: tuple[int, ...]
    tree: int
    node: int
    vote: int
    expected: int

    def describe(self, forest: Forest) -> str:
        """One line with the names of the features that the tree asks for."""
        asked = sorted({node.feature for node in forest.trees[self.tree].nodes if not isinstance(node, Leaf)})
        values = ", ".join(f"{forest.columns[feature].name} = {self.features[feature]}" for feature in asked)
        return (
            f"tree {self.tree}, node {self.node}: the vote is {self.expected}, the circuit's {self.vote}, "
            f"for {values or 'any flow'}"
        )


def prove_vote(netlist: Netlist, forest: Forest, number: int, code: VoteCode, bits: Sequence[Bit]) -> WrongVote | None:
    """Prove that ``bits`` are the code of tree ``number`` for every flow; else give a flow for which they are not.

    A leaf whose vote has no code must be one that no flow reaches.
    """
    tree = forest.trees[number]
    variables = [z3.BitVec(f"feature_{index}", column.bits) for index, column in enumerate(forest.columns)]
    inputs = [z3.Extract(bit, bit, variable) == 1 for variable in variables for bit in range(variable.size())]
    known = dict(zip(netlist.net("i__payload"), inputs, strict=True))
    gates = Gates(netlist, through=True, known={bit: term for bit, term in known.items() if isinstance(bit, int)})

    # One bit more than codes have, for the leaves that have none.
    width = len(bits) + 1
    said = z3.BitVecVal(0, width)
    for place, bit in enumerate(bits):
        said |= z3.If(gates.of(bit), z3.BitVecVal(1 << place, width), z3.BitVecVal(0, width))
    solver = z3.SolverFor("QF_BV")
    solver.add(said != _code_of(tree, code, variables, width))
    answer = solver.check()
    if answer == z3.unsat:
        return None
    if answer == z3.unknown:
        raise RuntimeError(f"The solver gave up on tree {number}: {solver.reason_unknown()}")
    model = solver.model()
    features = tuple(model.eval(variable, model_completion=True).as_long() for variable in variables)
    leaf = _leaf_of(tree, features)
    return WrongVote(
        features,
        number,
        leaf,
        vote=code.lowest + code.steps.get(model.eval(said, model_completion=True).as_long(), 0),
        expected=tree.weight * tree.nodes[leaf].value,
    )


def _code_of(tree: Tree, code: VoteCode, variables: Sequence[z3.BitVecRef], width: int) -> z3.BitVecRef:
    numbers = {step: number for number, step in code.steps.items()}
    terms: dict[int, z3.BitVecRef] = {}
    for at in tree.children_first():
        node = tree.nodes[at]
        if isinstance(node, Leaf):
            number = numbers.get(tree.weight * node.value - code.lowest, 1 << width - 1)
            terms[at] = z3.BitVecVal(number, width)
        else:
            test = z3.ULE(variables[node.feature], node.threshold)
            terms[at] = z3.If(test, terms[node.left], terms[node.right])
    return terms[0]


def _leaf_of(tree: Tree, features: Sequence[int]) -> int:
    at = 0
    while not isinstance(node := tree.nodes[at], Leaf):
        at = node.left if features[node.feature] <= node.threshold else node.right
    return at
