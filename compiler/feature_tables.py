"""FeatureTables: how the comparisons of one feature with constants are looked up in block RAM.

The bits above all thresholds are looked at together: when one is set, no ``x <= t`` holds. Of the bits below, the high
ones address a table. When it has an answer for every value, the answers are its word. Otherwise the values with equal
high bits are a bucket, in which few thresholds lie: the word is the number of the bucket, or of one that stands for it,
and the low bits of those thresholds, with which the low bits of the feature are compared. The number and the results
address a second table, whose word is the answers.
"""

import bisect
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from hdl.block_rom import RomShape, RomTable
from hdl.lut_network import TRUE, NetworkBuilder

__all__ = ["FeatureTables", "choices"]

_MOST_PER_BUCKET = 3


@dataclass(frozen=True)
class FeatureTables:
    """Which thresholds of a feature are looked up, and how.

    Parameters
    ----------
    width:
        Bits of the feature.
    used:
        How many of them, from the lowest, are looked at one by one; all thresholds are below the highest number of so
        many.
    address:
        How many of those, from the highest, address the first table.
    clamped:
        Where ``used`` is less than the width: whether the address is all ones when a bit above is set. Else that is one
        more address bit of the second table.
    thresholds:
        What is looked up, ascending; the others of the feature are not meant.
    rom:
        What fits a block RAM.
    """

    width: int
    used: int
    address: int
    clamped: bool
    thresholds: tuple[int, ...]
    rom: RomShape

    @property
    def low(self) -> int:
        """Bits below those of the address."""
        return self.used - self.address

    @property
    def has_over(self) -> bool:
        """Whether one more bit says that the feature is above all thresholds."""
        return self.used < self.width

    @cached_property
    def per_bucket(self) -> int:
        """Comparisons with the low bits: the most thresholds in a bucket and not at its end; none when direct."""
        return max(Counter(bucket for bucket, _ in self._inside).values(), default=0)

    @cached_property
    def _inside(self) -> tuple[tuple[int, int], ...]:
        """Bucket and low bits of the thresholds that are not the last number of a bucket."""
        ones = (1 << self.low) - 1
        return tuple((at >> self.low, at & ones) for at in self.thresholds if at & ones != ones)

    @cached_property
    def _buckets(self) -> tuple[tuple[tuple[int, tuple[int, ...]], ...], tuple[tuple[int, int], ...]]:
        """For every bucket its number and the low bits from which on a threshold lies below; and what numbers mean.

        A number means how many thresholds lie below the bucket and in it. A bucket without one can stand for itself as
        a bucket that the feature is at the end of.
        """
        lows: dict[int, list[int]] = {}
        for bucket, low in self._inside:
            lows.setdefault(bucket, []).append(low + 1)
        numbers: dict[tuple[int, int], int] = {}
        below = [bisect.bisect_left(self.thresholds, bucket << self.low) for bucket in range(1 << self.address)]
        for bucket, found in lows.items():
            numbers[below[bucket], len(found)] = len(numbers)
        ends = {start + count: number for (start, count), number in numbers.items()}
        buckets = []
        for bucket, start in enumerate(below):
            if found := lows.get(bucket):
                number = numbers[start, len(found)]
            elif start in ends:
                number = ends[start]
            else:
                number = ends[start] = numbers[start, 0] = len(numbers)
            buckets.append((number, tuple((found or []) + [0] * (self.per_bucket - len(found or [])))))
        return tuple(buckets), tuple(numbers)

    @property
    def _number_width(self) -> int:
        return (len(self._buckets[1]) - 1).bit_length()

    @property
    def second_address(self) -> int:
        """Address bits of the second table."""
        return self._number_width + self.per_bucket + (self.has_over and not self.clamped)

    @cached_property
    def possible(self) -> bool:
        """Whether the tables are of a size that there is, and right for every value."""
        if self.low and (self.second_address > self.rom.address_width or not self.per_bucket):
            return False
        # What a clamped address reads is right for all low bits when nothing is to be compared with them.
        last = (1 << self.address) - 1
        return not (self.has_over and self.clamped and self.low and any(bucket == last for bucket, _ in self._inside))

    @property
    def first_width(self) -> int:
        """Bits of a word of the first table."""
        return self._number_width + self.per_bucket * self.low if self.low else len(self.thresholds)

    @property
    def first_shares(self) -> int:
        """Shares of block RAMs that the first table takes; see :meth:`~hdl.block_rom.RomShape.shares`."""
        return self.rom.shares(self.address, self.first_width)

    @property
    def second_shares(self) -> int:
        """Shares of block RAMs that the second table takes, 0 if there is none."""
        return self.rom.shares(self.second_address, len(self.thresholds)) if self.low else 0

    @property
    def is_deep(self) -> bool:
        """Whether the first table has block RAMs to itself."""
        return self.address > self.rom.address_width

    @property
    def cells(self) -> int:
        """Tables in logic that the addresses take."""
        over = -(-max(0, self.width - self.used - 1) // 3)
        return over + (self.address if self.has_over and self.clamped else 0) + self.per_bucket * self.low

    def first_tables(self, feature: str) -> list[RomTable]:
        """Tables for the address; slices of words that are too wide for one."""
        if not self.low:
            words = [self._answers(value) for value in range(1 << self.used)]
            return self.rom.sliced(len(self.thresholds), words, f"comparisons of {feature}")
        words = []
        for number, lows in self._buckets[0]:
            shifts = range(self._number_width, self._number_width + self.low * self.per_bucket, self.low)
            words.append(number | sum(low << shift for low, shift in zip(lows, shifts, strict=True)))
        return self.rom.sliced(self.first_width, words, f"buckets of {feature}")

    def second_tables(self, feature: str) -> list[RomTable]:
        """Tables for the number of a bucket, the results of comparisons and, in the highest bit, more than all."""
        if not self.low:
            return []
        words = [0] * (1 << self.second_address)
        for number, (start, count) in enumerate(self._buckets[1]):
            for results in range(1 << self.per_bucket):
                below = start + (results & (1 << count) - 1).bit_count()
                words[number | results << self._number_width] = self._from_rank(below)
        return self.rom.sliced(len(self.thresholds), words, f"comparisons of {feature}")

    def first_address(self, builder: NetworkBuilder, bits: Sequence[int]) -> list[int]:
        """Nodes of the address of the first tables, from the bits of the feature."""
        address = list(bits[self.low : self.used])
        if self.has_over and self.clamped:
            over = self.over(builder, bits)
            return [builder.function((over, bit), bool) for bit in address]
        return address

    def over(self, builder: NetworkBuilder, bits: Sequence[int]) -> int:
        """The node that says that the feature is above all thresholds."""
        over, *above = bits[self.used : self.width]
        for at in range(0, len(above), 3):
            over = builder.function((over, *above[at : at + 3]), bool)
        return over

    def second_address_from(
        self, builder: NetworkBuilder, word: Sequence[int], low_bits: Sequence[int], over: int | None
    ) -> list[int]:
        """Nodes of the address of the second tables, from the word of the first and the low bits of the feature."""
        number, lows = word[: self._number_width], word[self._number_width :]
        results = []
        for at in range(0, len(lows), self.low):
            result = TRUE
            for bit, threshold in zip(low_bits, lows[at : at + self.low], strict=True):
                result = builder.function((result, bit, threshold), lambda s: (s >> 1 & 1) + (s & 1) > s >> 2)
            results.append(result)
        return [*number, *results, *([] if over is None else [over])]

    def _answers(self, value: int) -> int:
        return self._from_rank(bisect.bisect_left(self.thresholds, value))

    def _from_rank(self, below: int) -> int:
        """The answers when so many thresholds are less than the feature: bit n is that of threshold n."""
        count = len(self.thresholds)
        return (1 << count) - (1 << below)


def choices(width: int, thresholds: Sequence[int], rom: RomShape) -> Iterator[FeatureTables]:
    """Ways to look up all or many of some thresholds of a feature, ascending."""
    for used in range(2, width + 1):
        within = [at for at in thresholds if at < (1 << used) - (used < width)]
        if 2 * len(within) < len(thresholds) or not within:
            continue
        if used <= rom.address_width:
            yield from _whole_tables(FeatureTables(width, used, used, True, tuple(within), rom))
        for address in range(rom.address_width, min(used, rom.address_width + 2)):
            for most in range(1, _MOST_PER_BUCKET + 1):
                kept = tuple(_thinned(within, used - address, most))
                for clamped in (False, True) if used < width else (False,):
                    yield from _whole_tables(FeatureTables(width, used, address, clamped, kept, rom))


def _whole_tables(tables: FeatureTables) -> Iterator[FeatureTables]:
    """With all thresholds, and with as many of the lowest as fill block RAMs."""
    count, word = len(tables.thresholds), tables.rom.word_width
    for kept in {count, count // word * word} - {0}:
        fewer = replace(tables, thresholds=tables.thresholds[:kept])
        if fewer.possible:
            yield fewer


def _thinned(thresholds: Sequence[int], low: int, most: int) -> Iterator[int]:
    """Without those that are too many for their bucket."""
    ones, count = (1 << low) - 1, Counter()
    for threshold in thresholds:
        if threshold & ones != ones:
            count[threshold >> low] += 1
            if count[threshold >> low] > most:
                continue
        yield threshold
