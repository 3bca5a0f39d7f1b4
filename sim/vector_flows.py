"""The flow table without limit for whole blocks: the records of sim/flow_table.py by whole-array operations.

Rows are made when flows begin and changed until they end, so memory grows with the number of flows alone. The flows of
one IP version are here; nothing that happens to one version changes the other.
"""

from typing import NamedTuple

import numpy as np

from hdl.accumulator import FLAG_BITS
from hdl.verdict import EndReason

from .block_headers import BlockPackets
from .flow_columns import FlowColumns
from .flow_index import FlowIndex, group_by_key, hash_keys
from .flow_pieces import FlowStates, Pieces, SortedPackets, cut_pieces
from .flow_prefixes import FlowPrefixes
from .flow_sums import FlowSums
from .table_parameters import TableParameters

__all__ = ["BlockTimes", "VectorFlows"]

_SYN, _ACK = 1 << FLAG_BITS["SYN"], 1 << FLAG_BITS["ACK"]
_PORT = np.uint64(0xFFFF)
_OPEN = 0
_NO_ROW = -1
_NEVER = 1 << 62
_SMALLEST = 1 << 12


class BlockTimes(NamedTuple):
    """Of every frame of a block.

    Attributes
    ----------
    now_ms: the latest time of all frames so far (int64)
    time_ns: its own (int64)
    first: number of the first one in the capture
    """

    now_ms: np.ndarray
    time_ns: np.ndarray
    first: int


class VectorFlows:
    """Takes the packets of blocks in order, and gives their flows at the end.

    Parameters
    ----------
    version:
        Of the packets, 4 or 6.
    parameters:
        Of a table without limit. With ``early``, flows are given as they were at that packet, shorter ones whole.
    """

    def __init__(self, version: int, parameters: TableParameters):
        if parameters.sets is not None:
            raise ValueError(f"Table must be without limit, not of {parameters.sets} sets")
        self._version = version
        self._parameters = parameters
        self._index = FlowIndex(2 if version == 4 else 6)
        self._tracked = np.zeros(1 << 16, bool)
        self._tracked[list(parameters.ports or ())] = True
        self._count = 0
        self._states = FlowStates.none(0)
        self._prefixes = FlowPrefixes(parameters.early) if parameters.early else None
        self._key = np.zeros(0, np.int64)
        self._initiator_high = np.zeros(0, bool)
        self._end_reason = np.zeros(0, np.uint8)
        self._start_ns = np.zeros(0, np.int64)
        self._filled_at = np.zeros(0, np.int64)
        self._ended_at = np.zeros(0, np.int64)
        self._sums = FlowSums(parameters.accumulators)

    def take(self, packets: BlockPackets, times: BlockTimes) -> None:
        """The packets of the next block."""
        keys, from_lower = _ordered_endpoints(packets)
        hashes = hash_keys(keys)
        order, groups = group_by_key(keys, hashes)
        firsts = order[groups]
        numbers, rows = self._index.find(keys[:, firsts], hashes[firsts])
        known = rows != _NO_ROW
        carried = FlowStates.none(len(rows))
        carried.put(known, self._states.take(rows[known]))
        frames = packets.frames[order]
        sorted_packets = SortedPackets(groups, times.now_ms[frames], packets.flags[order], from_lower[order])
        pieces = cut_pieces(sorted_packets, carried, self._parameters)
        # What was of the same key right before each piece.
        begins_key = pieces.starts == groups[pieces.groups]
        row_of = self._rows_of(pieces, rows, frames)
        before = _Before(
            row=_before(begins_key, row_of, rows[pieces.groups]),
            live=_before(begins_key, pieces.states.live, carried.live[pieces.groups]) & ~pieces.continues,
            closing=_before(begins_key, pieces.states.closing, carried.closing[pieces.groups]),
            last_ms=_before(begins_key, pieces.states.last_ms, carried.last_ms[pieces.groups]),
        )
        same_ends = _same_endpoints(keys[:, firsts])[pieces.groups]
        high = self._initiators_high(pieces, before, sorted_packets, keys[:, firsts], same_ends, row_of)

        numbered = frames + times.first
        fresh = ~pieces.continues
        began, at = row_of[fresh], pieces.starts[fresh]
        self._key[began] = numbers[pieces.groups[fresh]]
        self._initiator_high[began] = high[fresh]
        self._start_ns[began] = times.time_ns[frames[at]]
        self._filled_at[began] = numbered[at]
        kept = slice(None) if self._prefixes is None else self._prefixes.take(sorted_packets, pieces, row_of)
        self._states.put(row_of, pieces.states)
        self._end(before, pieces, row_of, sorted_packets.now_ms, numbered)
        lengths = np.diff(np.append(pieces.starts, len(order)))
        in_response = sorted_packets.from_lower == np.repeat(high, lengths)
        side = 2 * np.repeat(np.arange(len(high)), lengths) + in_response
        self._sums.add(packets, order[kept], side[kept], row_of, fresh)
        # The last piece of a key is the one that goes on; of equal indices the last one written holds.
        self._index.set_rows(numbers[pieces.groups], row_of)

    def finish(self) -> tuple[FlowColumns, np.ndarray]:
        """All flows, and the number of the frame that ended each, the highest number for those that the end did."""
        count = self._count
        states, high = self._states.take(slice(count)), self._initiator_high[:count]
        reason = self._end_reason[:count]
        ended_at = np.where(reason == _OPEN, _NEVER, self._ended_at[:count])
        if self._prefixes is not None:
            states = self._prefixes.states.take(slice(count))
            reason = np.where(self._prefixes.are_whole(count), EndReason.ACTIVE, reason)
        lower, higher = _endpoints_of(self._index.keys(self._key[:count]))
        swap = high[:, None]
        columns = FlowColumns(
            version=np.full(count, self._version, np.uint8),
            initiator_address=np.where(swap, higher[0], lower[0]),
            initiator_port=np.where(high, higher[1], lower[1]),
            responder_address=np.where(swap, lower[0], higher[0]),
            responder_port=np.where(high, lower[1], higher[1]),
            initiator_high=high,
            first_ms=states.first_ms,
            last_ms=states.last_ms,
            end_reason=np.where(reason == _OPEN, EndReason.FORCED, reason).astype(np.uint8),
            syn=states.syn,
            fin_forward=np.where(high, states.fin_higher, states.fin_lower),
            fin_response=np.where(high, states.fin_lower, states.fin_higher),
            closing=states.closing,
            start_ns=self._start_ns[:count],
            packet=self._filled_at[:count],
            accumulators=self._sums.accumulators,
            sums=self._sums.rows[:count],
        )
        return columns, ended_at

    def _rows_of(self, pieces: Pieces, rows: np.ndarray, frames: np.ndarray) -> np.ndarray:
        """The rows of the pieces, new ones for flows that begin, in the order of their first packets."""
        row_of = rows[pieces.groups]
        fresh = np.flatnonzero(~pieces.continues)
        fresh = fresh[np.argsort(frames[pieces.starts[fresh]])]
        row_of[fresh] = np.arange(self._count, self._count + len(fresh))
        self._count += len(fresh)
        if self._count > len(self._key):
            room = self._count + self._count // 2 + _SMALLEST
            for name in ("_key", "_initiator_high", "_end_reason", "_start_ns", "_filled_at", "_ended_at"):
                column = getattr(self, name)
                column.resize(room, refcheck=False)
            self._states.resize(room)
            if self._prefixes is not None:
                self._prefixes.states.resize(room)
            self._sums.resize(room)
        return row_of

    def _initiators_high(
        self,
        pieces: Pieces,
        before: "_Before",
        packets: SortedPackets,
        keys: np.ndarray,
        same_ends: np.ndarray,
        row_of: np.ndarray,
    ) -> np.ndarray:
        """Whether the initiator of each piece is the higher endpoint."""
        flags, sender_low = packets.flags[pieces.starts], packets.from_lower[pieces.starts]
        sender_high = ~sender_low
        if self._parameters.orientation == "first":
            high = sender_high
            inherits = np.zeros(len(high), bool)
        else:
            (_, lower), (_, higher) = _endpoints_of(keys)
            lower, higher = self._tracked[lower][pieces.groups], self._tracked[higher][pieces.groups]
            # The side that talks to a configured port, if only one does, else the sender.
            high = np.where(lower != higher, lower, sender_high)
            has_syn = flags & _SYN != 0
            high = np.where(has_syn, sender_high ^ (flags & _ACK != 0), high)
            inherits = before.live & ~has_syn
        high &= ~same_ends
        goes_on = pieces.continues | (inherits & (pieces.starts == packets.groups[pieces.groups]))
        source = np.where(pieces.continues, row_of, before.row)[goes_on]
        high[goes_on] = self._initiator_high[source]
        inherits &= ~goes_on
        return high[np.maximum.accumulate(np.where(inherits, 0, np.arange(len(high))))]

    def _end(
        self, before: "_Before", pieces: Pieces, row_of: np.ndarray, now_ms: np.ndarray, numbered: np.ndarray
    ) -> None:
        """Note why flows ended, and at which frame."""
        at = pieces.starts[before.live]
        idle = self._parameters.idle_ms
        is_idle = False if idle is None else now_ms[at] - before.last_ms[before.live] >= idle
        row = before.row[before.live]
        self._end_reason[row] = np.where(
            before.closing[before.live], EndReason.END, np.where(is_idle, EndReason.IDLE, EndReason.ACTIVE)
        )
        self._ended_at[row] = numbered[at]
        full = ~pieces.states.live
        ends = np.append(pieces.starts[1:], len(now_ms)) - 1
        self._end_reason[row_of[full]] = EndReason.ACTIVE
        self._ended_at[row_of[full]] = numbered[ends[full]]


class _Before(NamedTuple):
    """Of each piece that begins a flow, what the flow of its key before it was; ``live`` says whether there was one."""

    row: np.ndarray
    live: np.ndarray
    closing: np.ndarray
    last_ms: np.ndarray


def _before(begins_key: np.ndarray, of_pieces: np.ndarray, of_carried: np.ndarray) -> np.ndarray:
    """What belongs to the piece before each one of the same key, or to what was carried."""
    return np.where(begins_key, of_carried, np.roll(of_pieces, 1))


def _ordered_endpoints(packets: BlockPackets) -> tuple[np.ndarray, np.ndarray]:
    """Keys, the lower endpoint first (word × packet), and whether the sender is the lower one or both are the same."""
    source, destination = packets.source, packets.destination
    from_lower = source[-1] <= destination[-1]
    for a, b in zip(source[-2::-1], destination[-2::-1], strict=True):
        from_lower = (a < b) | ((a == b) & from_lower)
    lower, higher = np.where(from_lower, source, destination), np.where(from_lower, destination, source)
    return np.concatenate([lower, higher]), from_lower


def _same_endpoints(keys: np.ndarray) -> np.ndarray:
    half = len(keys) // 2
    return (keys[:half] == keys[half:]).all(axis=0)


def _endpoints_of(keys: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Addresses (key × 2, high and low half, uint64) and ports (int64) of the lower and the higher endpoint."""
    sides = []
    for words in np.split(keys, 2):
        port = (words[-1] & _PORT).astype(np.int64)
        halves = words[:2] if len(words) == 3 else np.stack([np.zeros_like(words[0]), words[0] >> np.uint64(16)])
        sides.append((halves.T, port))
    return sides
