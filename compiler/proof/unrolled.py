"""prove_circuit: an unrolled forest circuit answers as its forest does, for all inputs.

It is cut at the votes and their sum: trees one by one, adders as integers, and the verdict or the class of every score.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import z3

from hdl.vote_code import TABLE_BITS, VoteCode

from ..errors import CheckFailed
from ..forest import Forest
from ..passes import simplify
from .classes import prove_arg_max, prove_class_sums
from .gates import Gates
from .moving import moving
from .netlist import Bit, Netlist, check_ports
from .pipeline import check_depths, check_handshake
from .sums import prove_sum
from .votes import WrongVote, prove_vote

__all__ = ["UnrolledProof", "prove_circuit"]


@dataclass(frozen=True)
class UnrolledProof:
    """What was proved.

    Attributes
    ----------
    trees: votes that equal those of their trees for all inputs
    registers: in the pipeline, at the same depth on every way
    seconds: the whole took
    """

    trees: int
    registers: int
    seconds: float

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What was taken for granted, a line each."""
        return (
            "Yosys reads RTLIL and turns processes and words into gates as they are meant",
            "the solver is right where it finds no counterexample",
            "the circuit is reset before the first flow, and a flow that is offered is held until it is taken",
        )

    @property
    def figures(self) -> Mapping[str, int]:
        """For the manifest."""
        return {"trees": self.trees, "registers": self.registers}


def prove_circuit(
    netlist: Netlist,
    forest: Forest,
    latency: int,
    *,
    table_bits: int = TABLE_BITS,
    describe: Callable[[WrongVote], str] | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> UnrolledProof:
    """Prove that a circuit, ``latency`` registers deep, gives score and verdict, or class, of a forest.

    ``table_bits`` of votes are looked up together in it, as :func:`~compiler.proof.sums.prove_sum` has to know.
    ``describe`` says of a counterexample what is wrong, by default in the terms of this forest.
    """
    started = time.monotonic()
    tell("pipeline")
    check_ports(netlist, sum(column.bits for column in forest.columns))
    whole, netlist = netlist, moving(netlist)
    registers = check_depths(netlist, latency)
    check_handshake(whole, registers, latency)
    # The passes are not trusted: how votes are numbered comes from them, what the votes are from the forest itself.
    simple = simplify(forest)
    codes = [VoteCode.of(tree) for tree in simple.trees]
    vote = "vote" if forest.classes else "code"
    nets = [netlist.net(f"{vote}_{tree}") if code.width else () for tree, code in enumerate(codes)]
    for tree, bits in enumerate(nets):
        tell(f"tree {tree} of {len(nets)}")
        if wrong := prove_vote(netlist, forest, tree, codes[tree], bits):
            raise CheckFailed(f"{netlist.name}: {describe(wrong) if describe else wrong.describe(forest)}")
    tell("sum of the votes")
    if forest.classes:
        totals = prove_class_sums(netlist, forest, codes, nets)
        tell("highest score")
        prove_arg_max(netlist, totals)
        return UnrolledProof(len(nets), len(registers), time.monotonic() - started)
    total = netlist.net("total")
    prove_sum(netlist, codes, nets, total, table_bits=table_bits)
    tell("verdict")
    _prove_answer(netlist, forest, total)
    return UnrolledProof(len(nets), len(registers), time.monotonic() - started)


def _prove_answer(netlist: Netlist, forest: Forest, total: Sequence[Bit]) -> None:
    """Score and verdict, for every total that the votes can make."""
    score = z3.BitVec("score", len(total))
    known = {bit: z3.Extract(at, at, score) == 1 for at, bit in enumerate(total) if isinstance(bit, int)}
    gates = Gates(netlist, through=True, known=known)
    # The band and the ends of the range may lie beyond what the bits of the score can say.
    wide = z3.SignExt(64 - len(total), score)
    lowest, highest = forest.score_range
    constants = [z3.Extract(at, at, score) == int(bit) for at, bit in enumerate(total) if isinstance(bit, str)]
    possible = z3.And(wide >= lowest, wide <= highest, *constants)
    *said_score, spam_or_background, background = netlist.net("o__payload")
    expected_spam, expected_background = wide > forest.band.hi, wide < forest.band.lo
    if len(said_score) != len(total):
        raise CheckFailed(f"{netlist.name}: the score must be {len(total)} bits wide, not {len(said_score)}")
    for at, bit in enumerate(said_score):
        expected = z3.Extract(at, at, score) == 1
        gates.require(
            z3.Implies(possible, gates.of(bit) == expected), f"{netlist.name}: bit {at} of the score is wrong"
        )
    for bit, expected in (
        (spam_or_background, z3.Or(expected_spam, expected_background)),
        (background, expected_background),
    ):
        gates.require(
            z3.Implies(possible, gates.of(bit) == expected),
            f"{netlist.name}: the verdict is not that of the band {tuple(forest.band)}",
        )
