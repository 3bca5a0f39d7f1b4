"""PipelinedFlowTable: the set-associative table of flows where frames come at gigabits a second."""

import enum
import itertools

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import MemoryData
from amaranth.lib.wiring import In, Out

from hdl.accumulator import FLAG_BITS
from hdl.block_ram import BlockRam
from hdl.entry_records import EntryRecords, record_shape
from hdl.entry_tag import EntryTag
from hdl.flow_table_parameters import CLOSED_BITS, FlowTableParameters
from hdl.identified_item import IdentifiedItem
from hdl.item import FrameOutcome, ItemKind
from hdl.tag_examination import TagExamination
from hdl.verdict import EndReason

__all__ = ["PipelinedFlowTable"]

_SCAN_CYCLES = 5
"""From asking for a tag to what has been found about it."""


class _Rank(enum.IntEnum):
    """What a way of the set can be to a packet, from the worst on."""

    VICTIM = 0
    EXPIRED = 1
    FREE = 2
    HIT = 3


class PipelinedFlowTable(wiring.Component):
    """Keeps flows and emits their records, in the order of events that ``docs/flow_rules.md`` fixes.

    Tags of the ways of a set, and that of the entry to be swept, follow one another through
    :class:`~hdl.tag_examination.TagExamination`; then the item is decided over, and while the accumulators are updated
    and a record is gathered, the next one comes.

    **Throughput**: an item in ``8 + ways`` cycles, one without a used packet in 8; one more when an entry is swept,
    5 more when a packet counter is full or a record is early; a flush 8 cycles an entry. The table waits for ``o``.

    Attributes
    ----------
    restart: while high, the time is 0; for a new epoch, when the table has been flushed
    ready: all entries have been freed after reset
    idle: no item is under way and no record waits
    tick, flush: high for one clock when one has been handled, all its records included
    set_up: the same, when the flush was that for a set-up item
    now_ms: the latest time of all items
    fill: entries in use
    i: items
    o: records, whole
    """

    def __init__(self, *, parameters: FlowTableParameters):
        self.parameters = parameters
        super().__init__(
            {
                "restart": In(1),
                "ready": Out(1),
                "idle": Out(1),
                "tick": Out(1),
                "flush": Out(1),
                "set_up": Out(1),
                "now_ms": Out(32),
                "fill": Out(range(parameters.entries + 1)),
                "i": In(stream.Signature(IdentifiedItem)),
                "o": Out(stream.Signature(record_shape(parameters.layout))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        p = self.parameters
        # A tag is never read in the clock in which it is written: an item asks for its first one when the item before
        # writes its last, and what is asked for is read a clock later.
        m.submodules.tags = self._tags = BlockRam(MemoryData(shape=EntryTag, depth=p.entries, init=[]))
        m.submodules.examination = TagExamination(parameters=p)
        m.submodules.records = records = EntryRecords(parameters=p)
        self._item = Signal(IdentifiedItem, reset_less=True)
        self._way, self._sweep = Signal(range(p.ways)), Signal(range(p.entries))
        self._flushed = Signal(range(p.entries))
        self._at_address, self._last_address = Signal(), Signal()  # a tag is asked for; it is the item's last
        self._packet(m)
        self._scan(m)
        self._decide(m)
        self._write(m)
        self._leave(m)
        wiring.connect(m, records.o, wiring.flipped(self.o))
        m.d.comb += [
            records.examined.eq(self._emitted),
            records.early.eq(self._emitted_early),
            records.touched.eq(Cat(self._found_way, self._set)),
            records.response.eq(self._response),
            records.empty.eq(self._empty),
            records.fills.eq(self._fills),
            records.item.eq(self._item),
            records.turned.eq(self._response),
        ]
        with m.FSM():
            self._arrive(m)
            self._apply(m)
            self._flush(m)
        with m.If(self.restart):
            m.d.sync += self.now_ms.eq(0)

        return m

    def _packet(self, m):
        """The item under way."""
        p, item = self.parameters, self._item
        flags = item.words.marks[:8]
        self._syn, self._fin, self._rst, self._ack = (flags[FLAG_BITS[name]] for name in ("SYN", "FIN", "RST", "ACK"))
        self._used = Signal()
        self._set = item.identity[: (p.sets - 1).bit_length()]
        self._to_client, self._to_server, self._later = Signal(), Signal(), Signal()
        ports = p.ports or ()
        m.d.sync += [
            self._to_client.eq(Cat(item.words.ports[16:] == port for port in ports).any()),
            self._to_server.eq(Cat(item.words.ports[:16] == port for port in ports).any()),
            self._later.eq(0),
        ]
        with m.If(self._later):
            m.d.sync += self.now_ms.eq(item.words.time)

    def _scan(self, m):
        """Follows the tags that were asked for, and keeps the best way and what is swept."""
        p, examination = self.parameters, m.submodules.examination
        asked, last, sweeps = (Signal(_SCAN_CYCLES) for _ in range(3))
        ways = [Signal(range(p.ways), name=f"way_{n}") for n in range(_SCAN_CYCLES)]
        self._at_sweep, self._asked_way = Signal(), Signal(range(p.ways))
        m.d.sync += [
            asked.eq(Cat(self._at_address, asked)),
            last.eq(Cat(self._last_address, last)),
            sweeps.eq(Cat(self._at_sweep, sweeps)),
            ways[0].eq(self._asked_way),
            *(after.eq(before) for before, after in itertools.pairwise(ways)),
        ]
        m.d.comb += [
            examination.tag.eq(self._tags.read_data),
            examination.identity.eq(self._item.identity),
            examination.now.eq(self.now_ms),
        ]
        # What says which tag to read says it late in the clock, and the memory is many block RAMs.
        self._asked_tag = Signal.like(self._tags.read_address)
        reads = Signal.like(self._asked_tag, reset_less=True)
        m.d.sync += reads.eq(self._asked_tag)
        m.d.comb += self._tags.read_address.eq(reads)
        self._settled = Signal()
        m.d.sync += self._settled.eq(asked[-1] & last[-1])

        found = examination.o
        self._best, self._swept = (Signal.like(found, reset_less=True) for _ in range(2))
        self._has_best, self._rank, self._found_way = Signal(), Signal(_Rank), Signal(range(p.ways))
        state, best_state = found.tag.state, self._best.tag.state
        rank = Signal(_Rank)
        with m.If(found.hit):
            m.d.comb += rank.eq(_Rank.HIT)
        with m.Elif(~state.valid):
            m.d.comb += rank.eq(_Rank.FREE)
        with m.Elif(found.expired):
            m.d.comb += rank.eq(_Rank.EXPIRED)
        # Of victims one-packet entries go first, then those seen longest ago, then the lowest way.
        earlier, takes = Signal(reset_less=True), Signal()
        sooner = best_state.many & ~state.many | (state.many == best_state.many) & earlier
        worse_victim = (rank == _Rank.VICTIM) & (self._rank == _Rank.VICTIM) & sooner
        m.d.comb += takes.eq(asked[-1] & ~sweeps[-1] & (~self._has_best | (rank > self._rank) | worse_victim))
        with m.If(asked[-1] & sweeps[-1]):
            m.d.sync += self._swept.eq(found)
        with m.If(takes):
            m.d.sync += [self._best.eq(found), self._rank.eq(rank), self._found_way.eq(ways[-1]), self._has_best.eq(1)]
        # The next tag is compared with both that may be the best by then, so that no carry chain waits for the choice.
        last = examination.ahead.last
        m.d.sync += earlier.eq(Mux(takes, last < found.tag.last, last < self._best.tag.last))

    def _decide(self, m):
        """What becomes of the best way: kept and updated, or emitted and filled."""
        p, item, best = self.parameters, self._item, self._best
        tag = best.tag
        self._live, self._fills, self._evicts = Signal(), Signal(), Signal()
        hit = self._rank == _Rank.HIT
        restarted = tag.state.closing & self._syn & ~self._ack
        m.d.comb += [
            self._live.eq(hit & ~best.expired & ~restarted),
            self._fills.eq(~self._live),
            self._evicts.eq(self._fills & (self._rank != _Rank.FREE)),
        ]
        sender_initiates, initiator_high = Signal(), Signal()
        if p.first_seen:
            m.d.comb += sender_initiates.eq(1)
        else:
            m.d.comb += sender_initiates.eq(~self._to_client | self._to_server)
            with m.If(self._syn):
                m.d.comb += sender_initiates.eq(~self._ack)
            with m.Elif(hit):
                m.d.comb += sender_initiates.eq(item.swapped == tag.state.initiator_high)
        with m.If(self._live):
            m.d.comb += initiator_high.eq(tag.state.initiator_high)
        with m.Else():
            m.d.comb += initiator_high.eq((item.swapped ^ ~sender_initiates) & ~item.equal)

        self._response, self._empty, self._early = Signal(), Signal(), Signal()
        response = item.swapped ^ initiator_high
        self._after = after = Signal(EntryTag, reset_less=True)
        m.d.sync += [
            self._response.eq(response),
            self._empty.eq(self._fills | Mux(response, best.none[1], best.none[0])),
            self._early.eq(self._live & best.nearly_early),
            after.identity.eq(item.identity),
            after.last.eq(self.now_ms),
            after.first.eq(Mux(self._live, tag.first, self.now_ms)),
            after.closed.eq(Mux(self._live & tag.state.closing, tag.closed, self.now_ms[:CLOSED_BITS])),
            after.forward.eq(Mux(self._live, Mux(response, tag.forward, tag.forward + 1), ~response)),
            after.response.eq(Mux(self._live, Mux(response, tag.response + 1, tag.response), response)),
        ]
        before = Signal.like(tag.state)
        with m.If(self._live):
            m.d.comb += before.eq(tag.state)
        fin_forward = before.fin_forward | (self._fin & ~response)
        fin_response = before.fin_response | (self._fin & response)
        m.d.sync += [
            after.state.valid.eq(1),
            after.state.initiator_high.eq(initiator_high),
            after.state.ipv6.eq(item.descriptor.ipv6),
            after.state.syn.eq(before.syn | self._syn),
            after.state.fin_forward.eq(fin_forward),
            after.state.fin_response.eq(fin_response),
            after.state.closing.eq(before.closing | self._rst | (fin_forward & fin_response)),
            after.state.many.eq(self._live),
        ]

    def _write(self, m):
        """Writes tags, a clock after they were said to change; a free entry is whatever it is but not valid."""
        tags = self._tags
        self._writes, self._written, self._frees = Signal(), Signal.like(self._sweep), Signal()
        self._filled, self._freed = Signal(), Signal()
        m.d.sync += [self._writes.eq(0), self._filled.eq(0), self._freed.eq(0)]
        m.d.comb += [
            tags.write_enable.eq(self._writes),
            tags.write_address.eq(self._written),
            tags.write_data.eq(self._after),
            tags.write_data.state.valid.eq(~self._frees),
        ]
        # Never both: what is filled and what is freed are written one after the other.
        change = Cat(self._filled | self._freed, self._freed.replicate(len(self.fill) - 1))
        m.d.sync += self.fill.eq(self.fill + change)

    def _leave(self, m):
        """Chooses the entry that leaves from what was found out about it a clock before."""
        self._sweeps, self._emits, self._emits_updated = Signal(), Signal(), Signal()
        self._of_best, self._of_victim, self._of_updated, self._of_flush = (Signal() for _ in range(4))
        self._emitted, self._left = Signal.like(self._best, reset_less=True), Signal.like(self._sweep)
        self._emitted_early = Signal()
        m.d.sync += [
            self._emitted_early.eq(self._of_updated & self._early),
            self._left.eq(m.submodules.records.entry),
            self._emitted.eq(Mux(self._of_best, self._best, self._swept)),
        ]
        with m.If(self._of_victim):
            m.d.sync += self._emitted.reason.eq(EndReason.RESOURCES)
        with m.If(self._of_flush):
            m.d.sync += self._emitted.reason.eq(EndReason.FORCED)
        with m.If(self._of_updated):
            m.d.sync += [self._emitted.tag.eq(self._after), self._emitted.reason.eq(EndReason.ACTIVE)]

    def _ask(self, m, address, *, sweep=0, last=0):
        """Asks for a tag."""
        m.d.comb += [
            self._asked_tag.eq(address),
            self._at_address.eq(1),
            self._at_sweep.eq(sweep),
            self._last_address.eq(last),
        ]

    def _fill_tag(self, m, address):
        m.d.sync += [self._writes.eq(1), self._written.eq(address), self._frees.eq(0)]

    def _free_tag(self, m, address):
        m.d.sync += [self._writes.eq(1), self._written.eq(address), self._frees.eq(1)]

    def _arrive(self, m):
        """Takes an item and asks for the tags that decide over it."""
        p, i = self.parameters, self.i
        # Whether there is an item, and is a used frame, is found out a clock before it is taken.
        held, used = Signal(), Signal()
        is_frame = i.p.descriptor.kind == ItemKind.FRAME
        m.d.sync += [held.eq(i.valid & ~i.ready), used.eq(is_frame & (i.p.descriptor.outcome == FrameOutcome.USED))]
        with m.State("CLEAR"):
            self._free_tag(m, self._flushed)
            m.d.sync += self._flushed.eq(self._flushed + 1)
            with m.If(self._flushed == p.entries - 1):
                m.d.sync += [self.ready.eq(1), self._flushed.eq(0)]
                m.next = "IDLE"
        with m.State("IDLE"):
            m.d.comb += [i.ready.eq(held), self.idle.eq(~i.valid & ~m.submodules.records.busy)]
            # What is taken is taken whether there is an item or not, so that little decides over many registers.
            m.d.sync += [
                self._item.eq(i.p),
                self._used.eq(used),
                self._later.eq(held & (i.p.words.time > self.now_ms)),
                self._has_best.eq(0),
                self._way.eq(1 if p.ways > 1 else 0),
            ]
            # An address may be there for nothing.
            first = Cat(Const(0, len(self._way)), i.p.identity[: len(self._set)])
            m.d.comb += self._asked_tag.eq(Mux(used, first, self._sweep))
            with m.If(held):
                with m.If((i.p.descriptor.kind == ItemKind.FLUSH) | (i.p.descriptor.kind == ItemKind.SETUP)):
                    m.next = "FLUSH"
                with m.Elif(used):
                    m.d.comb += self._at_address.eq(1)
                    m.next = "WAYS" if p.ways > 1 else "SWEEP"
                with m.Else():
                    m.d.comb += [self._at_address.eq(1), self._at_sweep.eq(1), self._last_address.eq(1)]
                    m.next = "SETTLE"
        with m.State("WAYS"):
            self._ask(m, Cat(self._way, self._set))
            m.d.comb += self._asked_way.eq(self._way)
            m.d.sync += self._way.eq(self._way + 1)
            with m.If(self._way == p.ways - 1):
                m.next = "SWEEP"
        with m.State("SWEEP"):
            self._ask(m, self._sweep, sweep=1, last=1)
            m.next = "SETTLE"

    def _apply(self, m):
        """Decides over the item, and writes what has become of the entries."""
        records, best, touched = m.submodules.records, self._best, Cat(self._found_way, self._set)
        with m.State("SETTLE"):
            evicts = self._used & self._evicts
            # A flow that goes on keeps its direction, so that this is known before the item's is.
            nearly_full = Mux(self._item.swapped ^ best.tag.state.initiator_high, *reversed(best.nearly_full))
            emits_updated = self._used & self._live & (nearly_full | best.nearly_early)
            holds = evicts | emits_updated | (self._used & (self._sweep == touched))
            sweeps = self._swept.expired & ~holds
            m.d.sync += [
                self._emits_updated.eq(emits_updated),
                self._sweeps.eq(sweeps),
                self._emits.eq(sweeps | evicts),
                self._of_best.eq(evicts),
                self._of_victim.eq(evicts & (self._rank == _Rank.VICTIM)),
                self._of_updated.eq(0),
                self._of_flush.eq(0),
            ]
            with m.If(self._settled):
                m.next = "APPLY"
        with m.State("APPLY"):
            with m.If(~self._emits | ~records.busy):
                m.d.comb += [
                    records.emit.eq(self._emits),
                    records.update.eq(self._used),
                    records.entry.eq(Mux(self._sweeps, self._sweep, touched)),
                ]
                m.d.sync += self._sweep.eq(self._sweep + 1)
                m.next = "IDLE"
                with m.If(self._used):
                    self._fill_tag(m, touched)
                    m.d.sync += self._filled.eq(self._rank == _Rank.FREE)
                with m.If(self._emits_updated):
                    m.next = "UPDATED"
                with m.Elif(self._sweeps):
                    m.next = "FREE"
                with m.If(self._item.descriptor.kind == ItemKind.TICK):
                    m.d.comb += self.tick.eq(1)
        with m.State("FREE"):
            self._free_tag(m, self._left)
            m.d.sync += self._freed.eq(1)
            m.next = "IDLE"
        with m.State("UPDATED"):
            m.d.sync += self._of_updated.eq(1)
            with m.If(~records.busy & ~records.updating):
                m.next = "EMIT_UPDATED"
        with m.State("EMIT_UPDATED"):
            m.d.comb += [records.emit.eq(1), records.entry.eq(touched)]
            # A flow with an early record stays.
            m.next = "FREE"
            with m.If(self._early):
                m.next = "IDLE"

    def _flush(self, m):
        """Empties the table, an entry after the other."""
        p, records = self.parameters, m.submodules.records
        with m.State("FLUSH"):
            self._ask(m, self._flushed, sweep=1, last=1)
            m.next = "FLUSH_SETTLE"
        with m.State("FLUSH_SETTLE"):
            m.d.sync += [self._of_best.eq(0), self._of_victim.eq(0), self._of_updated.eq(0), self._of_flush.eq(1)]
            with m.If(self._settled):
                m.next = "FLUSH_APPLY"
        with m.State("FLUSH_APPLY"):
            with m.If(~records.busy):
                m.d.sync += self._flushed.eq(self._flushed + 1)
                m.next = "FLUSH"
                with m.If(self._flushed == p.entries - 1):
                    m.next = "FLUSHED"
                m.d.comb += records.entry.eq(self._flushed)
                with m.If(self._swept.tag.state.valid):
                    m.d.comb += records.emit.eq(1)
                    self._free_tag(m, self._flushed)
                    m.d.sync += self._freed.eq(1)
        with m.State("FLUSHED"):
            with m.If(~records.busy):
                m.d.comb += [self.flush.eq(1), self.set_up.eq(self._item.descriptor.kind == ItemKind.SETUP)]
                # Nothing is left, whatever bits of the memories have turned over.
                m.d.sync += [self._flushed.eq(0), self.fill.eq(0)]
                m.next = "IDLE"
