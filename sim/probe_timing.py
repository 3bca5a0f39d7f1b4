"""How long a probe in simulation may be silent, and how long it may take."""

from hdl.probe import ProbeParameters

__all__ = ["limit_cycles", "quiet_cycles"]

# A minimum frame and a record take less than 500 cycles; a record's bytes about 10 each.
_LIMIT_CYCLES_PER_ITEM = 4000
_QUIET_CYCLES = 3000
"""Without a byte for so long, the probe has sent all it has: a record takes less than 1000 to be classified."""

_QUIET_CYCLES_PER_ENTRY = 8
"""A flush looks at every entry of the table, in 3 cycles when it is free, and is silent meanwhile."""


def quiet_cycles(parameters: ProbeParameters) -> int:
    """A probe that has been given its last item and sends nothing for so long has nothing more to send."""
    return _QUIET_CYCLES + _QUIET_CYCLES_PER_ENTRY * parameters.table.entries


def limit_cycles(parameters: ProbeParameters, items: int) -> int:
    """A probe that takes longer for so many items hangs."""
    return _LIMIT_CYCLES_PER_ITEM * (items + 100) + 2 * _QUIET_CYCLES_PER_ENTRY * parameters.table.entries
