"""Accumulator: one running statistic of one direction of a flow, as the flow table stores it."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Accumulator", "COUNT_BITS", "FLAG_BITS", "OCTETS", "PACKETS"]

COUNT_BITS = 16
"""Width of a packet counter. A flow leaves the table when a counter is full, so no sum can wrap."""

FLAG_BITS = {"FIN": 0, "SYN": 1, "RST": 2, "PSH": 3, "ACK": 4, "URG": 5}
"""Bit of each flag in the flags byte of the TCP header."""

_OPERAND_BITS = {"one": 1, "length": 16, "window": 16, "ttl": 8, "length_squared": 32}


@dataclass(frozen=True, order=True)
class Accumulator:
    """What one word or half-word of a flow table entry holds for one direction.

    The value starts at 0. Only packets that carry ``flag`` count, all of them when it is None. A ``max`` or
    ``min`` takes the first packet as it is, so it is 0 exactly when there was no packet.

    Parameters
    ----------
    operation:
        ``add``, ``max`` or ``min``.
    operand:
        What each packet contributes: ``one``, ``length`` (bytes), ``window`` (raw header field), ``ttl``
        (hops) or ``length_squared``.
    flag:
        Bit number in the TCP flags byte (see :data:`FLAG_BITS`), or None.
    """

    operation: Literal["add", "max", "min"]
    operand: Literal["one", "length", "window", "ttl", "length_squared"]
    flag: int | None = None

    def __post_init__(self):
        if self.operation not in ("add", "max", "min"):
            raise ValueError(f"Operation must be 'add', 'max' or 'min', not {self.operation!r}")
        if self.operand not in _OPERAND_BITS:
            raise ValueError(f"Operand must be one of {sorted(_OPERAND_BITS)}, not {self.operand!r}")
        if self.flag is not None and self.flag not in range(8):
            raise ValueError(f"Flag must be a bit number from 0 to 7 or None, not {self.flag!r}")
        if self.operation != "add" and self.flag is not None:
            raise ValueError(f"A {self.operation} accumulator must take every packet, not only flag bit {self.flag}")

    @property
    def width(self) -> int:
        """Bits that hold every value the accumulator can reach before a packet counter is full."""
        bits = _OPERAND_BITS[self.operand]
        if self.operation != "add":
            return bits
        return COUNT_BITS if self.operand == "one" else COUNT_BITS + bits

    def update(self, value: int, *, empty: bool, length: int, window: int, ttl: int, flags: int) -> int:
        """The value after one packet; ``empty`` says that no packet of this direction came before it."""
        if self.flag is not None and not flags >> self.flag & 1:
            return value
        operand = {"one": 1, "length": length, "window": window, "ttl": ttl, "length_squared": length * length}[
            self.operand
        ]
        if self.operation == "add":
            return value + operand
        if empty:
            return operand
        return max(value, operand) if self.operation == "max" else min(value, operand)


PACKETS = Accumulator("add", "one")
"""Number of packets; every flow table keeps it, as the first of its accumulators."""

OCTETS = Accumulator("add", "length")
"""Sum of packet lengths; every flow table keeps it."""
