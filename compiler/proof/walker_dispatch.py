"""The lanes of a walker: flows go to each in turn, and answers come from each in turn.

So the answers of all lanes come in the order of the flows, as they do of each lane.
"""

from collections.abc import Sequence

import z3

from .claims import Claims
from .clocks import Clocks
from .lane_nets import LaneNets
from .netlist import Bit
from .walker_netlist import WalkerNetlist

__all__ = ["lane_outputs", "prove_dispatch"]


def lane_outputs(lanes: Sequence[LaneNets]) -> list[Bit]:
    """What comes from the lanes."""
    return [bit for lane in lanes for name in ("i__ready", "o__valid", "o__payload") for bit in lane.port(name)]


class _Turn:
    """Whose turn it is at the input or at the output."""

    def __init__(self, clocks: Clocks, name: str, lanes: int):
        netlist, self._lanes = clocks.netlist, lanes
        nets = netlist.net(name) if lanes > 1 else ("0",)
        self.now, self.then = (clocks.word(clock, nets) for clock in (0, 1))
        self.in_range = z3.ULT(z3.ZeroExt(1, self.now), lanes)

    def of(self, lane: int) -> z3.BoolRef:
        return self.now == lane

    def after(self, moves: z3.BoolRef) -> z3.BitVecRef:
        following = z3.If(self.now == self._lanes - 1, z3.BitVecVal(0, self.now.size()), self.now + 1)
        return z3.If(moves, following, self.now)


def prove_dispatch(clocks: Clocks, lanes: Sequence[LaneNets], begun: Sequence[tuple[Clocks, int]]) -> None:
    """Prove that both ends of all lanes are taken in turn, if the outputs of lanes are cut in ``clocks``.

    The first lane has the first turn in each of the clocks of ``begun``.
    """
    netlist: WalkerNetlist = clocks.netlist
    to_lane, from_lane = (_Turn(clocks, name, len(lanes)) for name in ("for_input", "for_output"))
    claims = Claims(netlist.name, [to_lane.in_range, from_lane.in_range])
    offered, ready, free, valid = (
        clocks.bit(0, netlist.net(name)[0]) for name in ("i__valid", "i__ready", "o__ready", "o__valid")
    )
    feature, answer = (clocks.word(0, netlist.net(name)) for name in ("i__payload", "o__payload"))
    for lane in lanes:
        turn_in, turn_out = to_lane.of(lane.lane), from_lane.of(lane.lane)
        for what, said, expected in (
            ("i.valid", "i__valid", z3.And(offered, turn_in)),
            ("o.ready", "o__ready", z3.And(free, turn_out)),
        ):
            claims.equal(f"{what} of lane {lane.lane}", clocks.bit(0, lane.port(said)[0]), expected)
        for what, turn, said, expected in (
            ("i.ready", turn_in, ready, clocks.bit(0, lane.port("i__ready")[0])),
            ("o.valid", turn_out, valid, clocks.bit(0, lane.port("o__valid")[0])),
            ("the answer", turn_out, answer, clocks.word(0, lane.port("o__payload"))),
            ("the feature", turn_in, clocks.word(0, lane.port("i__payload")), feature),
        ):
            claims.equal(f"{what} when it is the turn of lane {lane.lane}", z3.If(turn, said, expected), expected)
    last = clocks.bit(0, netlist.net("i__payload")[-1])
    for what, turn, moves in (
        ("a flow", to_lane, z3.And(offered, ready, last)),
        ("an answer", from_lane, z3.And(free, valid)),
    ):
        if len(lanes) > 1:
            claims.equal(f"whose turn it is behind {what}", turn.then, turn.after(moves))
    for start, first in begun if len(lanes) > 1 else ():
        for name in ("for_input", "for_output"):
            claims.always("another lane than the first begins", start.word(first, netlist.net(name)) == 0)
