"""FlowSums: the accumulators of many flows, a row each, to which the packets of whole blocks are added at once."""

import numpy as np

from hdl.accumulator import PACKETS, Accumulator

from .block_headers import BlockPackets
from .flow_index import stable_order

__all__ = ["FlowSums"]

_COUNT_BITS, _COUNTS = 21, 3
"""Counts of three flags are summed in one number."""

_FLAG_TABLES = [
    sum((np.arange(256) >> first + place & 1) << _COUNT_BITS * place for place in range(_COUNTS))
    for first in range(0, 8, _COUNTS)
]
"""By flags byte, what it adds to the counts of flags 0 to 2, 3 to 5, 6 and 7 (int64)."""

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
        self._highest_flag = max((a.flag for a in accumulators if a.flag is not None), default=0)
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
            The packets, less than 2²¹.
        order:
            Which of them are added, and in which order (int64).
        sides:
            Of each in that order, twice the place of its row in ``rows``, and one more in the response (int64).
        rows:
            Different rows.
        fresh:
            Which of those rows begin anew (bool); they have packets.
        """
        if not len(order):
            return
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
        by_side = stable_order(sides)
        sides, order = sides[by_side], order[by_side]
        starts = np.flatnonzero(np.append(True, sides[1:] != sides[:-1]))
        values = {
            "length": packets.length[order],
            "window": packets.window[order],
            "ttl": packets.ttl[order],
        }
        values["length_squared"] = values["length"] * values["length"]
        flags = packets.flags[order]
        counts = np.diff(np.append(starts, len(order)))
        flag_counts = _flag_counts(flags, starts, self._highest_flag)
        sums = np.zeros((2 * count, len(self.accumulators)), np.int64)
        for column, accumulator in enumerate(self.accumulators):
            operation, operand, flag = accumulator.operation, accumulator.operand, accumulator.flag
            if operation == "add" and operand == "one":
                found = counts if flag is None else flag_counts[flag]
            else:
                summed = values[operand] if flag is None else values[operand] * (flags >> flag & 1)
                found = _REDUCE[operation].reduceat(summed, starts)
            sums[sides[starts], column] = found
        return sums.reshape(count, 2, -1)


def _flag_counts(flags: np.ndarray, starts: np.ndarray, most: int) -> list[np.ndarray]:
    """How many packets from each start to the next have each flag, at least up to bit ``most``."""
    found = []
    for table in _FLAG_TABLES[: most // _COUNTS + 1]:
        together = np.add.reduceat(table[flags], starts)
        found += [together >> _COUNT_BITS * place & (1 << _COUNT_BITS) - 1 for place in range(_COUNTS)]
    return found
