"""Where flows are cut: the rules of docs/flow_rules.md that end a flow, on the sorted packets of a block.

Packets are sorted by flow key, those of a key in their order. A *run* is what no idle timeout cuts; a *piece* is what
becomes one record, or a part of one that began in an earlier block. Most runs are one piece, and telling so takes only
whole-array operations; the others are gone through packet by packet.
"""

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from hdl.accumulator import COUNT_BITS, FLAG_BITS

from .table_parameters import TableParameters

__all__ = ["FULL_COUNT", "FlowStates", "Pieces", "SortedPackets", "advance", "cut_pieces"]

FIN, SYN, RST, ACK = (1 << FLAG_BITS[name] for name in ("FIN", "SYN", "RST", "ACK"))
FULL_COUNT = (1 << COUNT_BITS) - 1
_NEVER = 1 << 62


class SortedPackets(NamedTuple):
    """Packets by flow key, those of a key in their order.

    Attributes
    ----------
    groups: where each key begins (int64)
    now_ms: the time of the table at each packet (int64)
    flags: TCP flags (uint8)
    from_lower: whether the lower endpoint sent it (bool)
    """

    groups: np.ndarray
    now_ms: np.ndarray
    flags: np.ndarray
    from_lower: np.ndarray


@dataclass
class FlowStates:
    """What the end of a flow depends on, an array each; directions are by endpoint, lower or higher.

    Attributes
    ----------
    live: whether there is a flow; the others mean nothing without
    first_ms, last_ms: times of the first and the last packet
    closed_ms: when it was closed, if ``closing``
    closing: FIN was seen both ways, or RST
    syn, fin_lower, fin_higher: a packet with SYN, with FIN from that side was in it
    count_lower, count_higher: packets of that side
    """

    live: np.ndarray
    first_ms: np.ndarray
    last_ms: np.ndarray
    closed_ms: np.ndarray
    closing: np.ndarray
    syn: np.ndarray
    fin_lower: np.ndarray
    fin_higher: np.ndarray
    count_lower: np.ndarray
    count_higher: np.ndarray

    @classmethod
    def none(cls, count: int) -> "FlowStates":
        """States of no flows."""
        numbers = ("first_ms", "last_ms", "closed_ms", "count_lower", "count_higher")
        return cls(**{f.name: np.zeros(count, np.int64 if f.name in numbers else bool) for f in fields(cls)})

    def take(self, index: np.ndarray) -> "FlowStates":
        """The states at these places."""
        return FlowStates(*(getattr(self, f.name)[index] for f in fields(self)))

    def resize(self, count: int) -> None:
        """Make room for so many, in place."""
        for f in fields(self):
            getattr(self, f.name).resize(count, refcheck=False)

    def put(self, index: np.ndarray, states: "FlowStates") -> None:
        """Replace the states at these places."""
        for f in fields(self):
            getattr(self, f.name)[index] = getattr(states, f.name)


class Pieces(NamedTuple):
    """Pieces in the order of the sorted packets.

    Attributes
    ----------
    starts: the first packet of each (int64)
    groups: the number of its key (int64)
    continues: whether it goes on with the flow of an earlier block (bool)
    states: at the end of the piece; ``live`` is False where a packet counter is full
    """

    starts: np.ndarray
    groups: np.ndarray
    continues: np.ndarray
    states: FlowStates


class _Rules(NamedTuple):
    """Timeouts, and whether a SYN without ACK opens a closing flow anew."""

    active_ms: int
    linger_ms: int
    reopens: bool


def cut_pieces(packets: SortedPackets, carried: FlowStates, parameters: TableParameters) -> Pieces:
    """Cut the packets of a block into pieces; ``carried`` are the flows of earlier blocks, one a key."""
    idle, active, linger = (
        _NEVER if timeout is None else timeout
        for timeout in (parameters.idle_ms, parameters.active_ms, parameters.linger_ms)
    )
    starts, continues = _runs(packets, carried, idle)
    groups = np.searchsorted(packets.groups, starts, "right") - 1
    states, reopened = advance(packets, starts, groups, continues, carried)
    # A run is one piece if no rule that looks at more than the packet before can cut it.
    doubtful = states.last_ms - states.first_ms >= active
    doubtful |= states.count_lower + states.count_higher >= FULL_COUNT
    if parameters.linger_ms is not None:
        doubtful |= states.closing & ((states.last_ms - states.closed_ms >= linger) | reopened)
    if not doubtful.any():
        return Pieces(starts, groups, continues, states)
    rules = _Rules(active, linger, parameters.linger_ms is not None)
    cuts = _cuts(packets, starts, np.where(continues, groups, -1), doubtful, carried, rules)
    goes_on = np.zeros(len(packets.now_ms), bool)
    goes_on[starts[continues]] = True
    goes_on[cuts] = False
    begins = np.zeros(len(packets.now_ms), bool)
    begins[starts] = True
    begins[cuts] = True
    starts = np.flatnonzero(begins)
    groups = np.searchsorted(packets.groups, starts, "right") - 1
    states, _ = advance(packets, starts, groups, goes_on[starts], carried)
    states.live = np.maximum(states.count_lower, states.count_higher) < FULL_COUNT
    return Pieces(starts, groups, goes_on[starts], states)


def _runs(packets: SortedPackets, carried: FlowStates, idle: int) -> tuple[np.ndarray, np.ndarray]:
    """Where runs start, and which of them go on with a carried flow."""
    now = packets.now_ms
    begins = np.zeros(len(now), bool)
    begins[1:] = now[1:] - now[:-1] >= idle
    begins[packets.groups] = True
    goes_on = np.zeros(len(now), bool)
    goes_on[packets.groups] = carried.live & (now[packets.groups] - carried.last_ms < idle)
    starts = np.flatnonzero(begins)
    return starts, goes_on[starts]


def advance(
    packets: SortedPackets, starts: np.ndarray, groups: np.ndarray, continues: np.ndarray, carried: FlowStates
) -> tuple[FlowStates, np.ndarray]:
    """States at the end of stretches of packets, and whether a SYN without ACK came after each was closing.

    Stretches that go on do so with the state of ``carried`` that ``groups`` says.
    """
    now, flags, from_lower = packets.now_ms, packets.flags, packets.from_lower
    count, ends = len(starts), np.append(starts[1:], len(now))
    before = carried.take(groups)
    for name in ("closing", "syn", "fin_lower", "fin_higher"):
        getattr(before, name)[~continues] = False
    for name in ("count_lower", "count_higher"):
        getattr(before, name)[~continues] = 0

    special = np.flatnonzero(flags & (FIN | SYN | RST))
    owner = np.repeat(np.arange(count), ends - starts)[special]
    raised, lower = flags[special], from_lower[special]

    def first(chosen: np.ndarray, already: np.ndarray) -> np.ndarray:
        """The first such packet of every stretch, -1 if there was one before it, _NEVER if there is none."""
        found = np.full(count, _NEVER)
        found[owner[chosen][::-1]] = special[chosen][::-1]  # of equal indices the last one written holds
        found[already] = -1
        return found

    fin = raised & FIN != 0
    fin_lower, fin_higher = first(fin & lower, before.fin_lower), first(fin & ~lower, before.fin_higher)
    closing_at = np.minimum(first(raised & RST != 0, before.closing), np.maximum(fin_lower, fin_higher))
    opens = np.full(count, -1)
    opening = raised & (SYN | ACK) == SYN
    opens[owner[opening]] = special[opening]
    syn = before.syn
    syn[owner[raised & SYN != 0]] = True
    closing = closing_at < _NEVER
    closes_here = closing & (closing_at >= 0)
    closed_ms = before.closed_ms
    closed_ms[closes_here] = now[closing_at[closes_here]]
    lower_sums = np.append(0, np.cumsum(from_lower))
    count_lower = lower_sums[ends] - lower_sums[starts]
    states = FlowStates(
        live=np.ones(count, bool),
        first_ms=np.where(continues, before.first_ms, now[starts]),
        last_ms=now[ends - 1],
        closed_ms=closed_ms,
        closing=closing,
        syn=syn,
        fin_lower=fin_lower < _NEVER,
        fin_higher=fin_higher < _NEVER,
        count_lower=before.count_lower + count_lower,
        count_higher=before.count_higher + (ends - starts - count_lower),
    )
    return states, opens > closing_at


def _cuts(
    packets: SortedPackets,
    starts: np.ndarray,
    flows: np.ndarray,
    doubtful: np.ndarray,
    carried: FlowStates,
    rules: _Rules,
) -> np.ndarray:
    """Where the doubtful ones of the runs are cut, packet by packet; at the first packet when it ends a carried flow.

    ``flows`` says for every run which carried flow it goes on with, -1 for none.
    """
    active, linger, reopens = rules
    lengths = np.diff(np.append(starts, len(packets.now_ms)))
    chosen = np.flatnonzero(np.repeat(doubtful, lengths))
    run_begins = np.zeros(len(packets.now_ms), bool)
    run_begins[starts] = True
    flow_of_run = iter(flows[doubtful].tolist())
    columns = (chosen, packets.now_ms[chosen], packets.flags[chosen], packets.from_lower[chosen], run_begins[chosen])
    cuts = []
    first = closed = 0
    closing, full, fins, counts = False, False, [False, False], [0, 0]
    for at, now, flags, side, begins in zip(*(column.tolist() for column in columns), strict=True):
        if begins:
            flow = next(flow_of_run)
            first, closing, full, fins, counts = now, False, False, [False, False], [0, 0]
            if flow >= 0:
                first, closed, closing = (
                    int(carried.first_ms[flow]),
                    int(carried.closed_ms[flow]),
                    carried.closing[flow],
                )
                fins = [bool(carried.fin_higher[flow]), bool(carried.fin_lower[flow])]
                counts = [int(carried.count_higher[flow]), int(carried.count_lower[flow])]
        reopened = closing and reopens and flags & (SYN | ACK) == SYN
        if full or reopened or now - first >= active or (closing and now - closed >= linger):
            cuts.append(at)
            first, closing, fins, counts = now, False, [False, False], [0, 0]
        counts[side] += 1
        full = counts[side] == FULL_COUNT
        if flags & FIN:
            fins[side] = True
        if not closing and (flags & RST or fins == [True, True]):
            closing, closed = True, now
    return np.array(cuts, np.int64)
