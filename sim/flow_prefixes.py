"""FlowPrefixes: flows as they were at their n-th packet, while whole blocks are cut into flows."""

import numpy as np

from .flow_pieces import FlowStates, Pieces, SortedPackets, advance

__all__ = ["FlowPrefixes"]


class FlowPrefixes:
    """Goes along with the states of whole flows, which say where flows end whatever is kept of them.

    Parameters
    ----------
    length:
        Packets of a prefix, both ways.

    Attributes
    ----------
    states:
        By row of the flow, at the end of its prefix or, of a shorter one, so far.
    """

    def __init__(self, length: int):
        self._length = length
        self.states = FlowStates.none(0)

    def take(self, packets: SortedPackets, pieces: Pieces, row_of: np.ndarray) -> np.ndarray:
        """Which of the packets of a block are in prefixes (bool); ``row_of`` says which flow each piece is of."""
        lengths = np.diff(np.append(pieces.starts, len(packets.now_ms)))
        carried = self.states.take(row_of)
        before = np.where(pieces.continues, carried.count_lower + carried.count_higher, 0)
        left = np.clip(self._length - before, 0, lengths)
        kept = np.arange(len(packets.now_ms)) < np.repeat(pieces.starts + left, lengths)
        some = np.flatnonzero(left)
        if len(some):
            ends = np.cumsum(left[some])
            of_prefixes = SortedPackets(packets.groups, *(column[kept] for column in packets[1:]))
            states, _ = advance(of_prefixes, ends - left[some], some, pieces.continues[some], carried)
            self.states.put(row_of[some], states)
        return kept

    def are_whole(self, count: int) -> np.ndarray:
        """Whether the first so many flows have reached the length of a prefix (bool)."""
        return (self.states.count_lower + self.states.count_higher)[:count] == self._length
