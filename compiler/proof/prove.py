"""prove: the forest circuit of an export equals its forest, for all inputs."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import z3

from hdl.vote_code import VoteCode

from ..errors import CheckFailed, InputError
from ..forest import Forest
from ..forest_json import read_forest
from ..manifest import changed_files, read_manifest, record
from ..passes import simplify
from ..plan import read_plan
from ..walker_plan import WalkerPlan
from .classes import prove_arg_max, prove_class_sums
from .gates import Gates
from .moving import moving
from .netlist import Bit, Netlist, check_ports, read_netlist
from .pipeline import check_depths, check_handshake
from .sums import prove_sum
from .votes import prove_vote
from .walker import WalkerProof, prove_walker
from .walker_netlist import read_walker

__all__ = ["Proof", "prove", "prove_circuit"]


@dataclass(frozen=True)
class Proof:
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


def prove(directory: str | Path, *, tell: Callable[[str], None] = lambda _: None) -> Proof | WalkerProof:
    """Prove the circuit in ``design.il`` of an export, write that into its manifest, raise with a counterexample else.

    Raises :class:`InputError` for what is no unchanged export, :class:`CheckFailed` with the flow, tree and node for
    which the circuit is wrong.
    """
    directory = Path(directory)
    manifest = read_manifest(directory)
    if changed := changed_files(directory, manifest):
        raise InputError(f"{directory / changed[0]}: is not as exported; export again")
    forest = read_forest(directory / "forest.json")
    # What was proved of an earlier circuit, or not, says nothing of this one.
    tell("reading the circuit")
    design, suffix = directory / "design.il", "forest" if manifest.top == "forest" else ".classifier.forest"
    if manifest.architecture["name"] == WalkerPlan.architecture:
        parameters = read_plan(forest, manifest.architecture, directory).parameters
        proof = prove_walker(read_walker(design, suffix), forest, parameters, tell=tell)
    else:
        proof = prove_circuit(read_netlist(design, suffix), forest, manifest.latency_cycles, tell=tell)
    record(
        directory,
        "proved",
        {
            "equal": True,
            "solver": f"z3 {z3.get_version_string()}",
            "seconds": round(proof.seconds, 1),
            **proof.figures,
            "assumptions": list(proof.assumptions),
        },
    )
    return proof


def prove_circuit(
    netlist: Netlist, forest: Forest, latency: int, *, tell: Callable[[str], None] = lambda _: None
) -> Proof:
    """Prove that a circuit, ``latency`` registers deep, gives score and verdict, or class, of a forest."""
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
            raise CheckFailed(f"{netlist.name}: {wrong.describe(forest)}")
    tell("sum of the votes")
    if forest.classes:
        totals = prove_class_sums(netlist, forest, codes, nets)
        tell("highest score")
        prove_arg_max(netlist, totals)
        return Proof(len(nets), len(registers), time.monotonic() - started)
    total = netlist.net("total")
    prove_sum(netlist, codes, nets, total)
    tell("verdict")
    _prove_answer(netlist, forest, total)
    return Proof(len(nets), len(registers), time.monotonic() - started)


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
