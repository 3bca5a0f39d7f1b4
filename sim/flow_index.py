"""Flow keys of whole blocks: packets sorted by key, and an index from keys to rows of a table."""

from collections.abc import Callable

import numpy as np

__all__ = ["FlowIndex", "group_by_key", "hash_keys", "sort_places"]

_MULTIPLIER = np.uint64(0x9E37_79B9_7F4A_7C15)
_FOLD = np.uint64(32)
_SMALLEST = 1 << 12
_NONE = -1
_LOW_BITS = np.uint64(20)
"""Of a hash; they are the least mixed, slots are chosen by those above."""


def hash_keys(keys: np.ndarray) -> np.ndarray:
    """A hash of every key (word × key, uint64), good enough to sort and look up by."""
    hashes = np.zeros(keys.shape[1], np.uint64)
    for word in keys:
        hashes ^= word
        hashes *= _MULTIPLIER
        hashes ^= hashes >> _FOLD
    return hashes * _MULTIPLIER


def group_by_key(keys: np.ndarray, hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An order in which equal keys stand together, earlier ones first, and where in it each group begins (int64)."""
    # Only the high bits of a hash have room beside the place; keys that agree in them by chance are told apart below.
    low = np.uint64(_place_bits(len(hashes)))
    tops = hashes >> low
    order = sort_places(tops)
    ordered = tops[order]
    same_top = ordered[1:] == ordered[:-1]
    same_key = same_top.copy()
    for word in keys:
        ordered = word[order]
        same_key &= ordered[1:] == ordered[:-1]
    if not np.array_equal(same_key, same_top):
        _, numbers = np.unique(keys, axis=1, return_inverse=True)
        numbers = numbers.reshape(-1)
        order = sort_places(numbers)
        same_key = numbers[order][1:] == numbers[order][:-1]
    return order, np.append(0, np.flatnonzero(~same_key) + 1)


def sort_places(numbers: np.ndarray) -> np.ndarray:
    """A stable argsort (int64) of non-negative numbers that leave room above them for the place of each."""
    # NumPy sorts numbers many times faster than it argsorts them.
    low = np.uint64(_place_bits(len(numbers)))
    places = np.arange(len(numbers), dtype=np.uint64)
    placed = np.sort(numbers.astype(np.uint64) << low | places)
    return (placed & ((np.uint64(1) << low) - np.uint64(1))).astype(np.int64)


def _place_bits(count: int) -> int:
    return max(count - 1, 1).bit_length()


class FlowIndex:
    """Finds the rows of keys: a hash table with linear probing, at most half full, asked for many keys at once.

    Keys are numbered from 0 as they come.

    Parameters
    ----------
    words:
        64-bit words of a key.
    """

    def __init__(self, words: int):
        self._count = 0
        self._keys = np.zeros((words, _SMALLEST), np.uint64)
        self._rows = np.full(_SMALLEST, _NONE)
        self._slots = np.full(2 * _SMALLEST, _NONE)  # numbers of keys

    def find(self, keys: np.ndarray, hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The numbers of these different keys (word × key), made if need be, and the row last set for each, else -1."""
        room = self._count + len(hashes)
        if room > len(self._rows):
            more = room + room // 2 - len(self._rows)
            self._keys = np.concatenate([self._keys, np.zeros((len(self._keys), more), np.uint64)], axis=1)
            self._rows = np.append(self._rows, np.full(more, _NONE))
        if 2 * room > len(self._slots):
            self._slots = np.full(1 << (4 * room).bit_length(), _NONE)
            known = self._keys[:, : self._count]
            self._place(known, hash_keys(known), lambda at: at)
        numbers = self._place(keys, hashes, lambda at: self._add(keys[:, at]))
        return numbers, self._rows[numbers]

    def set_rows(self, numbers: np.ndarray, rows: np.ndarray) -> None:
        """The rows of these keys from now on; of equal numbers the last one counts."""
        self._rows[numbers] = rows

    def keys(self, numbers: np.ndarray) -> np.ndarray:
        """The keys of these numbers (word × key)."""
        return self._keys[:, numbers]

    def _place(self, keys: np.ndarray, hashes: np.ndarray, number: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """The numbers of different keys; ``number`` gives those of keys that have no slot yet."""
        mask = len(self._slots) - 1
        slots = (hashes >> _LOW_BITS).astype(np.int64) & mask
        numbers = np.full(len(hashes), _NONE)
        waiting = np.arange(len(hashes))
        while len(waiting):
            held = self._slots[slots[waiting]]
            equal = (held != _NONE) & (self._keys[:, held] == keys[:, waiting]).all(axis=0)
            numbers[waiting[equal]] = held[equal]
            # Where several new keys meet, the last one written gets the slot; the others look on.
            fresh = waiting[held == _NONE]
            self._slots[slots[fresh]] = fresh
            placed = fresh[self._slots[slots[fresh]] == fresh]
            numbers[placed] = number(placed)
            self._slots[slots[placed]] = numbers[placed]
            waiting = waiting[numbers[waiting] == _NONE]
            slots[waiting] = (slots[waiting] + 1) & mask
        return numbers

    def _add(self, keys: np.ndarray) -> np.ndarray:
        numbers = np.arange(self._count, self._count + keys.shape[1])
        self._keys[:, numbers] = keys
        self._count += keys.shape[1]
        return numbers
