"""Comparisons of one feature with constants, as few tables as sharing allows.

``x <= t`` is settled by a part of the bits of ``x`` when it is not by the bits above it::

    x <= t  =  high < t_high  or  (high <= t_high and low <= t_low)

Thresholds with equal parts share the comparisons of those parts, ``high < t_high`` is ``high <= t_high - 1``, and a
table of four inputs takes the three results of such a step, or two of them and up to three bits as they are. Where to
part the bits is chosen by the number of tables, for every part again. Nothing becomes a carry chain, which costs open
flows several times the logic.
"""

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from .lut_network import FALSE, LUT_INPUTS, TRUE, NetworkBuilder

__all__ = ["add_thresholds"]

_RAW_HIGH, _RAW_LOW = 3, 2
"""Bits that fit into the last table of a step as they are, above or below the other part."""


class _Step(NamedTuple):
    """How the comparisons of some bits with some values are made: ``high`` bits apart from the rest, 0 for no split."""

    tables: int
    high: int


def add_thresholds(builder: NetworkBuilder, bits: Sequence[int], thresholds: Collection[int]) -> Mapping[int, int]:
    """Add ``x <= t`` for every ``t`` to a network.

    Parameters
    ----------
    bits: nodes of the feature, the least significant first
    thresholds: from -1 on

    Returns
    -------
    The node of every threshold.
    """
    return _add(builder, tuple(bits), frozenset(thresholds), _planner())


def _planner() -> Callable[[frozenset[int], int], _Step]:
    """A function that finds the step with the fewest tables for some values of a number of bits; it remembers."""

    @functools.cache
    def plan(values: frozenset[int], width: int) -> _Step:
        if all(value & 1 for value in values):
            # The lowest bit does not matter.
            return plan(frozenset(value >> 1 for value in values), width - 1) if values else _Step(0, 0)
        if width <= LUT_INPUTS:
            # The highest bit by itself is a comparison too.
            return _Step(sum(value != (1 << width - 1) - 1 for value in values), 0)
        return min(_Step(tables(values, width, high), high) for high in range(1, width))

    def tables(values: frozenset[int], width: int, high: int) -> int:
        parts = _Parts.of(values, width, high)
        count = len(parts.split)
        if not parts.high_is_raw:
            count += plan(parts.highs, high).tables
        else:
            count += plan(parts.whole_highs, high).tables
        if not parts.low_is_raw:
            count += plan(parts.lows, width - high).tables
        return count

    return plan


class _Parts(NamedTuple):
    """What is left to compare when bits are parted.

    Attributes
    ----------
    split: values that need both parts; of the others the low part is all ones
    highs, lows: values that the parts are compared with
    whole_highs: those of ``highs`` that values without a low part need
    high_is_raw, low_is_raw: the bits of the part go into the last table as they are
    """

    split: frozenset[int]
    highs: frozenset[int]
    whole_highs: frozenset[int]
    lows: frozenset[int]
    high_is_raw: bool
    low_is_raw: bool

    @classmethod
    def of(cls, values: frozenset[int], width: int, high: int) -> "_Parts":
        low = width - high
        ones = (1 << low) - 1
        split = frozenset(value for value in values if value & ones != ones)
        whole = frozenset(value >> low for value in values - split)
        around = frozenset(value >> low for value in split) | frozenset((value >> low) - 1 for value in split)
        high_is_raw = high <= _RAW_HIGH and low > _RAW_LOW
        return cls(
            split=split,
            highs=_real(around | whole, high),
            whole_highs=_real(whole, high),
            lows=_real(frozenset(value & ones for value in split), low),
            high_is_raw=high_is_raw,
            low_is_raw=not high_is_raw and low <= _RAW_LOW,
        )


def _real(values: frozenset[int], width: int) -> frozenset[int]:
    """Without those that every number of the width, or none, is at most."""
    return frozenset(value for value in values if 0 <= value < (1 << width) - 1)


def _add(
    builder: NetworkBuilder, bits: tuple[int, ...], values: frozenset[int], plan: Callable[[frozenset[int], int], _Step]
) -> dict[int, int]:
    width = len(bits)
    nodes = {value: FALSE if value < 0 else TRUE for value in values}
    values = _real(values, width)
    if not values:
        return nodes
    if all(value & 1 for value in values):
        upper = _add(builder, bits[1:], frozenset(value >> 1 for value in values), plan)
        return nodes | {value: upper[value >> 1] for value in values}
    if width <= LUT_INPUTS:
        return nodes | {value: builder.function(bits, lambda x, value=value: x <= value) for value in values}

    high = plan(values, width).high
    low = width - high
    ones = (1 << low) - 1
    parts = _Parts.of(values, width, high)
    low_bits, high_bits = bits[:low], bits[low:]
    needed = parts.whole_highs if parts.high_is_raw else parts.highs | {-1, (1 << high) - 1}
    at_most_high = _add(builder, high_bits, needed, plan)
    at_most_low = {} if parts.low_is_raw else _add(builder, low_bits, parts.lows, plan)
    for value in values - parts.split:
        nodes[value] = at_most_high[value >> low] if value >> low < (1 << high) - 1 else TRUE
    for value in parts.split:
        above, below = value >> low, value & ones
        if parts.high_is_raw:
            inputs = (*high_bits, at_most_low[below])
            nodes[value] = builder.function(inputs, lambda x, above=above: (x & (1 << high) - 1) < above + (x >> high))
        else:
            settled = at_most_high[above - 1], at_most_high[above]
            inputs = (*settled, *low_bits) if parts.low_is_raw else (*settled, at_most_low[below])
            nodes[value] = builder.function(
                inputs, lambda x, below=below: x & 1 or (x & 2 and _low_holds(x >> 2, below, parts.low_is_raw))
            )
    return nodes


def _low_holds(low: int, value: int, raw: bool) -> bool:
    return low <= value if raw else bool(low)
