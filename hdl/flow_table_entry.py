"""States of the flow table that emit, fill and update an entry, and sweep."""

from amaranth.hdl import C, Cat, Mux, Signal

from hdl.accumulator import COUNT_BITS
from hdl.entry_layout import EARLY_BIT, EntryWord, StateBit
from hdl.flow_table_parameters import CLOSED_BITS
from hdl.flow_table_pseudonyms import pseudonym_states
from hdl.flow_table_signals import FlowTableSignals, Purpose
from hdl.item import ItemKind
from hdl.packet import PacketWord
from hdl.verdict import EndReason

__all__ = ["entry_states"]


def entry_states(t: FlowTableSignals) -> None:
    """A record leaves, an entry is filled, a packet is added, one entry is swept."""
    _emit(t)
    _fill(t)
    if t.layout.anonymised:
        pseudonym_states(t)
    _update(t)
    _close(t)
    if t.parameters.early:
        _early(t)
    _finish(t)


def _emit(t: FlowTableSignals) -> None:
    """A record leaves; its entry is freed or filled again."""
    m = t.m
    is_first = t.word == EntryWord.STATE
    is_last = t.word == t.layout.words - 1
    with m.State("EMIT"):
        t.read(EntryWord.STATE)
        m.d.sync += [t.word.eq(EntryWord.STATE), t.emitted.eq(1)]
        m.next = "EMIT_WORD" if t.parameters.whole_singles else "EMIT_STATE"
    if not t.parameters.whole_singles:
        with m.State("EMIT_STATE"):
            m.d.sync += t.lone.eq(~t.stored[StateBit.MANY])
            m.next = "EMIT_WORD"
    with m.State("EMIT_WORD"):
        m.d.comb += [t.table.o.valid.eq(1), t.table.o.p.first.eq(is_first), t.table.o.p.last.eq(is_last | t.lone)]
        with m.If(is_first):
            m.d.comb += t.table.o.p.data.eq(Cat(t.stored[:8], t.reason, C(0, EARLY_BIT - 8 - len(t.reason)), t.early))
        with m.If(t.table.o.ready):
            t.read(t.word + 1)
            m.d.sync += t.word.eq(t.word + 1)
            with m.If(t.table.o.p.last):
                m.next = "FREE"
                with m.If(t.early):
                    m.next = "DONE"
                with m.Elif((t.purpose == Purpose.LOOKUP) & ~t.full):
                    m.next = "ORIENT"
    with m.State("FREE"):
        t.write(EntryWord.STATE, 0)
        m.d.sync += t.table.fill.eq(t.table.fill - 1)
        m.next = "DONE"
        with m.If(t.purpose == Purpose.FLUSH):
            m.next = "FLUSH_NEXT"
    with m.State("FLUSH_NEXT"):
        m.d.sync += t.entry.eq(t.entry + 1)
        m.next = "EXAMINE"
        with m.If(t.entry == t.parameters.entries - 1):
            # Nothing is left, whatever bits of the memory have turned over.
            m.d.sync += t.table.fill.eq(0)
            m.next = "DONE"


def _fill(t: FlowTableSignals) -> None:
    """Write a new entry: what is known of the flow, zeros for the other direction, the packet itself for its own."""
    m = t.m
    sender_initiates = Signal()
    with m.State("ORIENT"):
        if t.parameters.first_seen:
            m.d.comb += sender_initiates.eq(1)
        else:
            m.d.comb += sender_initiates.eq(~t.to_client | t.to_server)
            with m.If(t.syn):
                m.d.comb += sender_initiates.eq(~t.ack)
            with m.Elif(t.kept):
                m.d.comb += sender_initiates.eq(t.swapped == t.old[StateBit.INITIATOR_HIGH])
        m.d.sync += [
            t.initiator_high.eq((t.swapped ^ ~sender_initiates) & ~t.equal),
            t.word.eq(EntryWord.INITIATOR),
            t.index.eq(0),
        ]
        if t.layout.anonymised:
            m.next = "FILL_WAIT"
        else:
            t.write(EntryWord.IDENTITY_LOW, t.id_half)
            m.d.sync += t.upper.eq(1)
            m.next = "FILL_HIGH"
    if not t.layout.anonymised:
        with m.State("FILL_HIGH"):
            t.write(EntryWord.IDENTITY_HIGH, t.id_half)
            m.d.comb += t.table.packet.address.eq(PacketWord.PORTS)
            m.d.sync += t.turned.eq(t.response)
            m.next = "FILL_PORTS"
    # The packet's words are asked for one clock ahead; those of its addresses change places if the receiver initiates.
    with m.State("FILL_PORTS"):
        t.write(EntryWord.PORTS, t.turnable)
        if t.layout.anonymised:
            m.d.sync += [t.word.eq(t.other_block), t.has_ports.eq(1)]
            m.next = "FILL_OTHER"
        else:
            m.d.comb += t.table.packet.address.eq(PacketWord.SOURCE ^ t.response << 2)
            m.next = "FILL_ADDRESSES"
    if not t.layout.anonymised:
        _fill_addresses(t)
    with m.State("FILL_OTHER"):
        t.write(t.word, 0)
        m.d.comb += t.table.packet.address.eq(PacketWord.SIZES)
        m.d.sync += [t.word.eq(t.word + 1), t.index.eq(t.index + 1)]
        with m.If(t.index == t.layout.block_words - 1):
            m.d.sync += [t.word.eq(t.block), t.index.eq(0)]
            m.next = "FILL_FIRST"
    # The first word of the packet's own takes two clocks to be made, in which other words are written.
    with m.State("FILL_FIRST"):
        t.write(EntryWord.FIRST, t.now)
        m.d.sync += t.index.eq(t.index + 1)
        m.next = "FILL_LAST"
    with m.State("FILL_LAST"):
        t.write(EntryWord.LAST, t.now)
        m.d.comb += t.update.first.eq(1)
        m.d.sync += t.index.eq(t.index + 1)
        m.next = "FILL_OWN"
    with m.State("FILL_OWN"):
        m.d.comb += t.update.first.eq(1)
        t.write(t.word, t.updated)
        m.d.sync += [t.word.eq(t.word + 1), t.index.eq(t.index + 1)]
        with m.If(t.index == t.layout.block_words + 1):
            m.next = "FILL_STATE"
    with m.State("FILL_STATE"):
        t.write(EntryWord.STATE, _first_state(t))
        m.next = "FILL_END" if t.layout.anonymised else "SWEEP"


def _fill_addresses(t: FlowTableSignals) -> None:
    m, ipv6 = t.m, t.table.i.p.ipv6
    with m.State("FILL_ADDRESSES"):
        # Of the four words of an address IPv4 has but the first; nobody reads the others.
        following = Mux(ipv6, t.word + 1, EntryWord.RESPONDER)[: len(t.word)]
        t.write(t.word, t.turnable)
        # An entry's address words follow the packet's by two.
        m.d.comb += t.table.packet.address.eq((following + 2)[:4] ^ t.response << 2)
        m.d.sync += t.word.eq(following)
        with m.If(t.word == Mux(ipv6, EntryWord.FORWARD - 1, EntryWord.RESPONDER)):
            m.d.sync += t.word.eq(t.other_block)
            m.next = "FILL_OTHER"


def _first_state(t: FlowTableSignals):
    """The state word of an entry after its first packet."""
    bits = {
        StateBit.VALID: 1,
        StateBit.INITIATOR_HIGH: t.initiator_high,
        StateBit.IPV6: t.table.i.p.ipv6,
        StateBit.SYN: t.syn,
        StateBit.FIN_FORWARD: t.fin & ~t.response,
        StateBit.FIN_RESPONSE: t.fin & t.response,
        StateBit.CLOSING: t.rst,
        StateBit.MANY: C(0, 1),
    }
    return Cat(*(bits[bit] for bit in StateBit), t.now[:CLOSED_BITS])


def _update(t: FlowTableSignals) -> None:
    """Add the packet to the accumulators of its direction."""
    m = t.m
    with m.State("DIRECT"):
        m.d.comb += t.table.packet.address.eq(PacketWord.SIZES)
        m.d.sync += [t.word.eq(t.block), t.index.eq(0)]
        m.next = "UPDATE"
    # Two words at a time: both are read, then both are written, so that each has a clock to be computed in.
    with m.State("UPDATE"):
        t.read(t.word)
        m.d.sync += t.index.eq(t.index + 1)
        m.next = "UPDATE_READ_SECOND"
    with m.State("UPDATE_READ_SECOND"):
        t.read(t.word + 1)
        with m.If(t.index == 1):
            m.d.comb += t.update.empty.eq(t.stored[:COUNT_BITS] == 0)
            m.d.sync += [t.empty.eq(t.update.empty), t.full.eq(t.update.updated[:COUNT_BITS].all())]
            m.d.sync += t.count.eq(t.update.updated)
        m.next = "UPDATE_WRITE"
    with m.State("UPDATE_WRITE"):
        t.write(t.word, t.updated)
        m.d.sync += t.index.eq(t.index + 1)
        m.next = "UPDATE_WRITE_SECOND"
        with m.If(t.index == t.layout.block_words):
            m.next = "UPDATE_LAST"
    with m.State("UPDATE_WRITE_SECOND"):
        t.write(t.word + 1, t.updated)
        m.d.sync += t.word.eq(t.word + 2)
        m.next = "UPDATE"
        with m.If(t.index == t.layout.block_words):
            m.next = "UPDATE_LAST"


def _close(t: FlowTableSignals) -> None:
    """Time and flags of an entry after a packet."""
    m = t.m
    with m.State("UPDATE_LAST"):
        t.write(EntryWord.LAST, t.now)
        m.next = "UPDATE_STATE"
    with m.State("UPDATE_STATE"):
        t.read(EntryWord.STATE)
        m.next = "UPDATE_STATE_WRITE"
    with m.State("UPDATE_STATE_WRITE"):
        state = t.stored[:8]
        fin_forward = state[StateBit.FIN_FORWARD] | (t.fin & ~t.response)
        fin_response = state[StateBit.FIN_RESPONSE] | (t.fin & t.response)
        closing = state[StateBit.CLOSING] | t.rst | (fin_forward & fin_response)
        closed = Mux(state[StateBit.CLOSING], t.stored[8:], t.now[:CLOSED_BITS])
        bits = (
            *state[: StateBit.SYN],
            state[StateBit.SYN] | t.syn,
            fin_forward,
            fin_response,
            closing,
            C(1, 1),
        )
        t.write(EntryWord.STATE, Cat(*bits, closed))
        m.next = "EARLY" if t.parameters.early else "SWEEP"
        with m.If(t.full):
            m.d.sync += t.reason.eq(EndReason.ACTIVE)
            m.next = "EMIT"


def _early(t: FlowTableSignals) -> None:
    """Emit an entry that has just so many packets, both ways, and keep it."""
    m = t.m
    with m.State("EARLY"):
        t.read(t.other_block)
        m.next = "EARLY_COUNT"
    with m.State("EARLY_COUNT"):
        m.next = "SWEEP"
        with m.If(t.count + t.stored[:COUNT_BITS] == t.parameters.early):
            m.d.sync += [t.early.eq(1), t.reason.eq(EndReason.ACTIVE)]
            m.next = "EMIT"


def _finish(t: FlowTableSignals) -> None:
    """Sweep one entry when no record has left, and take the item."""
    m = t.m
    with m.State("SWEEP"):
        m.d.sync += [t.purpose.eq(Purpose.SWEEP), t.entry.eq(t.sweep)]
        m.next = "EXAMINE"
        with m.If(t.emitted):
            m.next = "DONE"
    with m.State("DONE"):
        if t.layout.anonymised:
            with m.If(t.owed != 0):
                m.d.sync += t.entry.eq(t.filled)
                m.next = "PSEUDONYM_WAIT"
            with m.Else():
                _take(t)
        else:
            _take(t)


def _take(t: FlowTableSignals) -> None:
    m = t.m
    m.d.comb += [t.table.i.ready.eq(1), t.identity.o.ready.eq(1)]
    m.d.sync += [t.full.eq(0), t.identifying.eq(0)]
    with m.If(t.table.i.p.kind != ItemKind.FLUSH):
        m.d.sync += t.sweep.eq(t.sweep + 1)
    m.next = "IDLE"
