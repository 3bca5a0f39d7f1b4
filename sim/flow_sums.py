"""FlowSums: the accumulators of many flows, a row each, to which the packets of whole blocks are added at once."""

import numpy as np

from hdl.accumulator import PACKETS, Accumulator

from .block_headers import BlockPackets
from .flow_index import sort_places

__all__ = ["FlowSums"]

_REDUCE = {"add": np.add, "max": np.maximum, "min": np.minimum}


class FlowSums:
    """Accumulators of both directions of flows.

    Parameters
    ----------
    accumulators:
        What is kept; packets are counted in any case.

    Attributes
    ----------
    accumulators:
        The same, PACKETS first.
    rows:
        Flow × direction (forward, response) × accumulator, int64.
    """

    def __init__(self, accumulators: tuple[Accumulator, ...]):
        self.accumulators = (PACKETS, *(a for a in accumulators if a != PACKETS))
        self.rows = np.zeros((0, 2, len(self.accumulators)), np.int64)

    def resize(self, count: int) -> None:
        """Make room for so many rows, in place where the system can."""
        self.rows.resize((count, *self.rows.shape[1:]), refcheck=False)

    def add(
        self, packets: BlockPackets, order: np.ndarray, sides: np.ndarray, rows: np.ndarray, fresh: np.ndarray
    ) -> None:
        """Add packets to rows.

        Parameters
        ----------
        packets:
            The packets.
        order:
            Which of them are added, and in which order (int64).
        sides:
            Of each in that order, twice the place of its row in ``rows``, and one more in the response (int64).
        rows:
            Different rows.
        fresh:
            Which of those rows begin anew (bool).
        """
        sums = self._sums_of(packets, order, sides, len(rows))
        self.rows[rows[fresh]] = sums[fresh]
        rows, more = rows[~fresh], sums[~fresh]
        sums = self.rows[rows]
        was_empty, adds_none = sums[..., 0] == 0, more[..., 0] == 0
        for column, accumulator in enumerate(self.accumulators):
            old, new = sums[..., column], more[..., column]
            match accumulator.operation:
                case "add":
                    old += new
                case "max":
                    np.maximum(old, new, out=old)
                case "min":
                    # A minimum of no packets is 0 and counts for nothing.
                    replace = (was_empty | (new < old)) & ~adds_none
                    old[replace] = new[replace]
        self.rows[rows] = sums

    def _sums_of(self, packets: BlockPackets, order: np.ndarray, sides: np.ndarray, count: int) -> np.ndarray:
        """The accumulators of these packets alone (row × direction × accumulator)."""
        by_side = sort_places(sides)
        sides, order = sides[by_side], order[by_side]
        starts = np.flatnonzero(np.append(True, sides[1:] != sides[:-1]))
        values = {
            "one": np.ones(len(order), np.int64),
            "length": packets.length[order],
            "window": packets.window[order],
            "ttl": packets.ttl[order],
        }
        values["length_squared"] = values["length"] * values["length"]
        flags, raised = packets.flags[order], {}
        sums = np.zeros((2 * count, len(self.accumulators)), np.int64)
        for column, accumulator in enumerate(self.accumulators):
            operand = values[accumulator.operand]
            if (flag := accumulator.flag) is not None:
                if flag not in raised:
                    raised[flag] = (flags >> flag & 1).astype(np.int64)
                operand = raised[flag] if accumulator.operand == "one" else operand * raised[flag]
            sums[sides[starts], column] = _REDUCE[accumulator.operation].reduceat(operand, starts)
        return sums.reshape(count, 2, -1)
