"""FlowTableSignals: what the states of the flow table share."""

from enum import IntEnum

from amaranth.hdl import C, Cat, Mux, Signal

from hdl.accumulator import COUNT_BITS, FLAG_BITS
from hdl.entry_layout import EntryWord, StateBit
from hdl.item import FrameOutcome, ItemKind
from hdl.verdict import EndReason

__all__ = ["FlowTableSignals", "Purpose"]


class Purpose(IntEnum):
    """Why an entry is being examined."""

    LOOKUP = 0
    SWEEP = 1
    FLUSH = 2


class FlowTableSignals:
    """Signals of a table's elaboration, and the statements that always hold, in its module ``m``."""

    def __init__(self, m, table, *, ram, identity, update, squarer):
        p = table.parameters
        self.m, self.table, self.parameters, self.layout = m, table, p, p.layout
        self.ram, self.identity, self.update, self.squarer = ram, identity, update, squarer
        self.entry, self.word = Signal(range(p.entries)), Signal(range(p.layout.stride))
        self.ram_word = Signal(range(p.layout.stride))
        m.d.comb += ram.address.eq(Cat(self.ram_word, self.entry))
        self.stored = ram.read_data
        self.now = table.now_ms
        self.emitted, self.lone = Signal(), Signal()  # lone: a record of which the first word is all
        self.early = Signal()  # a record of a flow that stays
        self.reason = Signal(EndReason)
        self.sweep = Signal(range(p.entries))
        self._packet()
        self._examination()
        self._choice()
        self._updating()

    def _packet(self):
        """The packet under way."""
        m, table, identity = self.m, self.table, self.identity
        self.ttl, self.flags = Signal(8), Signal(8)
        self.syn, self.fin, self.rst, self.ack = (self.flags[FLAG_BITS[name]] for name in ("SYN", "FIN", "RST", "ACK"))
        self.restarts = self.syn & ~self.ack
        self.to_server, self.to_client = Signal(), Signal()
        self.identifying = Signal()
        self.turned, self.turnable = Signal(), Signal(32)  # the word that is read, or its halves the other way round
        self.swapped, self.equal = identity.o.p.swapped, identity.o.p.equal
        # Half of the identity, or of a pseudonym; which one is chosen a clock ahead, as it is compared in the next one.
        self.upper, self.id_half = Signal(), Signal(32)
        m.d.sync += self.upper.eq(0)
        m.d.comb += self.id_half.eq(identity.o.p.identity.word_select(self.upper, 32))
        self.used = (table.i.p.kind == ItemKind.FRAME) & (table.i.p.outcome == FrameOutcome.USED)
        address = Signal.like(table.packet.address)
        m.d.sync += [address.eq(table.packet.address), self.turned.eq(0)]
        m.d.comb += [
            table.packet.address.eq(address),
            identity.i.valid.eq(self.identifying),
            identity.i.p.ipv6.eq(table.i.p.ipv6),
            self.turnable.eq(Mux(self.turned | identity.turned, table.packet.data.rotate_left(16), table.packet.data)),
            identity.packet.data.eq(self.turnable),
            identity.key.eq(table.key),
        ]
        if self.layout.anonymised:
            self.owed = Signal(range(3))  # pseudonyms that the entry still lacks, that of the source first
            self.filled = Signal.like(self.entry)  # the one that lacks them
            self.has_ports = Signal()  # and no longer needs the packet
            m.d.comb += [identity.i.p.pseudonym.eq(self.owed != 0), identity.i.p.destination.eq(self.owed == 1)]
            with m.If((self.owed != 0) & ~identity.absorbed):
                m.d.comb += table.packet.address.eq(identity.packet.address)

    def _examination(self):
        """The entry that is being examined."""
        m = self.m
        self.purpose, self.old, self.kept = Signal(Purpose), Signal(8), Signal()
        self.lingered, self.idle, self.active = Signal(), Signal(), Signal()
        self.until, self.since, self.strictly = Signal(32), Signal(32), Signal()
        self.age, self.passed = Signal(32), Signal()
        total = Signal(34)
        self.expired, self.own_reason = Signal(), Signal(EndReason)
        timed_out = Mux(self.idle, EndReason.IDLE, EndReason.ACTIVE)
        m.d.comb += [
            # One subtracter for all comparisons of times: ``until`` is no less than ``since``, or is strictly greater.
            self.until.eq(self.now),
            self.since.eq(self.stored),
            total.eq(Cat(~self.strictly, self.until) + Cat(~self.strictly, ~self.since)),
            self.age.eq(total[1:]),
            self.passed.eq(total[-1]),
            self.expired.eq(self.lingered | self.idle | self.active),
            self.own_reason.eq(Mux(self.old[StateBit.CLOSING], EndReason.END, timed_out)),
        ]

    def _choice(self):
        """The best way to give up, of those examined so far."""
        ways = self.parameters.ways
        self.way = self.entry[: (ways - 1).bit_length()]
        self.last_way = self.way.all() if ways > 1 else C(1)
        self.found_free, self.found_expired, self.found_victim = Signal(), Signal(), Signal()
        self.best_way, self.best_last, self.best_single = Signal(range(ways)), Signal(32), Signal()
        self.single = ~self.old[StateBit.MANY]
        earlier = (self.single == self.best_single) & self.passed  # when ``until`` is the best one's
        self.better = ~self.found_victim | (self.single & ~self.best_single) | earlier

    def _updating(self):
        """The entry that the packet is added to."""
        m, update, packet = self.m, self.update, self.table.packet
        self.initiator_high, self.response = Signal(), Signal()
        self.block, self.other_block = Signal.like(self.word), Signal.like(self.word)  # of its direction
        self.empty, self.full = Signal(), Signal()
        self.count = Signal(COUNT_BITS)  # packets of its direction
        self.index, self.updated = Signal(range(self.layout.block_words + 2)), Signal(32)
        m.d.sync += self.updated.eq(update.updated)
        m.d.comb += [
            self.response.eq(self.swapped ^ self.initiator_high),
            self.block.eq(Mux(self.response, self.layout.response, EntryWord.FORWARD)),
            self.other_block.eq(Mux(self.response, EntryWord.FORWARD, self.layout.response)),
            update.index.eq(self.index),
            update.empty.eq(self.empty),
            update.word.eq(self.stored),
            update.length.eq(packet.data[16:]),
            update.window.eq(packet.data[:16]),
            update.ttl.eq(self.ttl),
            update.flags.eq(self.flags),
        ]

    def read(self, word):
        """Read a word of the entry; it is ``stored`` in the next clock."""
        self.m.d.comb += [self.ram.enable.eq(1), self.ram_word.eq(word)]

    def write(self, word, value):
        """Write a word of the entry."""
        self.read(word)
        self.m.d.comb += [self.ram.write.eq(1), self.ram.write_data.eq(value)]

    def next_way(self):
        """Go on with the next way, or choose one when that was the last."""
        m = self.m
        if self.parameters.ways > 1:
            m.d.sync += self.way.eq(self.way + 1)
        m.next = "EXAMINE"
        with m.If(self.last_way):
            m.next = "CHOOSE"
