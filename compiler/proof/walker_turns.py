"""The turns of a lane: flows are kept, taken and answered in the order in which they come, by induction over clocks.

Flows are counted modulo four laps of the walks: ``answered`` (an answer that is on its way out counts as given) never
passes ``taken``, nor ``taken`` ``written``, and at most two laps lie between the first and the last. Between
``answered`` and ``taken`` there is one flow for each busy walk, with its number and in the bank that its lap tells; a
walk that is not busy has none. A flow is written only into a bank that no other flow between them has. So the bank of a
flow holds its features from when it is written until it is answered.
"""

import z3

from .claims import Claims
from .clocks import Clocks
from .lane_nets import LaneNets

__all__ = ["next_flow", "prove_receiving", "prove_turns", "turns"]

_BITS = 8
"""Enough to count flows of four laps twice."""

_LAPS = 4


def _wide(word: z3.BitVecRef) -> z3.BitVecRef:
    return z3.ZeroExt(_BITS - word.size(), word)


def next_flow(lane: LaneNets, number: z3.BitVecRef, lap: z3.BitVecRef) -> tuple[z3.BitVecRef, z3.BitVecRef]:
    """Number and lap of the flow behind one."""
    last = number == lane.parameters.stages - 1
    return z3.If(last, z3.BitVecVal(0, number.size()), number + 1), z3.If(last, lap + 1, lap)


class _Count:
    """Which flow is next, as a number."""

    def __init__(self, clocks: Clocks, lane: LaneNets, clock: int, name: str):
        stages = lane.parameters.stages
        self.number, self.lap = (clocks.word(clock, lane.flow(name, field)) for field in ("number", "lap"))
        self.flow = _wide(self.lap) * stages + _wide(self.number)
        self.in_range = z3.ULT(_wide(self.number), stages)


def _ahead(stages: int, flow: z3.BitVecRef, other: z3.BitVecRef) -> z3.BitVecRef:
    """How many flows one is ahead of another."""
    return z3.If(z3.UGE(flow, other), flow - other, flow - other + _LAPS * stages)


def turns(clocks: Clocks, lane: LaneNets, clock: int) -> dict[str, z3.BoolRef]:
    """The invariants, each with what is wrong when it does not hold."""
    stages = lane.parameters.stages
    written, taken, answered, answering = (
        _Count(clocks, lane, at, name)
        for at, name in ((clock, "written"), (clock, "taken"), (clock, "answered"), (clock + 1, "answered"))
    )
    waiting, walking, leaving = (
        _ahead(stages, flow.flow, other.flow)
        for flow, other in ((written, taken), (taken, answering), (answering, answered))
    )
    numbers = [_wide(clocks.word(clock, lane.walk(stage, "number"))) for stage in range(stages)]
    busy, ready, laps = (
        [clocks.bit(clock, lane.walk(stage, field)[0]) for stage in range(stages)] for field in ("busy", "ready", "lap")
    )
    takes, stays, answers, at_gate = (
        clocks.bit(clock, lane.walk(stages - 1, field)[0]) for field in ("takes", "stays", "answers", "at_gate")
    )
    room = clocks.bit(clock, lane.port("i__ready")[0])
    occupied = clocks.bit(clock, lane.port("o__valid")[0])
    leaves = leaving == 1
    found = {
        "walks are not in their order": z3.And(
            z3.ULT(numbers[0], stages),
            *(numbers[at + 1] == z3.If(numbers[at] == stages - 1, 0, numbers[at] + 1) for at in range(stages - 1)),
        ),
        "a flow has a number that no walk has": z3.And(written.in_range, taken.in_range, answered.in_range),
        "more than one answer leaves at once": z3.ULE(leaving, 1),
        "more flows are under way than there are walks": z3.ULE(walking, stages),
        "more flows are kept than there are banks": z3.ULE(waiting + walking + leaving, 2 * stages),
        "a walk stays and takes a flow, or does neither at the gate": z3.And(
            stays == z3.And(at_gate, z3.Not(takes)), z3.Implies(takes, at_gate)
        ),
        "a feature is taken though all banks are in use": z3.Implies(room, waiting + walking + leaving != 2 * stages),
        "a walk that is ready is busy": z3.And(*(z3.Not(z3.And(*pair)) for pair in zip(ready, busy, strict=True))),
        "a walk takes a flow out of turn": z3.Implies(
            takes, z3.And(at_gate, ready[-1], numbers[-1] == _wide(taken.number), waiting != 0)
        ),
        "a walk answers out of turn": z3.Implies(
            answers, z3.And(at_gate, busy[-1], numbers[-1] == _wide(answered.number), z3.Not(leaves), z3.Not(occupied))
        ),
        "an answer leaves that is none": z3.Implies(
            leaves, z3.And(numbers[0] == _wide(answered.number), z3.Not(busy[0]), z3.Not(occupied))
        ),
    }
    for stage in range(stages):
        held = [z3.ULT(_ahead(stages, numbers[stage] + lap * stages, answering.flow), walking) for lap in range(_LAPS)]
        found[f"the walk in stage {stage} is busy without a flow, or has one and is not"] = busy[stage] == z3.Or(*held)
        found[f"the walk in stage {stage} has the bank of another flow"] = z3.And(
            *(z3.Implies(holds, laps[stage] == z3.BoolVal(lap % 2 == 1)) for lap, holds in enumerate(held))
        )
    return found


def prove_turns(clocks: Clocks, lane: LaneNets) -> None:
    """Prove that the invariants hold in a clock if they did in the one before."""
    claims = Claims(lane.place, list(turns(clocks, lane, 0).values()))
    for wrong, holds in turns(clocks, lane, 1).items():
        claims.always(wrong, holds)


def prove_receiving(clocks: Clocks, lane: LaneNets) -> None:
    """Prove that each feature comes into the bank of its flow, at its number, and that no flow before it has the bank.

    Features are taken whenever a bank is free, but for a clock behind each flow. That none is taken when all banks are
    in use is one of the invariants.
    """
    stages, flows = lane.parameters.stages, lane.memory("flows")
    claims = Claims(lane.place, list(turns(clocks, lane, 0).values()))
    written, answered = (_Count(clocks, lane, 0, name) for name in ("written", "answered"))
    *value, last = clocks.bits(0, lane.port("i__payload"))
    offered, ready = (clocks.bit(0, lane.port(name)[0]) for name in ("i__valid", "i__ready"))
    kept = _ahead(stages, written.flow, answered.flow)
    writes = z3.And(offered, ready)
    for enable in clocks.bits(0, flows.enables):
        claims.equal("the enable that writes a feature", enable, writes)
    index = clocks.word(0, lane.index)
    lap = z3.Extract(0, 0, written.lap)
    claims.equal(
        "where a feature is written", clocks.word(0, flows.write_address), z3.Concat(written.number, lap, index)
    )
    for at, bit in enumerate(clocks.bits(0, flows.write_data)):
        claims.equal(f"bit {at} of the feature that is written", bit, value[at])
    after = z3.If(z3.And(writes, last), z3.BitVecVal(0, index.size()), z3.If(writes, index + 1, index))
    claims.equal("the number of the next feature", clocks.word(1, lane.index), after)
    room = z3.And(kept != 2 * stages, z3.Not(z3.And(writes, last)))
    claims.equal("i.ready behind a clock", clocks.bit(1, lane.port("i__ready")[0]), room)
    number, next_lap = next_flow(lane, written.number, written.lap)
    for field, before, following in (("number", written.number, number), ("lap", written.lap, next_lap)):
        said = clocks.word(1, lane.flow("written", field))
        claims.equal(f"the {field} of the next flow", said, z3.If(z3.And(writes, last), following, before))
    for before in range(1, 2 * stages + 1):
        # The flow that came so many before.
        other = z3.If(z3.UGE(written.flow, before), written.flow - before, written.flow - before + _LAPS * stages)
        in_use = z3.And(writes, z3.UGE(kept, before))
        bank, other_bank = (z3.URem(flow, 2 * stages) for flow in (written.flow, other))
        claims.always("a feature is written over those of another flow", z3.Implies(in_use, bank != other_bank))
