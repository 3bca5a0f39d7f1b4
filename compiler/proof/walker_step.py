"""A step of a walk: what the gates of a lane do with a row, for any contents of the tables and any state of the lane.

The walk that is in the first stage is followed through all stages, from any state that keeps the invariants of
``walker_turns``. What its row, the root that comes next, its score and the signs of it are behind the step is compared
with a description of it in whole numbers, and so is whether it takes a flow or answers, and what then leaves the lane.
"""

import z3

from hdl.walker_table import GATE

from .claims import Claims
from .clocks import Clocks, as_word
from .lane_nets import LaneNets
from .walker_rows import WalkerRows
from .walker_turns import next_flow, turns

__all__ = ["at_rest", "prove_step"]


def _late(lane: LaneNets) -> int:
    """Clocks after the first stage in which a vote is added."""
    return int(lane.parameters.stages > 3)


class _State:
    """A walk in the first stage, with what the step before is still to change: the next root, the score, its signs."""

    def __init__(self, clocks: Clocks, lane: LaneNets, clock: int):
        late = _late(lane)
        self.row = clocks.word(clock, lane.memory("thresholds").read_address)
        self.selector = clocks.word(clock, lane.memory("selectors").read_data)
        self.busy, self.ready, self.lap = (
            clocks.bit(clock, lane.walk(0, field)[0]) for field in ("busy", "ready", "lap")
        )
        self.number = clocks.word(clock, lane.walk(0, "number"))
        self.tree = clocks.word(clock + 1, lane.walk(1, "tree"))
        self.score = clocks.word(clock + 1 + late, lane.walk(1 + late, "score"))
        self.below, self.not_above = (
            clocks.bit(clock + 1 + late, lane.walk(1 + late, field)[0]) for field in ("below", "not_above")
        )


class _Step:
    """What a step must make of a state."""

    def __init__(self, clocks: Clocks, lane: LaneNets, state: _State):
        size, stages = lane.parameters.size, lane.parameters.stages
        flow_address = z3.Concat(state.number, as_word([state.lap]), state.selector)
        self.value = lane.read(clocks, "flows", flow_address, 0)
        self.inverted = lane.read(clocks, "thresholds", state.row, 0)
        total = z3.ZeroExt(1, self.value) + z3.ZeroExt(1, self.inverted)
        greater = z3.Extract(size.value_bits, size.value_bits, total) == 1

        link = lane.read(clocks, "links", state.row, 0)
        side_bits = size.number_bits + 1
        pointer, left, right = (
            z3.Extract(low + width - 1, low, link)
            for low, width in (
                (0, size.row_bits),
                (size.row_bits, side_bits),
                (size.row_bits + side_bits, side_bits),
            )
        )
        left_leaf, right_leaf = (z3.Extract(side_bits - 1, side_bits - 1, side) == 1 for side in (left, right))
        side, leaf = z3.If(greater, right, left), z3.If(greater, right_leaf, left_leaf)
        self.gate = z3.Extract(size.row_bits - 1, 0, state.row) == GATE

        # Turns are looked at in the stage before the last.
        decided = stages - 2
        taken, written, answered = (
            [clocks.word(decided, lane.flow(name, field)) for field in ("number", "lap")]
            for name in ("taken", "written", "answered")
        )
        another = z3.Or(*(one != other for one, other in zip(taken, written, strict=True)))
        occupied = clocks.bit(decided, lane.port("o__valid")[0])
        self.take = z3.And(self.gate, state.ready, state.number == taken[0], another)
        self.answer = z3.And(self.gate, state.busy, state.number == answered[0], z3.Not(occupied))

        leaf = z3.And(leaf, z3.Not(self.gate))
        onward = z3.Or(leaf, self.take)
        both = z3.And(greater, z3.Not(left_leaf), z3.Not(right_leaf))
        child = pointer | z3.If(both, z3.BitVecVal(1, size.row_bits), z3.BitVecVal(0, size.row_bits))
        root = z3.ZeroExt(size.row_bits - size.root_bits, state.tree)
        row = z3.If(onward, root, z3.If(self.gate, z3.BitVecVal(GATE, size.row_bits), child))
        self.row = z3.ZeroExt(state.row.size() - size.row_bits, row)
        next_root = z3.If(self.gate, z3.Extract(size.root_bits - 1, 0, pointer), state.tree)
        self.tree = z3.If(onward, next_root + 1, next_root)
        vote_address = z3.Concat(state.tree, side)
        halves = lane.parameters.half_bits
        vote = lane.read(clocks, "votes", z3.ZeroExt(halves, vote_address), 0)
        before = z3.If(self.take, z3.BitVecVal(0, size.score_bits), state.score)
        self.score = before + vote
        self.below = z3.If(leaf, before < 0, state.below)
        self.not_above = z3.If(leaf, state.below, state.not_above)
        self.busy = z3.If(self.gate, z3.Or(self.take, z3.And(state.busy, z3.Not(self.answer))), state.busy)
        free = z3.And(z3.Not(self.take), z3.Or(z3.Not(state.busy), self.answer))
        self.ready = z3.If(self.gate, free, state.ready)
        self.lap = z3.If(self.take, z3.Extract(0, 0, taken[1]) == 1, state.lap)
        self.number = state.number


def at_rest(clocks: Clocks, lane: LaneNets, rows: WalkerRows, clock: int) -> dict[str, z3.BoolRef]:
    """Invariants of the walk in the first stage, each with what is wrong when it does not hold."""
    state = _State(clocks, lane, clock)
    at_gate = z3.Extract(lane.parameters.size.row_bits - 1, 0, state.row) == GATE
    selector = lane.read(clocks, "selectors", state.row, clock)
    return {
        "a walk without a flow is not at the gate": z3.Or(state.busy, at_gate),
        "a walk that is ready is not at the gate": z3.Implies(state.ready, z3.And(at_gate, z3.Not(state.busy))),
        "a walk that is ready does not have the first root before it": z3.Implies(
            state.ready, state.tree == rows.first
        ),
        "the feature that is read is not that of the row": z3.Or(at_gate, state.selector == selector),
    }


def prove_step(clocks: Clocks, lane: LaneNets, rows: WalkerRows) -> None:
    """Prove that a step does with its row what it must, and that the invariants hold behind it as before it."""
    stages = lane.parameters.stages
    state = _State(clocks, lane, 0)
    step = _Step(clocks, lane, state)
    assumed = [lane.read(clocks, "links", z3.BitVecVal(GATE, state.row.size()), 0) == rows.links[GATE]]
    for clock in range(stages + 1):
        assumed += turns(clocks, lane, clock).values()
    assumed += at_rest(clocks, lane, rows, 0).values()
    claims = Claims(
        lane.place,
        assumed,
        {
            "row": state.row,
            "the feature": step.value,
            "the threshold": ~step.inverted,
            "next root": state.tree,
            "score": state.score,
            "busy": state.busy,
        },
    )
    after = _State(clocks, lane, stages)
    for what, name in (
        ("the row behind a step", "row"),
        ("the root that comes next", "tree"),
        ("the score behind a step", "score"),
        ("the sign of the score before the last leaf", "below"),
        ("the sign of the score before the last leaf but one", "not_above"),
        ("whether a walk is busy", "busy"),
        ("whether a walk is ready", "ready"),
        ("the bank of a walk", "lap"),
        ("the number of a walk", "number"),
    ):
        claims.equal(what, getattr(after, name), getattr(step, name))
    for name, counts, clock in (("taken", step.take, stages - 1), ("answered", step.answer, stages)):
        before, said = ([clocks.word(at, lane.flow(name, f)) for f in ("number", "lap")] for at in (clock, clock + 1))
        for field, one, other, following in zip(("number", "lap"), said, before, next_flow(lane, *before), strict=True):
            claims.equal(f"the {field} of the flow to be {name} next", one, z3.If(counts, following, other))
    _prove_answer(claims, clocks, lane, state, step)
    for wrong, holds in at_rest(clocks, lane, rows, stages).items():
        claims.always(wrong, holds)


def _prove_answer(claims: Claims, clocks: Clocks, lane: LaneNets, state: _State, step: _Step) -> None:
    """What leaves the lane two clocks after the last stage of a walk that answers, and until it has been taken."""
    clock, layout = lane.parameters.stages, lane.parameters.answer_layout
    valid, following = (clocks.bit(at, lane.port("o__valid")[0]) for at in (clock, clock + 1))
    waits = z3.And(valid, z3.Not(clocks.bit(clock, lane.port("o__ready")[0])))
    claims.equal("o.valid", following, z3.Or(step.answer, waits))
    payload, said = (clocks.word(at, lane.port("o__payload")) for at in (clock, clock + 1))
    claims.always("an answer changes before it is taken", z3.Implies(waits, said == payload))
    # Not above the band or below it; below it: +1, 0 and −1 in two bits.
    verdict = as_word([z3.Or(z3.Not(state.not_above), state.below), state.below])
    for name, expected in (("score", state.score), ("verdict", verdict), ("classified", z3.BitVecVal(1, 1))):
        field = layout[name]
        part = z3.Extract(field.offset + field.width - 1, field.offset, said)
        claims.equal(f"the {name} that is answered", z3.If(step.answer, part, expected), expected)
