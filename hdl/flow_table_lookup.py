"""States of the flow table that find the entry of a packet, or the one to give up for it."""

from amaranth.hdl import C, Cat

from hdl.at_most import at_least
from hdl.entry_layout import EntryWord, StateBit
from hdl.flow_table_parameters import CLOSED_BITS
from hdl.flow_table_signals import FlowTableSignals, Purpose
from hdl.item import ItemKind
from hdl.packet import PacketWord
from hdl.verdict import EndReason

__all__ = ["lookup_states"]


def lookup_states(t: FlowTableSignals) -> None:
    """An item arrives; the ways of its set are examined, up to that of its flow; an entry is decided over."""
    _arrival(t)
    _examine(t)
    _decide(t)


def _arrival(t: FlowTableSignals) -> None:
    """From an item to the set that its flow would be in."""
    m = t.m
    with m.State("CLEAR"):
        t.write(EntryWord.STATE, 0)
        m.d.sync += t.entry.eq(t.entry + 1)
        with m.If(t.entry == t.parameters.entries - 1):
            m.d.sync += t.table.ready.eq(1)
            m.next = "IDLE"

    with m.State("IDLE"):
        m.d.comb += t.table.packet.address.eq(PacketWord.TIME)
        m.d.sync += [t.emitted.eq(0), t.kept.eq(0), t.early.eq(0)]
        m.d.sync += [t.found_free.eq(0), t.found_expired.eq(0), t.found_victim.eq(0)]
        with m.If(t.table.i.valid):
            m.next = "TIME"
    with m.State("TIME"):
        m.d.comb += t.since.eq(t.table.packet.data)
        with m.If(~t.passed):
            m.d.sync += t.now.eq(t.table.packet.data)
        m.d.comb += t.table.packet.address.eq(PacketWord.MARKS)
        with m.If(t.table.i.p.kind == ItemKind.FLUSH):
            m.d.sync += [t.purpose.eq(Purpose.FLUSH), t.entry.eq(0)]
            m.next = "EXAMINE"
        with m.Elif(t.used):
            m.next = "MARKS"
        with m.Else():
            m.next = "SWEEP"
    with m.State("MARKS"):
        m.d.sync += [t.flags.eq(t.table.packet.data[:8]), t.ttl.eq(t.table.packet.data[8:])]
        m.d.comb += t.table.packet.address.eq(PacketWord.PORTS)
        m.next = "PORTS"
        if t.layout.squares:
            m.d.comb += t.table.packet.address.eq(PacketWord.SIZES)
            m.next = "SIZES"
    if t.layout.squares:
        with m.State("SIZES"):
            # The square of the length is there long before the identity.
            m.d.comb += [t.squarer.start.eq(1), t.table.packet.address.eq(PacketWord.PORTS)]
            m.next = "PORTS"
    with m.State("PORTS"):
        ports = t.parameters.ports or ()
        m.d.sync += [
            t.to_client.eq(Cat(t.table.packet.data[16:] == port for port in ports).any()),
            t.to_server.eq(Cat(t.table.packet.data[:16] == port for port in ports).any()),
        ]
        m.d.sync += t.identifying.eq(1)
        m.next = "IDENTIFY"
    with m.State("IDENTIFY"):
        m.d.comb += t.table.packet.address.eq(t.identity.packet.address)
        set_index = t.identity.o.p.identity[: (t.parameters.sets - 1).bit_length()]
        # The search takes longer than the half of the identity that is still to come.
        with m.If(t.identity.low_valid):
            m.d.sync += [t.purpose.eq(Purpose.LOOKUP), t.entry.eq(Cat(C(0, len(t.way)), set_index))]
            m.next = "EXAMINE"


def _examine(t: FlowTableSignals) -> None:
    """Read what decides over an entry: state, last, first, and whether it is the flow's."""
    m = t.m
    searching = t.purpose == Purpose.LOOKUP
    undecided = searching & ~t.found_free & ~t.found_expired
    with m.State("EXAMINE"):
        t.read(EntryWord.STATE)
        m.next = "EXAMINE_STATE"
    with m.State("EXAMINE_STATE"):
        m.d.comb += t.since.eq(t.stored[8:])
        closed_age = t.age[:CLOSED_BITS]
        m.d.sync += [
            t.old.eq(t.stored),
            t.lingered.eq(t.stored[StateBit.CLOSING] & at_least(closed_age, t.parameters.linger_ms)),
        ]
        t.read(EntryWord.LAST)
        m.next = "EXAMINE_LAST"
        with m.If(t.purpose == Purpose.FLUSH):
            m.d.sync += t.reason.eq(EndReason.FORCED)
            m.next = "FLUSH_NEXT"
            with m.If(t.stored[StateBit.VALID]):
                m.next = "EMIT"
        with m.Elif(~t.stored[StateBit.VALID]):
            m.next = "DONE"
            with m.If(searching):
                t.next_way()
            with m.If(searching & ~t.found_free):
                m.d.sync += [t.found_free.eq(1), t.best_way.eq(t.way)]
    with m.State("EXAMINE_LAST"):
        m.d.sync += t.idle.eq(at_least(t.age, t.parameters.idle_ms))
        m.next = "EXAMINE_ORDER"
        with m.If(~undecided):
            t.read(EntryWord.FIRST)
            m.next = "EXAMINE_FIRST"
    with m.State("EXAMINE_ORDER"):
        m.d.comb += [t.until.eq(t.best_last), t.strictly.eq(1)]
        with m.If(t.better):
            m.d.sync += [t.best_last.eq(t.stored), t.best_single.eq(t.single), t.best_way.eq(t.way)]
            m.d.sync += t.found_victim.eq(1)
        t.read(EntryWord.FIRST)
        m.next = "EXAMINE_FIRST"
    with m.State("EXAMINE_FIRST"):
        m.d.sync += t.active.eq(at_least(t.age, t.parameters.active_ms))
        t.read(EntryWord.IDENTITY_LOW)
        m.next = "COMPARE"
    with m.State("COMPARE"):
        t.read(EntryWord.IDENTITY_HIGH)
        m.d.sync += t.upper.eq(1)
        with m.If(~searching):
            m.d.sync += t.reason.eq(t.own_reason)
            m.next = "DONE"
            with m.If(t.expired):
                m.next = "EMIT"
        with m.Else():
            with m.If(undecided & t.expired):
                m.d.sync += [t.found_expired.eq(1), t.best_way.eq(t.way), t.reason.eq(t.own_reason)]
            t.next_way()
            # In the way that stays when the high half is the same, so that a hit finds it.
            with m.If(t.stored == t.id_half):
                m.d.sync += t.way.eq(t.way)
                m.next = "COMPARE_HIGH"


def _decide(t: FlowTableSignals) -> None:
    """The entry is the flow's, or every way has been examined and one is given up."""
    m = t.m
    with m.State("COMPARE_HIGH"):
        m.d.sync += t.upper.eq(~t.identity.o.valid)
        with m.If(t.identity.o.valid):
            t.next_way()
            with m.If(t.stored == t.id_half):
                m.d.sync += [t.way.eq(t.way), t.reason.eq(t.own_reason), t.kept.eq(1)]
                m.d.sync += t.initiator_high.eq(t.old[StateBit.INITIATOR_HIGH])
                m.next = "DIRECT"
                with m.If(t.expired | (t.old[StateBit.CLOSING] & t.restarts)):
                    m.d.sync += t.found_free.eq(0)
                    m.next = "KEEP_LOW" if t.layout.anonymised else "EMIT"
    with m.State("CHOOSE"):
        with m.If(t.identity.o.valid):
            m.d.sync += t.way.eq(t.best_way)
            m.next = "KEEP_LOW" if t.layout.anonymised else "EMIT"
            with m.If(t.found_free):
                m.d.sync += t.table.fill.eq(t.table.fill + 1)
                if not t.layout.anonymised:
                    m.next = "ORIENT"
            with m.Elif(~t.found_expired):
                m.d.sync += t.reason.eq(EndReason.RESOURCES)
