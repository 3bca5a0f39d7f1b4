"""Where the records of a pcap file begin: a chain, each record says how long it is, walked from many places at once.

The bytes are cut into lanes. In each a record is guessed from what a record header looks like, and all lanes are walked
side by side. A guess counts only when the lane before it ends exactly there, so that a wrong one costs time, never a
packet.
"""

import struct

import numpy as np

__all__ = ["HEADER_BYTES", "MAX_CAPTURED", "record_headers", "record_starts", "words_at"]

HEADER_BYTES = 16
"""Seconds, fraction of a second, captured length, wire length, 4 bytes each."""

MAX_CAPTURED = 262_144
"""Longest captured part that libpcap writes; a larger one is a damaged length."""

_LANE_BYTES = (1 << 14) + 64
"""Not a power of two, else what all lanes read at a time lies at the same place of a cache."""

_STEPS = 8
"""Records between two looks whether all lanes are done."""

_SEARCHED_BYTES = 1 << 9
"""Of a lane, in which its first record is looked for. Lanes of long frames often have none there and belong to the one
before, but they hold few frames."""

_NEAR_S = 1 << 18
"""Three days: a guessed record is not farther from the first one in time."""

_END = 1 << 62


def words_at(data: np.ndarray, offset: int, order: str) -> np.ndarray:
    """The 4-byte words of ``data`` (uint8) by the place of their header: ``words_at(data, 8, "<")[at]`` is that at
    ``at + 8``. A view; only for indexing, as its items overlap."""
    return np.ndarray((max(len(data) - offset - 3, 0),), np.dtype(f"{order}u4"), data, offset=offset, strides=(1,))


def record_headers(data: np.ndarray, starts: np.ndarray, order: str) -> np.ndarray:
    """Seconds, fraction, captured length and wire length of the records at these offsets (4 × record, int64)."""
    places = np.ndarray((max(len(data) - HEADER_BYTES + 1, 0),), f"V{HEADER_BYTES}", data, strides=(1,))
    return places[starts].view(f"{order}u4").reshape(-1, 4).T.astype(np.int64, order="C")


def record_starts(data: np.ndarray, end: int, order: str) -> np.ndarray:
    """Offsets of all records whose header lies whole before ``end``, the first at 0 (int64, ascending).

    What comes after a record whose captured length is above MAX_CAPTURED means nothing.

    Parameters
    ----------
    data: the bytes of the file from a record on, uint8
    end: how many of them count
    order: byte order of the file, ``<`` or ``>``
    """
    captured = words_at(data, 8, order)
    guesses = _guesses(data, end, order)
    limits = np.append(guesses[1:], end - HEADER_BYTES + 1)
    walked, stops = _walk(captured, guesses, limits)
    found, lane = [], 0
    while lane < len(guesses):
        found.append(walked[lane])
        at = int(stops[lane])
        lane += 1
        if lane == len(guesses) or at == guesses[lane]:
            continue
        singly, at = _walk_singly(data, at, end, order, set(guesses[lane:].tolist()))
        found.append(np.array(singly, np.int64))
        lane = int(np.searchsorted(guesses, at)) if at + HEADER_BYTES <= end else len(guesses)
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _guesses(data: np.ndarray, end: int, order: str) -> np.ndarray:
    """Offsets that look like records, at most one a lane, ascending; the first is 0."""
    if end < HEADER_BYTES:
        return np.zeros(0, np.int64)
    lanes = end // _LANE_BYTES - 1  # the last one is left out, so that no window reaches over the end
    if lanes < 1:
        return np.zeros(1, np.int64)
    windows = np.ndarray(
        (lanes, _SEARCHED_BYTES), np.dtype(f"{order}u4"), data, offset=_LANE_BYTES, strides=(_LANE_BYTES, 1)
    )
    lane, within = np.nonzero(_is_near(windows, data, order))
    at = (lane + 1) * _LANE_BYTES + within
    looks_right = _looks_right(data, at, end, order)
    lane, at = lane[looks_right], at[looks_right]
    _, first = np.unique(lane, return_index=True)
    return np.append(0, at[first])


def _is_near(seconds: np.ndarray, data: np.ndarray, order: str) -> np.ndarray:
    """Which of these seconds (uint32, so that they wrap) are near those of the first record."""
    earliest = (int(words_at(data, 0, order)[0]) - _NEAR_S // 2) % (1 << 32)
    return seconds - np.uint32(earliest) < _NEAR_S


def _looks_right(data: np.ndarray, at: np.ndarray, end: int, order: str) -> np.ndarray:
    """Whether a record and the one behind it could be there."""
    right = np.ones(len(at), bool)
    for _ in range(2):
        here = np.minimum(at, end - HEADER_BYTES)
        seconds, fraction, captured, wire = (words_at(data, offset, order)[here] for offset in (0, 4, 8, 12))
        right &= (at <= end - HEADER_BYTES) & (captured <= MAX_CAPTURED) & (captured <= wire)
        right &= (fraction < 1_000_000_000) & _is_near(seconds, data, order)
        at = here + HEADER_BYTES + np.minimum(captured, MAX_CAPTURED)
    return right


def _walk(captured: np.ndarray, starts: np.ndarray, limits: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """The records of every lane from its start to before its limit, and where the record after them begins."""
    at, steps = starts, [starts]
    last, header = np.array([len(captured) - 1]), np.array([HEADER_BYTES])
    while (at < limits).any():
        # Lanes that are done go on, into what is another's; what they find there is left out below.
        for _ in range(_STEPS):
            after = at + header
            after += captured[np.minimum(at, last)]
            steps.append(at := after)
    walked = np.stack(steps, axis=1) if len(starts) else np.zeros((0, 1), np.int64)
    counts = (walked < limits[:, None]).sum(axis=1)
    stops = np.take_along_axis(walked, counts[:, None], axis=1)[:, 0]
    return [row[:count] for row, count in zip(walked, counts.tolist(), strict=True)], stops


def _walk_singly(data: np.ndarray, at: int, end: int, order: str, goals: set[int]) -> tuple[list[int], int]:
    """The records from ``at`` on until one of the goals, and where it stopped."""
    captured, found = struct.Struct(order + "I").unpack_from, []
    while at + HEADER_BYTES <= end and at not in goals:
        found.append(at)
        (length,) = captured(data, at + 8)
        at = at + HEADER_BYTES + length if length <= MAX_CAPTURED else _END
    return found, at
