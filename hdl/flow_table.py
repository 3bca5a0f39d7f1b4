"""FlowTable: the set-associative table of flows in one single-port memory."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.accumulator_update import AccumulatorUpdate
from hdl.flow_identity import FlowIdentity
from hdl.flow_table_entry import entry_states
from hdl.flow_table_lookup import lookup_states
from hdl.flow_table_parameters import FlowTableParameters
from hdl.flow_table_signals import FlowTableSignals
from hdl.item import framed
from hdl.packet import Descriptor, packet_port_signature
from hdl.single_port_ram import SinglePortRam
from hdl.squarer import Squarer

__all__ = ["FlowTable", "FlowTableParameters"]


class FlowTable(wiring.Component):
    """Keeps flows and emits their records, in the order of events that ``docs/flow_rules.md`` fixes.

    An item is taken when it has been handled; until then its packet words must hold. A record leaves word by word
    while its entry is read; the table waits for ``o``.

    **Throughput**: an item in at most :meth:`interval` cycles while ``o`` is taken: 132 for IPv4 with 4 ways, entries
    of 32 words and records of one packet that do not leave whole. Without a packet it takes about 10, and 1 for each
    word of a record when one is emitted.

    Attributes
    ----------
    key: secret key of the hash
    restart: while high, the time is 0; for a new epoch, when the table has been flushed
    ready: all entries have been freed after reset
    now_ms: the latest time of all items
    fill: entries in use
    i, packet: descriptor of the item, and its words
    o: records, 32-bit words from EntryWord.STATE on; the end reason is in bits 8 to 10 of the first, and in bit
        EARLY_BIT whether the flow stays
    """

    def __init__(self, *, parameters: FlowTableParameters):
        self.parameters = parameters
        super().__init__(
            {
                "key": In(64),
                "restart": In(1),
                "ready": Out(1),
                "now_ms": Out(32),
                "fill": Out(range(parameters.entries + 1)),
                "i": In(stream.Signature(Descriptor)),
                "packet": Out(packet_port_signature()),
                "o": Out(stream.Signature(framed(32))),
            }
        )

    def interval(self, *, ipv6: bool = False) -> int:
        """Cycles of an item at worst: a host that talks to itself, a new flow in the last way, a sweep that emits.

        With pseudonyms of IPv6 addresses it is a new flow that makes one of many packets leave.
        """
        p = self.parameters
        asked_for = (not p.whole_singles) + p.layout.squares
        if p.layout.anonymised:
            asked_for += 47 if ipv6 else 15
        return 43 + asked_for + (48 if ipv6 else 0) + 6 * p.ways + 2 * p.layout.words

    def elaborate(self, platform):
        m = Module()
        p = self.parameters
        m.submodules.ram = ram = SinglePortRam(depth=p.entries * p.layout.stride, width=32)
        m.submodules.identity = identity = FlowIdentity(pseudonyms=p.layout.anonymised)
        m.submodules.update = update = AccumulatorUpdate(layout=p.layout)
        squarer = None
        if p.layout.squares:
            m.submodules.squarer = squarer = Squarer(width=16)
            m.d.comb += [squarer.i.eq(self.packet.data[16:]), update.square.eq(squarer.o)]

        m.d.comb += self.o.p.data.eq(ram.read_data)
        signals = FlowTableSignals(m, self, ram=ram, identity=identity, update=update, squarer=squarer)
        with m.FSM():
            lookup_states(signals)
            entry_states(signals)
        with m.If(self.restart):
            m.d.sync += self.now_ms.eq(0)

        return m
