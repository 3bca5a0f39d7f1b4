"""The start of a walker: behind reset, or as it is configured, every invariant of its lanes holds.

Reset is held so long that whatever stood in the stages has left them: one clock more than a step has.
"""

from collections.abc import Callable, Mapping, Sequence

import z3

from hdl.walker_table import GATE

from .claims import Claims
from .clocks import Clocks
from .lane_nets import LaneNets
from .netlist import Register
from .walker_netlist import WalkerNetlist
from .walker_rows import WalkerRows
from .walker_step import at_rest
from .walker_turns import turns

__all__ = ["prove_start", "starts"]


def starts(
    netlist: WalkerNetlist,
    read: Callable[[str, z3.BitVecRef, int], z3.BitVecRef],
    still: Mapping[int, bool],
    inputs: Mapping[int, bool],
    stages: int,
) -> list[tuple[Clocks, int]]:
    """The two ways to start, each with its first clock behind reset.

    ``inputs`` are constant from then on, reset among them, which is low; ``still`` are all nets that are for that
    reason.
    """
    (reset,) = netlist.net("rst")
    clocks = stages + 1
    others = {bit: value for bit, value in inputs.items() if bit != reset}
    after_reset = Clocks(netlist, read, known=lambda clock: {**others, reset: clock < clocks})
    put_out = {bit: False for memory in netlist.memories.values() for bit in memory.read_data if isinstance(bit, int)}
    configured = Clocks(netlist, read, known=lambda _: inputs, start={**netlist.initial, **put_out})
    registers = [bit for bit in still if isinstance(netlist.drivers.get(bit), Register)]
    claims = Claims(netlist.name, [])
    for clock, first in ((after_reset, clocks), (configured, 0)):
        for bit in registers:
            claims.always(
                f"register {netlist.names.get(bit, bit)} is not as it is at the start",
                clock.bit(first, bit) == z3.BoolVal(still[bit]),
            )
    return [(after_reset, clocks), (configured, 0)]


def prove_start(begun: Sequence[tuple[Clocks, int]], lane: LaneNets, rows: WalkerRows) -> None:
    """Prove that the invariants of a lane hold at the start, for the walks in all stages, and that it is empty."""
    for clocks, first in begun:
        row_bits = len(lane.memory("thresholds").read_address)
        gate = lane.read(clocks, "links", z3.BitVecVal(GATE, row_bits), 0) == rows.links[GATE]
        claims = Claims(lane.place, [gate])
        for wrong, holds in turns(clocks, lane, first).items():
            claims.always(f"at the start {wrong}", holds)
        for stage in range(lane.parameters.stages):
            for wrong, holds in at_rest(clocks, lane, rows, first + stage).items():
                claims.always(f"at the start {wrong}", holds)
        words = [
            [clocks.word(first, lane.flow(name, field)) for name in ("written", "taken", "answered")]
            for field in ("number", "lap")
        ]
        for written, taken, answered in words:
            claims.always("a flow is under way at the start", z3.And(written == taken, taken == answered))
        claims.always("a flow is cut at the start", clocks.word(first, lane.index) == 0)
        claims.always("an answer waits at the start", z3.Not(clocks.bit(first, lane.port("o__valid")[0])))
