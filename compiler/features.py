"""The feature catalogue: every statistic of a flow that a forest may ask for, with its width, scale and meaning.

A feature is a *statistic* of a *field* over the packets *where* a flag is set, in a *direction*. Names follow
Luckner and Filasiak (2013): ``slas`` is the mean length of packets with ACK, ``rslas`` the same of the response.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hdl.accumulator import COUNT_BITS, FLAG_BITS, OCTETS, PACKETS, Accumulator

__all__ = ["CATALOGUE", "MEAN_FRACTION_BITS", "REFERENCE_COLUMNS", "UNIVERSAL", "Feature", "accumulators_of"]

MEAN_FRACTION_BITS = 2
"""Fraction bits of every mean: a quarter of the unit."""

MAX_FEATURE_BITS = 24
"""scikit-learn casts to float32, which holds integers of up to 24 bits exactly."""

_FIELDS = {"length": (16, "bytes"), "window": (16, "raw window"), "ttl": (8, "hops")}


@dataclass(frozen=True)
class Feature:
    """A column that a forest may test, always an unsigned integer.

    Attributes
    ----------
    bits, fraction:
        Width, and how many of its bits lie behind the binary point.
    saturates:
        Larger values are held at ``2 ** bits - 1`` instead of being refused.
    """

    name: str
    statistic: str  # count, sum, min, max, mean, variance, any or duration
    field: str | None
    flag: str | None
    direction: str | None  # forward, response, or None for both
    bits: int
    fraction: int
    unit: str
    meaning: str
    saturates: bool = False

    @property
    def response(self) -> bool:
        return self.direction == "response"

    @property
    def needs(self) -> tuple[Accumulator, ...]:
        """The accumulators of its direction that the value is computed from."""
        flag = None if self.flag is None else FLAG_BITS[self.flag]
        match self.statistic:
            case "count" | "any":
                return (Accumulator("add", "one", flag),)
            case "sum":
                return (Accumulator("add", self.field, flag),)
            case "min" | "max":
                return (Accumulator(self.statistic, self.field),)
            case "mean":
                return (Accumulator("add", self.field, flag), Accumulator("add", "one", flag))
            case "variance":
                return (Accumulator("add", "length_squared"), Accumulator("add", self.field), PACKETS)
            case "duration":
                return ()
        raise ValueError(f"Statistic of feature {self.name!r} must be a known one, not {self.statistic!r}")

    def value(self, forward: Mapping[Accumulator, int], response: Mapping[Accumulator, int], duration_ms: int) -> int:
        """The feature of one flow from the accumulators of its two directions (the model of ``hdl/features.py``)."""
        side = response if self.response else forward
        operands = [side[accumulator] for accumulator in self.needs]
        match self.statistic:
            case "any":
                value = int(operands[0] > 0)
            case "mean":
                total, count = operands
                value = (total << self.fraction) // count if count else 0
            case "variance":
                squares, total, count = operands
                value = (count * squares - total * total) // (count * count) if count else 0
            case "duration":
                value = duration_ms
            case _:
                value = operands[0]
        return min(value, 2**self.bits - 1) if self.saturates else value

    def values(
        self,
        forward: Mapping[Accumulator, np.ndarray],
        response: Mapping[Accumulator, np.ndarray],
        duration_ms: np.ndarray,
    ) -> np.ndarray:
        """:meth:`value` of many flows at once; all arrays are int64, one item a flow."""
        side = response if self.response else forward
        operands = [side[accumulator] for accumulator in self.needs]
        match self.statistic:
            case "any":
                values = (operands[0] > 0).astype(np.int64)
            case "mean":
                total, count = operands
                values = (total << self.fraction) // np.maximum(count, 1)
            case "variance":
                # Both products are below (2^16 - 1)^4, so they fit in 64 bits without sign.
                squares, total, count = (operand.astype(np.uint64) for operand in operands)
                values = (count * squares - total * total) // np.maximum(count * count, np.uint64(1))
                values = values.astype(np.int64)
            case "duration":
                values = duration_ms
            case _:
                values = operands[0]
        return np.minimum(values, 2**self.bits - 1) if self.saturates else values


def _direction(prefix: str) -> list[Feature]:
    direction = "response" if prefix else "forward"
    side = "response" if prefix else "forward direction"

    def feature(name, statistic, field, flag, bits, fraction, unit, meaning, saturates=False):
        return Feature(
            prefix + name, statistic, field, flag, direction, bits, fraction, unit, f"{meaning}, {side}", saturates
        )

    def mean(name, field, flag, meaning):
        bits, unit = _FIELDS[field]
        return feature(name, "mean", field, flag, bits + MEAN_FRACTION_BITS, MEAN_FRACTION_BITS, unit, meaning)

    def extreme(name, statistic, field, meaning):
        bits, unit = _FIELDS[field]
        return feature(name, statistic, field, None, bits, 0, unit, meaning)

    def count(name, flag, meaning):
        return feature(name, "count", None, flag, COUNT_BITS, 0, "packets", meaning)

    return [
        mean("slas", "length", "ACK", "mean length of packets with ACK"),
        mean("spl", "length", None, "mean packet length"),
        mean("slps", "length", "PSH", "mean length of packets with PSH"),
        extreme("maxpl", "max", "length", "maximum packet length"),
        extreme("maxtw", "max", "window", "maximum TCP window"),
        count("spps", "PSH", "packets with PSH"),
        mean("stw", "window", None, "mean TCP window"),
        extreme("mintw", "min", "window", "minimum TCP window"),
        extreme("maxttl", "max", "ttl", "maximum TTL or hop limit"),
        count("sp", None, "packets"),
        extreme("minttl", "min", "ttl", "minimum TTL or hop limit"),
        mean("sttl", "ttl", None, "mean TTL or hop limit"),
        feature("spl2", "variance", "length", None, MAX_FEATURE_BITS, 0, "bytes²", "variance of packet length", True),
        extreme("minpl", "min", "length", "minimum packet length"),
        count("spas", "ACK", "packets with ACK"),
        *(
            feature(flag.lower(), "any", None, flag, 1, 0, "", f"whether a packet with {flag} occurred")
            for flag in FLAG_BITS
        ),
    ]


_DURATION = Feature(
    "duration", "duration", None, None, None, MAX_FEATURE_BITS, 0, "ms", "time from first to last packet", True
)

CATALOGUE: dict[str, Feature] = {f.name: f for f in (*_direction(""), *_direction("r"), _DURATION)}
"""Every feature by name."""

_UNIVERSAL = ("slas", "spl", "slps", "maxpl", "maxtw", "spps", "stw", "mintw", "maxttl", "sp", "minttl", "sttl")

UNIVERSAL: tuple[str, ...] = (*_UNIVERSAL, *("r" + name for name in _UNIVERSAL))
"""The paper's twelve universal features, both ways, in the paper's order."""

_ACK, _PSH = FLAG_BITS["ACK"], FLAG_BITS["PSH"]

REFERENCE_COLUMNS: dict[str, Accumulator] = {
    "sp": PACKETS,
    "spl": OCTETS,
    "spl2": Accumulator("add", "length_squared"),
    "maxpl": Accumulator("max", "length"),
    "minpl": Accumulator("min", "length"),
    "spas": Accumulator("add", "one", _ACK),
    "slas": Accumulator("add", "length", _ACK),
    "spps": Accumulator("add", "one", _PSH),
    "slps": Accumulator("add", "length", _PSH),
    "stw": Accumulator("add", "window"),
    "maxtw": Accumulator("max", "window"),
    "mintw": Accumulator("min", "window"),
    "sttl": Accumulator("add", "ttl"),
    "maxttl": Accumulator("max", "ttl"),
    "minttl": Accumulator("min", "ttl"),
}
"""Columns of a table of raw accumulators (``training flows --raw``); the response has the prefix ``r``."""


def accumulators_of(names: list[str] | tuple[str, ...]) -> tuple[Accumulator, ...]:
    """What a flow table keeps per direction for these features: packets, octets, then the rest in fixed order."""
    needed = {accumulator for name in names for accumulator in CATALOGUE[name].needs} - {PACKETS, OCTETS}
    return (PACKETS, OCTETS, *sorted(needed, key=lambda a: (a.operand, a.operation, a.flag is not None, a.flag or 0)))
