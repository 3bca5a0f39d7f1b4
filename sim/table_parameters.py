"""TableParameters: what a flow table is built and set up with."""

from dataclasses import dataclass
from typing import Literal

from hdl.accumulator import OCTETS, PACKETS, Accumulator

__all__ = ["TableParameters"]

_MAX_TIMEOUT_MS = 1 << 24


@dataclass(frozen=True, kw_only=True)
class TableParameters:
    """Shape, timeouts and rules of a flow table.

    Parameters
    ----------
    sets, ways:
        Shape of the table; ``sets`` is a power of two. None is a table without limit, for training: nothing is
        evicted or swept, so a flow ends only when a packet restarts it or at the flush, in the order of the first
        packets.
    idle_ms, active_ms, linger_ms:
        Timeouts. None never ends a flow for that reason; it is for a table without limit.
    ports:
        The tracked ports, None for all.
    orientation:
        ``initiator``: forward is from the side that opened the flow. ``first``: from the first sender seen.
    accumulators:
        What is kept per direction; PACKETS and OCTETS are among them.
    anonymised:
        Keyed pseudonyms are kept in place of addresses.
    early:
        0, or the number of packets, at least 2, after which a record of a flow leaves that stays.
    """

    sets: int | None = None
    ways: int = 4
    idle_ms: int | None = 120_000
    active_ms: int | None = 1_800_000
    linger_ms: int | None = 2_000
    ports: frozenset[int] | None = frozenset({25})
    orientation: Literal["initiator", "first"] = "initiator"
    accumulators: tuple[Accumulator, ...] = (PACKETS, OCTETS)
    anonymised: bool = False
    early: int = 0

    def __post_init__(self):
        timeouts = (self.idle_ms, self.active_ms, self.linger_ms)
        if self.sets is not None:
            if self.sets < 1 or self.sets & self.sets - 1:
                raise ValueError(f"Sets must be a power of two or None, not {self.sets!r}")
            if self.ways < 1:
                raise ValueError(f"Ways must be at least 1, not {self.ways!r}")
            if None in timeouts:
                raise ValueError(f"Timeouts of a limited table must be numbers, not {timeouts!r}")
            if self.idle_ms + self.linger_ms >= _MAX_TIMEOUT_MS:
                raise ValueError(f"Idle and linger timeout must stay below 2^24 ms together, not {timeouts!r}")
        if any(timeout is not None and timeout < 1 for timeout in timeouts):
            raise ValueError(f"Timeouts must be 1 ms or more, not {timeouts!r}")
        if self.orientation not in ("initiator", "first"):
            raise ValueError(f"Orientation must be 'initiator' or 'first', not {self.orientation!r}")
        if not {PACKETS, OCTETS} <= set(self.accumulators):
            raise ValueError("Accumulators must include packets and octets")
