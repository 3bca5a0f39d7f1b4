"""States of the flow table that keep pseudonyms in place of addresses."""

from amaranth.hdl import Mux

from hdl.entry_layout import EntryWord
from hdl.flow_table_signals import FlowTableSignals
from hdl.packet import PacketWord

__all__ = ["pseudonym_states"]


def pseudonym_states(t: FlowTableSignals) -> None:
    """The hash makes both pseudonyms, one after the other, while the rest of the entry is written and one is swept.

    The identity is written first, before a record leaves, to free the hash. The pseudonym of the source is written
    before the rest if it is there by then, else behind it; that of the destination when everything else is done. An
    entry that has just been filled is never swept, so it may lack them until then.
    """
    m = t.m
    with m.State("KEEP_LOW"):
        t.write(EntryWord.IDENTITY_LOW, t.id_half)
        m.d.sync += t.upper.eq(1)
        m.next = "KEEP_HIGH"
    with m.State("KEEP_HIGH"):
        t.write(EntryWord.IDENTITY_HIGH, t.id_half)
        m.d.comb += t.identity.o.ready.eq(1)
        m.d.sync += [t.owed.eq(2), t.filled.eq(t.entry), t.has_ports.eq(0)]
        m.next = "EMIT"
        with m.If(t.found_free):
            m.next = "ORIENT"

    with m.State("FILL_WAIT"):
        m.d.sync += t.upper.eq(1)
        with m.If((t.owed == 2) & t.identity.o.valid):
            m.next = "PSEUDONYM_HIGH"
        with m.Elif(t.identity.absorbed):
            m.d.comb += t.table.packet.address.eq(PacketWord.PORTS)
            m.d.sync += t.turned.eq(t.response)
            m.next = "FILL_PORTS"
    with m.State("FILL_END"):
        m.d.sync += t.upper.eq(1)
        with m.If(t.owed == 1):
            m.next = "SWEEP"
        with m.Elif(t.identity.o.valid):
            m.next = "PSEUDONYM_HIGH"
    with m.State("PSEUDONYM_WAIT"):
        m.d.sync += t.upper.eq(1)
        with m.If(t.identity.o.valid):
            m.next = "PSEUDONYM_HIGH"

    initiator = (t.owed == 2) ^ t.response
    with m.State("PSEUDONYM_HIGH"):
        t.write(Mux(initiator, EntryWord.INITIATOR, EntryWord.RESPONDER), t.id_half)
        m.next = "PSEUDONYM_LOW"
    with m.State("PSEUDONYM_LOW"):
        t.write(Mux(initiator, EntryWord.INITIATOR + 1, EntryWord.RESPONDER + 1), t.id_half)
        m.d.comb += t.identity.o.ready.eq(1)
        m.d.sync += [t.owed.eq(t.owed - 1), t.identifying.eq(t.owed != 1)]
        m.next = "FILL_WAIT"
        with m.If(t.owed == 1):
            m.next = "DONE"
        with m.Elif(t.has_ports):
            m.next = "SWEEP"
