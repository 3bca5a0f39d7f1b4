"""How far the clock of a log is from that of a capture, found from what both saw: time zone and offset."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

__all__ = ["ZONE_STEP_S", "ClockShift", "clock_shift", "split_zone"]

ZONE_STEP_S = 900
"""Time zones lie whole quarters of an hour apart."""

_WINDOW_S = 3.0
"""Lines are written up to so much later than what they tell of: servers look up names first, and round down."""
_MOST_PAIRS = 8_000_000
"""Some 300 MB while they are sorted. Fewer would hide the shift of one client with 50 000 sessions in a day."""
_OTHER_SHARE = 0.1
_SURE = 20


class ClockShift(NamedTuple):
    """What the log's times have to be set back by.

    Attributes
    ----------
    shift_s: time in the log minus time in the capture, of the earliest of the pairs
    median_s: the same, in the middle of them
    pairs: that say so
    others: shifts by other whole quarters of an hour that many pairs speak for, with their number: zones are mixed
    """

    shift_s: float
    median_s: float
    pairs: int
    others: tuple[tuple[float, int], ...] = ()


def clock_shift(
    logged_s: Mapping[Hashable, Sequence[float]], seen_s: Mapping[Hashable, Sequence[float]], widest_s: float
) -> ClockShift | None:
    """The shift that most pairs of one key agree on, or None when there is no pair.

    Any two times of one key may be of the same event; those that are agree on one shift, the others on none.

    Parameters
    ----------
    logged_s, seen_s: times by what identifies an event, such as the client
    widest_s: shifts that are looked at, either way
    """
    differences = _differences(logged_s, seen_s, widest_s)
    if not len(differences):
        return None
    differences.sort()
    counts = np.searchsorted(differences, differences + _WINDOW_S, "right") - np.arange(len(differences))
    best = int(counts.argmax())
    shift_s, pairs = float(differences[best]), int(counts[best])
    median_s = float(np.median(differences[best : best + pairs]))
    return ClockShift(shift_s, median_s, pairs, tuple(_others(differences, counts, shift_s, pairs)))


def _differences(
    logged_s: Mapping[Hashable, Sequence[float]], seen_s: Mapping[Hashable, Sequence[float]], widest_s: float
) -> np.ndarray:
    """All differences, or about ``_MOST_PAIRS`` of them: a busy client has as many as the square of its sessions."""
    ranges = []
    for key, seen in seen_s.items():
        if len(logged := np.sort(np.array(logged_s.get(key, ())))):
            seen = np.array(seen)
            begins = np.searchsorted(logged, seen - widest_s)
            ends = np.searchsorted(logged, seen + widest_s, "right")
            ranges.append((logged, seen, begins, ends))
    step = 1 + sum(int((ends - begins).sum()) for _, _, begins, ends in ranges) // _MOST_PAIRS
    found = [
        logged[begin:end] - time_s
        for logged, seen, begins, ends in ranges
        for time_s, begin, end in zip(*(each[::step].tolist() for each in (seen, begins, ends)), strict=True)
    ]
    return np.concatenate(found) if found else np.zeros(0)


def _others(differences: np.ndarray, counts: np.ndarray, shift_s: float, pairs: int) -> Iterable[tuple[float, int]]:
    """Other shifts, whole quarters of an hour from the best, that stand out from what chance gives."""
    if pairs < _SURE:
        return
    span = max(float(differences[-1] - differences[0]), _WINDOW_S)
    by_chance = len(differences) * _WINDOW_S / span
    quarters = np.rint((differences - shift_s) / ZONE_STEP_S)
    near = (quarters != 0) & (np.abs(differences - shift_s - quarters * ZONE_STEP_S) < _WINDOW_S)
    for quarter in np.unique(quarters[near]):
        count = int(counts[near & (quarters == quarter)].max())
        if count > max(_OTHER_SHARE * pairs, 5 * by_chance, _SURE):
            yield shift_s + float(quarter) * ZONE_STEP_S, count


def split_zone(shift_s: float) -> tuple[int, float]:
    """A shift as that of a time zone, in seconds east of UTC, and what is left over for the clocks."""
    zone_s = round(shift_s / ZONE_STEP_S) * ZONE_STEP_S
    return zone_s, shift_s - zone_s
