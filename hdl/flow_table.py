"""FlowTable: the set-associative table of flows in one single-port memory."""

from dataclasses import dataclass
from enum import IntEnum

from amaranth.hdl import C, Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.accumulator import COUNT_BITS, FLAG_BITS
from hdl.accumulator_update import AccumulatorUpdate
from hdl.comparators import at_most
from hdl.entry_layout import EntryLayout, EntryWord, StateBit
from hdl.flow_identity import FlowIdentity
from hdl.item import FrameOutcome, ItemKind, framed
from hdl.packet import Descriptor, PacketWord, packet_port_signature
from hdl.single_port_ram import SinglePortRam
from hdl.verdict import EndReason

__all__ = ["FlowTable", "FlowTableParameters"]

CLOSED_BITS = 24


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
    """

    sets: int
    ways: int
    layout: EntryLayout
    idle_ms: int = 120_000
    active_ms: int = 1_800_000
    linger_ms: int = 2_000
    ports: tuple[int, ...] | None = (25,)
    first_seen: bool = False

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
        if self.idle_ms + self.linger_ms >= 1 << CLOSED_BITS:
            raise ValueError(f"idle_ms + linger_ms must be below 2 ** {CLOSED_BITS}")

    @property
    def entries(self) -> int:
        return self.sets * self.ways


def at_least(value: Value, constant: int) -> Value:
    """Whether an unsigned value has reached a positive constant, without a carry chain."""
    return ~at_most(value, constant - 1)


class Purpose(IntEnum):
    """Why an entry is being examined."""

    HIT = 0
    MISS = 1
    SWEEP = 2
    FLUSH = 3


class FlowTable(wiring.Component):
    """Keeps flows and emits their records, in the order of events that ``docs/flow_rules.md`` fixes.

    An item is taken when it has been handled; until then its packet words must hold. A record leaves word by word
    while its entry is read; the table waits for ``o``.

    **Throughput**: about 100 cycles an IPv4 packet, 50 more when a record is emitted, 10 an item without a packet.

    Attributes
    ----------
    key: secret key of the hash
    restart: while high, the time is 0; for a new epoch, when the table has been flushed
    ready: all entries have been freed after reset
    now_ms: the latest time of all items
    fill: entries in use
    i, packet: descriptor of the item, and its words
    o: records, 32-bit words from EntryWord.STATE on; the end reason is in bits 8 to 10 of the first
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

    def elaborate(self, platform):
        p, layout = self.parameters, self.parameters.layout
        m = Module()
        m.submodules.ram = ram = SinglePortRam(depth=p.entries * layout.stride, width=32)
        m.submodules.identity = identity = FlowIdentity()
        m.submodules.update = update = AccumulatorUpdate(layout=layout)

        entry = Signal(range(p.entries))
        word = Signal(range(layout.stride))
        ram_word = Signal(range(layout.stride))
        m.d.comb += ram.address.eq(Cat(ram_word, entry))
        stored = ram.read_data

        def read(word):
            m.d.comb += [ram.enable.eq(1), ram_word.eq(word)]

        def write(word, value):
            m.d.comb += [ram.enable.eq(1), ram.write.eq(1), ram_word.eq(word), ram.write_data.eq(value)]

        # Packet under way
        now = self.now_ms
        ttl, flags = Signal(8), Signal(8)
        syn, fin, rst, ack = (flags[FLAG_BITS[name]] for name in ("SYN", "FIN", "RST", "ACK"))
        restarts = syn & ~ack
        to_server, to_client = Signal(), Signal()
        swapped, equal, identifying = Signal(), Signal(), Signal()
        id_low, id_high = identity.o.p.identity[:32], identity.o.p.identity[32:]
        packet_address = Signal(range(16))
        m.d.sync += packet_address.eq(self.packet.address)
        m.d.comb += [
            self.packet.address.eq(packet_address),
            identity.i.valid.eq(identifying),
            identity.packet.data.eq(self.packet.data),
            identity.key.eq(self.key),
            identity.i.p.ipv6.eq(self.i.p.ipv6),
            swapped.eq(identity.o.p.swapped),
            equal.eq(identity.o.p.equal),
        ]

        # Entry under examination
        purpose = Signal(Purpose)
        old = Signal(8)
        emitted, kept = Signal(), Signal()
        reason = Signal(EndReason)
        lingered, idle = Signal(), Signal()
        age = Signal(32)
        m.d.comb += age.eq(now - stored)
        closed_age = Signal(CLOSED_BITS)
        m.d.comb += closed_age.eq(now - stored[8:])
        expired, own_reason = Signal(), Signal(EndReason)
        active = Signal()
        m.d.comb += [
            expired.eq(lingered | idle | active),
            own_reason.eq(Mux(old[StateBit.CLOSING], EndReason.END, Mux(idle, EndReason.IDLE, EndReason.ACTIVE))),
        ]

        # Best way to give up, of those seen so far
        ways = range(p.ways)
        way = entry[: len(ways).bit_length() - 1]
        last_way = way.all() if p.ways > 1 else C(1)
        found_expired, best_single = Signal(), Signal()
        found_victim = Signal()
        best_way, best_last = Signal(ways), Signal(32)
        single = ~old[StateBit.MANY]
        better = Signal()
        m.d.comb += better.eq(
            ~found_victim | (single & ~best_single) | ((single == best_single) & (stored < best_last))
        )

        sweep = Signal(range(p.entries))
        initiator_high, response, fresh, empty, full = (Signal() for _ in range(5))
        index, updated = Signal(range(layout.block_words + 2)), Signal(32)
        m.d.sync += updated.eq(update.updated)
        m.d.comb += [update.empty.eq(empty), update.index.eq(index)]
        fill_offset = Signal(range(layout.stride))
        sender_initiates = Signal()

        m.d.comb += self.o.p.data.eq(stored)
        used = (self.i.p.kind == ItemKind.FRAME) & (self.i.p.outcome == FrameOutcome.USED)

        def next_way(state):
            """Go on with the next way, or with the verdict over all of them."""
            m.d.sync += entry.eq(Cat((way + 1)[: len(way)], entry[len(way) :]) if p.ways > 1 else entry)
            m.next = state

        with m.FSM():
            with m.State("CLEAR"):
                write(EntryWord.STATE, 0)
                m.d.sync += entry.eq(entry + 1)
                with m.If(entry == p.entries - 1):
                    m.d.sync += self.ready.eq(1)
                    m.next = "IDLE"

            with m.State("IDLE"):
                m.d.comb += self.packet.address.eq(PacketWord.TIME)
                m.d.sync += [emitted.eq(0), found_expired.eq(0), found_victim.eq(0)]
                with m.If(self.i.valid):
                    m.next = "TIME"
            with m.State("TIME"):
                with m.If(self.packet.data > now):
                    m.d.sync += now.eq(self.packet.data)
                m.d.comb += self.packet.address.eq(PacketWord.MARKS)
                with m.If(self.i.p.kind == ItemKind.FLUSH):
                    m.d.sync += [purpose.eq(Purpose.FLUSH), entry.eq(0)]
                    m.next = "EXAMINE"
                with m.Elif(used):
                    m.next = "MARKS"
                with m.Else():
                    m.next = "SWEEP"
            with m.State("MARKS"):
                m.d.sync += [flags.eq(self.packet.data[:8]), ttl.eq(self.packet.data[8:])]
                m.d.comb += self.packet.address.eq(PacketWord.PORTS)
                m.next = "PORTS"
            with m.State("PORTS"):
                ports = p.ports or ()
                m.d.sync += [
                    to_client.eq(Cat(self.packet.data[16:] == port for port in ports).any()),
                    to_server.eq(Cat(self.packet.data[:16] == port for port in ports).any()),
                ]
                m.d.sync += identifying.eq(1)
                m.next = "IDENTIFY"
            with m.State("IDENTIFY"):
                m.d.comb += self.packet.address.eq(identity.packet.address)
                set_index = identity.o.p.identity[: (p.sets - 1).bit_length()]
                with m.If(identity.o.valid):
                    m.d.sync += [purpose.eq(Purpose.HIT), entry.eq(Cat(C(0, len(way)), set_index))]
                    m.next = "MATCH"

            # Search the ways for the identity
            with m.State("MATCH"):
                read(EntryWord.IDENTITY_LOW)
                m.next = "MATCH_LOW"
            with m.State("MATCH_LOW"):
                read(EntryWord.IDENTITY_HIGH)
                with m.If(stored == id_low):
                    m.next = "MATCH_HIGH"
                with m.Else():
                    m.next = "MISMATCH"
            with m.State("MATCH_HIGH"):
                with m.If(stored == id_high):
                    m.next = "EXAMINE"
                with m.Else():
                    m.next = "MISMATCH"
            with m.State("MISMATCH"):
                next_way("MATCH")
                with m.If(last_way):
                    m.d.sync += purpose.eq(Purpose.MISS)
                    m.next = "EXAMINE"

            # Read what decides over an entry: state, last, first
            with m.State("EXAMINE"):
                read(EntryWord.STATE)
                m.next = "EXAMINE_STATE"
            with m.State("EXAMINE_STATE"):
                m.d.sync += [
                    old.eq(stored),
                    lingered.eq(stored[StateBit.CLOSING] & at_least(closed_age, p.linger_ms)),
                    kept.eq(0),
                ]
                read(EntryWord.LAST)
                m.next = "EXAMINE_LAST"
                with m.If(~stored[StateBit.VALID]):
                    with m.Switch(purpose):
                        with m.Case(Purpose.HIT):
                            m.next = "MISMATCH"
                        with m.Case(Purpose.MISS):
                            m.d.sync += self.fill.eq(self.fill + 1)
                            m.next = "ORIENT"
                        with m.Case(Purpose.SWEEP):
                            m.next = "DONE"
                        with m.Case(Purpose.FLUSH):
                            m.next = "FLUSH_NEXT"
                with m.Elif(purpose == Purpose.FLUSH):
                    m.d.sync += reason.eq(EndReason.FORCED)
                    m.next = "EMIT"
            with m.State("EXAMINE_LAST"):
                m.d.sync += idle.eq(at_least(age, p.idle_ms))
                with m.If((purpose == Purpose.MISS) & ~found_expired & better):
                    m.d.sync += [best_last.eq(stored), best_single.eq(single), best_way.eq(way)]
                    m.d.sync += found_victim.eq(1)
                read(EntryWord.FIRST)
                m.next = "EXAMINE_FIRST"
            with m.State("EXAMINE_FIRST"):
                m.d.sync += active.eq(at_least(age, p.active_ms))
                m.next = "DECIDE"
            with m.State("DECIDE"):
                with m.Switch(purpose):
                    with m.Case(Purpose.HIT):
                        m.d.sync += reason.eq(own_reason)
                        m.d.sync += kept.eq(1)
                        with m.If(expired | (old[StateBit.CLOSING] & restarts)):
                            m.next = "EMIT"
                        with m.Else():
                            m.next = "DIRECT"
                    with m.Case(Purpose.MISS):
                        with m.If(expired & ~found_expired):
                            m.d.sync += [found_expired.eq(1), best_way.eq(way), reason.eq(own_reason)]
                        next_way("EXAMINE")
                        with m.If(last_way):
                            m.next = "CHOOSE"
                    with m.Case(Purpose.SWEEP):
                        m.d.sync += reason.eq(own_reason)
                        m.next = "DONE"
                        with m.If(expired):
                            m.next = "EMIT"
            with m.State("CHOOSE"):
                m.d.sync += entry.eq(Cat(best_way, entry[len(way) :]) if p.ways > 1 else entry)
                with m.If(~found_expired):
                    m.d.sync += reason.eq(EndReason.RESOURCES)
                m.next = "EMIT"

            # A record leaves
            with m.State("EMIT"):
                read(EntryWord.STATE)
                m.d.sync += [word.eq(EntryWord.STATE), emitted.eq(1)]
                m.next = "EMIT_WORD"
            with m.State("EMIT_WORD"):
                m.d.comb += [
                    self.o.valid.eq(1),
                    self.o.p.first.eq(word == EntryWord.STATE),
                    self.o.p.last.eq(word == layout.words - 1),
                ]
                with m.If(word == EntryWord.STATE):
                    m.d.comb += self.o.p.data.eq(Cat(stored[:8], reason))
                with m.If(self.o.ready):
                    read(word + 1)
                    m.d.sync += word.eq(word + 1)
                    with m.If(self.o.p.last):
                        m.next = "FREE"
                        with m.If(((purpose == Purpose.HIT) & ~full) | (purpose == Purpose.MISS)):
                            m.next = "ORIENT"
            with m.State("FREE"):
                write(EntryWord.STATE, 0)
                m.d.sync += self.fill.eq(self.fill - 1)
                m.next = "DONE"
                with m.If(purpose == Purpose.FLUSH):
                    m.next = "FLUSH_NEXT"
            with m.State("FLUSH_NEXT"):
                m.d.sync += entry.eq(entry + 1)
                m.next = "EXAMINE"
                with m.If(entry == p.entries - 1):
                    m.next = "DONE"

            # A packet enters
            with m.State("ORIENT"):
                if p.first_seen:
                    m.d.comb += sender_initiates.eq(1)
                else:
                    m.d.comb += sender_initiates.eq(~to_client | to_server)
                    with m.If(syn):
                        m.d.comb += sender_initiates.eq(~ack)
                    with m.Elif(kept):
                        m.d.comb += sender_initiates.eq(swapped == old[StateBit.INITIATOR_HIGH])
                m.d.sync += [
                    initiator_high.eq((swapped ^ ~sender_initiates) & ~equal),
                    word.eq(0),
                ]
                m.next = "FILL"
            with m.State("FILL"):
                # The packet's words are asked for one clock ahead; an entry's address words follow the packet's
                # by two, so that adding two to the next word's number, in turned halves if need be, finds them.
                m.d.comb += fill_offset.eq(word + 1)
                turned = (swapped ^ initiator_high) << 2
                with m.If(fill_offset == EntryWord.PORTS):
                    m.d.comb += self.packet.address.eq(PacketWord.PORTS)
                with m.Else():
                    m.d.comb += self.packet.address.eq((fill_offset + 2)[:4] ^ turned)
                ports = Mux(swapped ^ initiator_high, self.packet.data.rotate_left(16), self.packet.data)
                with m.Switch(word):
                    with m.Case(EntryWord.IDENTITY_LOW):
                        write(word, id_low)
                    with m.Case(EntryWord.IDENTITY_HIGH):
                        write(word, id_high)
                    with m.Case(EntryWord.STATE):
                        state = {StateBit.VALID: 1, StateBit.INITIATOR_HIGH: initiator_high}
                        state[StateBit.IPV6] = self.i.p.ipv6
                        write(word, Cat(state.get(bit, 0) for bit in range(3)))
                    with m.Case(EntryWord.FIRST, EntryWord.LAST):
                        write(word, now)
                    with m.Case(EntryWord.PORTS):
                        write(word, ports)
                    with m.Case(*range(EntryWord.INITIATOR, EntryWord.FORWARD)):
                        write(word, self.packet.data)
                    with m.Default():
                        write(word, 0)
                m.d.sync += word.eq(word + 1)
                m.d.sync += fresh.eq(1)
                with m.If(word == layout.words - 1):
                    m.next = "DIRECT_NEW"
            with m.State("DIRECT"):
                m.d.sync += [initiator_high.eq(old[StateBit.INITIATOR_HIGH]), fresh.eq(0)]
                m.next = "DIRECT_NEW"
            with m.State("DIRECT_NEW"):
                m.d.comb += self.packet.address.eq(PacketWord.SIZES)
                m.d.sync += [
                    response.eq(swapped ^ initiator_high),
                    word.eq(Mux(swapped ^ initiator_high, layout.response, EntryWord.FORWARD)),
                    index.eq(0),
                ]
                m.next = "UPDATE"
            # Two words at a time: both are read, then both are written, so that each has a clock to be computed in.
            with m.State("UPDATE"):
                read(word)
                m.d.sync += index.eq(index + 1)
                m.next = "UPDATE_READ_SECOND"
            with m.State("UPDATE_READ_SECOND"):
                read(word + 1)
                with m.If(index == 1):
                    m.d.comb += update.empty.eq(stored[:COUNT_BITS] == 0)
                    m.d.sync += [empty.eq(update.empty), full.eq(update.updated[:COUNT_BITS].all())]
                m.next = "UPDATE_WRITE"
            with m.State("UPDATE_WRITE"):
                write(word, updated)
                m.d.sync += index.eq(index + 1)
                m.next = "UPDATE_WRITE_SECOND"
                with m.If(index == layout.block_words):
                    m.next = "UPDATE_LAST"
            with m.State("UPDATE_WRITE_SECOND"):
                write(word + 1, updated)
                m.d.sync += word.eq(word + 2)
                m.next = "UPDATE"
                with m.If(index == layout.block_words):
                    m.next = "UPDATE_LAST"
            with m.State("UPDATE_LAST"):
                write(EntryWord.LAST, now)
                m.next = "UPDATE_STATE"
            with m.State("UPDATE_STATE"):
                read(EntryWord.STATE)
                m.next = "UPDATE_STATE_WRITE"
            with m.State("UPDATE_STATE_WRITE"):
                state = stored[:8]
                fin_forward = state[StateBit.FIN_FORWARD] | (fin & ~response)
                fin_response = state[StateBit.FIN_RESPONSE] | (fin & response)
                closing = state[StateBit.CLOSING] | rst | (fin_forward & fin_response)
                closed = Mux(state[StateBit.CLOSING], stored[8:], now[:CLOSED_BITS])
                bits = (
                    *state[: StateBit.SYN],
                    state[StateBit.SYN] | syn,
                    fin_forward,
                    fin_response,
                    closing,
                    ~fresh,
                )
                write(EntryWord.STATE, Cat(*bits, closed))
                m.next = "SWEEP"
                with m.If(full):
                    m.d.sync += reason.eq(EndReason.ACTIVE)
                    m.next = "EMIT"

            # Every frame and tick moves the sweep on; it looks at an entry when no record has left
            with m.State("SWEEP"):
                m.d.sync += [purpose.eq(Purpose.SWEEP), entry.eq(sweep)]
                m.next = "EXAMINE"
                with m.If(emitted):
                    m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.i.ready.eq(1)
                m.d.comb += identity.o.ready.eq(1)
                m.d.sync += [full.eq(0), identifying.eq(0)]
                with m.If(self.i.p.kind != ItemKind.FLUSH):
                    m.d.sync += sweep.eq(sweep + 1)
                m.next = "IDLE"

        with m.If(self.restart):
            m.d.sync += now.eq(0)
        m.d.comb += [
            update.word.eq(stored),
            update.length.eq(self.packet.data[16:]),
            update.window.eq(self.packet.data[:16]),
            update.ttl.eq(ttl),
            update.flags.eq(flags),
        ]

        return m
