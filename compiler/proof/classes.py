"""Several classes: the score of each is the sum of the votes for it, and the answer is the first highest score.

Cut where words meet: every choice between two scores is proved for all words that they could be.
"""

from collections.abc import Sequence
from typing import NamedTuple

import z3

from hdl.vote_code import VoteCode

from ..errors import CheckFailed
from ..forest import Forest
from .gates import Gates
from .netlist import Bit, Netlist
from .sums import prove_sum

__all__ = ["prove_arg_max", "prove_class_sums"]


def prove_class_sums(
    netlist: Netlist, forest: Forest, codes: Sequence[VoteCode], nets: Sequence[Sequence[Bit]]
) -> list[tuple[Bit, ...]]:
    """Prove that the word of every class is the sum of the votes for it; give the words."""
    totals = []
    for index, name in enumerate(forest.classes):
        members = [at for at, tree in enumerate(forest.trees) if tree.class_index == index]
        total = netlist.net(f"sum_{index}")
        try:
            prove_sum(netlist, [codes[at] for at in members], [nets[at] for at in members], total, numbers=members)
        except CheckFailed as failed:
            raise CheckFailed(f"class {name!r}: {failed}") from None
        totals.append(total)
    return totals


def prove_arg_max(netlist: Netlist, totals: Sequence[Sequence[Bit]]) -> None:
    """Prove that the answer is the highest of some signed words and its index, of equal words the lowest.

    Raises :class:`CheckFailed` with two scores of which the wrong one wins, or is told otherwise than it is.
    """
    width, index_width = max(len(total) for total in totals), (len(totals) - 1).bit_length()
    standing = [
        _Standing((*total, *total[-1:] * (width - len(total))), tuple(f"{index:0{index_width}b}"[::-1]), (index,))
        for index, total in enumerate(totals)
    ]
    # A choice between the firsts of two runs of neighbours is the first of both: so the last is the first of all.
    level = 0
    while len(standing) > 1:
        winners = []
        for at in range(len(standing) // 2):
            left, right = standing[2 * at : 2 * at + 2]
            nets = (netlist.net(f"arg_max.{name}_{level}_{at}") for name in ("winner", "winner_index"))
            winner = _Standing(*nets, left.classes + right.classes)
            _prove_choice(netlist, left, right, winner)
            winners.append(winner)
        standing = [*winners, *standing[len(standing) & ~1 :]]
        level += 1
    payload = netlist.net("o__payload")
    if len(payload) != width + index_width:
        raise CheckFailed(f"{netlist.name}: the answer must be {width + index_width} bits wide, not {len(payload)}")
    answer = _Standing(payload[:width], payload[width:], standing[0].classes)
    _prove_choice(netlist, standing[0], standing[0], answer)


class _Standing(NamedTuple):
    """The nets of a score that has won so far, of its index, and the classes that it has won against, itself too."""

    score: tuple[Bit, ...]
    index: tuple[Bit, ...]
    classes: tuple[int, ...]


def _prove_choice(netlist: Netlist, left: _Standing, right: _Standing, winner: _Standing) -> None:
    """Prove that one of two scores goes on with its index, the right one just when it is higher."""
    known: dict[int, z3.BoolRef] = {}
    # Words can share nets, and have bits that never change.
    agree: list[z3.BoolRef] = []

    def word(name: str, bits: Sequence[Bit]) -> z3.BitVecRef:
        variable = z3.BitVec(name, len(bits))
        for at, bit in enumerate(bits):
            term = z3.Extract(at, at, variable) == 1
            agree.append(term == (bit == "1") if isinstance(bit, str) else term == known.setdefault(bit, term))
        return variable

    left_score, left_index = word("left", left.score), word("left_index", left.index)
    right_score, right_index = word("right", right.score), word("right_index", right.index)
    gates = Gates(netlist, through=True, known=known)
    score = gates.word(winner.score, False, len(winner.score))
    index = gates.word(winner.index, False, len(winner.index))
    wins = right_score > left_score
    solver = z3.SolverFor("QF_BV")
    solver.add(
        *agree,
        z3.Or(score != z3.If(wins, right_score, left_score), index != z3.If(wins, right_index, left_index)),
    )
    answer = solver.check()
    if answer == z3.unknown:
        raise RuntimeError(f"The solver gave up on the highest score: {solver.reason_unknown()}")
    if answer == z3.sat:
        values = [solver.model().eval(each, model_completion=True) for each in (left_score, right_score, score, index)]
        first, second, said = (value.as_signed_long() for value in values[:3])
        raise CheckFailed(
            f"{netlist.name}: of class {_names(left)} with score {first} and {_names(right)} with {second} "
            f"the circuit goes on with score {said} of class {values[3].as_long()}"
        )


def _names(standing: _Standing) -> str:
    return " or ".join(map(str, standing.classes))
