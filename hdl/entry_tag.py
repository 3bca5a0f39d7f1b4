"""EntryTag: what the pipelined flow table decides by, read at once."""

from amaranth.lib import data

from hdl.accumulator import COUNT_BITS
from hdl.entry_layout import StateBit
from hdl.flow_table_parameters import CLOSED_BITS

__all__ = ["EntryTag"]


class EntryTag(data.Struct):
    """The part of an entry that is read of every way of a set: all but addresses, ports and accumulators.

    ``state`` are the bits of :class:`hdl.entry_layout.StateBit`. The packet counters are here because a flow leaves
    when one is full, and because a direction without packets need not be cleared in the memory of the accumulators.
    """

    identity: 64
    state: data.StructLayout({bit.name.lower(): 1 for bit in StateBit})
    closed: CLOSED_BITS
    first: 32
    last: 32
    forward: COUNT_BITS
    response: COUNT_BITS
