"""Flow keys of whole blocks: packets sorted by key, and an index from keys to rows of a table."""

from collections.abc import Callable

import numpy as np

__all__ = ["FlowIndex", "group_by_key", "hash_keys", "stable_order"]

_MULTIPLIER = np.uint64(0x9E37_79B9_7F4A_7C15)
_FOLD = np.uint64(32)
_SMALLEST = 1 << 12
_NONE = -1
_NOT_SORTED_BY = np.uint64(16)
"""Low bits of a hash that packets are not sorted by, to save a pass; of 50 000 keys two agree in the others once in
200 000 blocks."""
_DIGIT_BITS = 16
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
    tops = hashes >> _NOT_SORTED_BY
    order = stable_order(tops)
    ordered = tops[order]
    same_top = ordered[1:] == ordered[:-1]
    same_key = same_top.copy()
    for word in keys:
        ordered = word[order]
        same_key &= ordered[1:] == ordered[:-1]
    if not np.array_equal(same_key, same_top):  # different keys agree in what their hashes are sorted by
        _, numbers = np.unique(keys, axis=1, return_inverse=True)
        numbers = numbers.reshape(-1)
        order = stable_order(numbers)
        same_key = numbers[order][1:] == numbers[order][:-1]
    return order, np.append(0, np.flatnonzero(~same_key) + 1)


def stable_order(numbers: np.ndarray) -> np.ndarray:
    """A stable argsort (int64) of non-negative numbers, of which there is at least one."""
    # NumPy sorts numbers of 16 bits by radix. Longer ones it compares, which takes longer than three such passes even
    # where it compares vectors, and an argsort of them several times as long.
    digits = numbers.astype(np.uint16)
    order = digits.argsort(kind="stable")
    for low in range(_DIGIT_BITS, int(numbers.max()).bit_length(), _DIGIT_BITS):
        digits = (numbers >> low).astype(np.uint16)
        order = order[digits[order].argsort(kind="stable")]
    return order


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
