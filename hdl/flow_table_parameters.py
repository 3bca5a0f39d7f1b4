"""FlowTableParameters: size and rules of a flow table."""

from dataclasses import dataclass

from hdl.entry_layout import EntryLayout

__all__ = ["CLOSED_BITS", "MAX_EARLY", "FlowTableParameters"]

MAX_EARLY = 255

CLOSED_BITS = 24
"""Of the time at which a flow closed, in the state word of its entry."""


@dataclass(frozen=True)
class FlowTableParameters:
    """Size and rules of a flow table; the rules are those of ``docs/flow_rules.md``.

    Parameters
    ----------
    sets, ways: powers of two
    layout: what an entry holds
    idle_ms, active_ms, linger_ms: timeouts
    ports: the configured ports, or None when all TCP is tracked
    first_seen: the initiator is the sender of a flow's first packet, whatever else it looks like
    whole_singles: records of one packet are whole; else only their first word leaves, for those who but count them
    early: 0, or the number of packets, 2 to 255, after which a record of a flow leaves that stays
    """

    sets: int
    ways: int
    layout: EntryLayout
    idle_ms: int = 120_000
    active_ms: int = 1_800_000
    linger_ms: int = 2_000
    ports: tuple[int, ...] | None = (25,)
    first_seen: bool = False
    whole_singles: bool = True
    early: int = 0

    def __post_init__(self):
        for name in ("sets", "ways"):
            number = getattr(self, name)
            if number < 1 or number & number - 1:
                raise ValueError(f"Number of {name} must be a power of two, not {number!r}")
        if self.sets * self.ways < 2:
            raise ValueError("A flow table must have at least 2 entries")
        for name in ("idle_ms", "active_ms", "linger_ms"):
            if not 0 < getattr(self, name) < 1 << 32:
                raise ValueError(f"{name} must be positive and below 2 ** 32, not {getattr(self, name)!r}")
        if self.early and not 2 <= self.early <= MAX_EARLY:
            raise ValueError(f"early must be 0 or from 2 to {MAX_EARLY}, not {self.early!r}")
        if self.idle_ms + self.linger_ms >= 1 << CLOSED_BITS:
            raise ValueError(f"idle_ms + linger_ms must be below 2 ** {CLOSED_BITS}")

    @property
    def entries(self) -> int:
        return self.sets * self.ways
