"""EntryRecords: accumulators and endpoints of the entries of a pipelined flow table, and the records made of them."""

from amaranth.hdl import C, Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import MemoryData
from amaranth.lib.wiring import In, Out

from hdl.accumulator import PACKETS
from hdl.block_ram import BlockRam
from hdl.block_update import BlockUpdate, block_shape, member_name
from hdl.entry_layout import EARLY_BIT, EntryLayout, EntryWord
from hdl.entry_tag import EntryTag
from hdl.flow_table_parameters import FlowTableParameters
from hdl.identified_item import IdentifiedItem
from hdl.tag_examination import Examined
from hdl.verdict import EndReason

__all__ = ["EntryRecords", "record_shape"]


def record_shape(layout: EntryLayout) -> data.ArrayLayout:
    """A whole record: the words of an entry from EntryWord.STATE on; the end reason is in bits 8 to 10 of the first."""
    return data.ArrayLayout(32, layout.record_words)


def _endpoints_shape(layout: EntryLayout) -> data.StructLayout:
    """What an entry keeps of its two sides, the initiator's first."""
    bits = 32 * layout.most_address_words
    return data.StructLayout({"ports": 32, "initiator": bits, "responder": bits})


class EntryRecords(wiring.Component):
    """The rest of the entries: accumulators and endpoints, updated and gathered into records behind the decision.

    In clock 0, when ``update`` or ``emit`` is high, the accumulators that a packet changes are asked for; in clocks 1
    and 2 those of the record and its endpoints; in clock 2 new endpoints are written, in clock 3 the accumulators.

    Parameters
    ----------
    parameters: of the table

    Attributes
    ----------
    update: add ``item`` to the direction ``response`` of entry ``touched``; ``fills``: a new flow is there
    empty: there was no packet of this direction before
    item, turned: hold in the clock after ``update`` too; the responder has sent the item
    updating: the last update has not been written; ``update`` must stay low
    emit: make a record of ``entry``; of ``examined`` a clock later, when ``early`` says whether the flow stays
    busy: the last record has not been taken, or was in the last cycle; ``emit`` must stay low
    o: records
    """

    def __init__(self, *, parameters: FlowTableParameters):
        self._parameters = parameters
        entry = range(parameters.entries)
        super().__init__(
            {
                "update": In(1),
                "touched": In(entry),
                "response": In(1),
                "fills": In(1),
                "empty": In(1),
                "turned": In(1),
                "item": In(IdentifiedItem),
                "updating": Out(1),
                "emit": In(1),
                "entry": In(entry),
                "examined": In(Examined),
                "early": In(1),
                "busy": Out(1),
                "o": Out(stream.Signature(record_shape(parameters.layout))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        p, layout = self._parameters, self._parameters.layout
        shape, sides = block_shape(layout), _endpoints_shape(layout)
        m.submodules.blocks = self._blocks = BlockRam(MemoryData(shape=shape, depth=2 * p.entries, init=[]))
        m.submodules.endpoints = endpoints = BlockRam(MemoryData(shape=sides, depth=p.entries, init=[]))
        m.submodules.block_update = BlockUpdate(layout=layout)

        emitted, tag, reason = Signal.like(self.entry), Signal(EntryTag, reset_less=True), Signal(EndReason)
        early = Signal()
        emitting = Signal(4)
        with m.If(self.emit):
            m.d.sync += emitted.eq(self.entry)
        with m.If(emitting[0]):
            m.d.sync += [tag.eq(self.examined.tag), reason.eq(self.examined.reason), early.eq(self.early)]
        m.d.sync += emitting.eq(Cat(self.emit, emitting))
        m.d.comb += [
            self._blocks.read_address.eq(Cat(self.response, self.touched)),
            endpoints.read_address.eq(emitted),
        ]
        # A clock longer than it need be, so that what takes records does not lie on the way to the decision.
        m.d.sync += self.busy.eq(self.emit | emitting.any() | self.o.valid)
        with m.If(emitting[:2].any()):
            m.d.comb += self._blocks.read_address.eq(Cat(emitting[1], emitted))

        new_endpoints, fills = Signal(sides, reset_less=True), Signal(2)
        self._turn(m, new_endpoints)
        m.d.sync += fills.eq(Cat(self.update & self.fills, fills))
        # Right behind the block RAM, whose output comes late in the clock, there is nothing but a register.
        read = Signal.like(self._blocks.read_data, reset_less=True)
        m.d.sync += read.eq(self._blocks.read_data)
        touched = self._update(m, read)
        m.d.comb += [
            endpoints.write_address.eq(touched),
            endpoints.write_data.eq(new_endpoints),
            endpoints.write_enable.eq(fills[1]),
        ]

        read_endpoints, kept = Signal(sides, reset_less=True), Signal(sides, reset_less=True)
        forward, response = (Signal(shape, reset_less=True) for _ in range(2))
        # A direction without packets is all zeros, whatever the memory holds.
        has_forward, has_response = Signal(reset_less=True), Signal(reset_less=True)
        m.d.sync += [
            read_endpoints.eq(endpoints.read_data),
            has_forward.eq(tag.forward != 0),
            has_response.eq(tag.response != 0),
        ]
        with m.If(emitting[2]):
            m.d.sync += [kept.eq(read_endpoints), forward.eq(Mux(has_forward, read, 0))]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(emitting[3]):
            m.d.sync += [response.eq(Mux(has_response, read, 0)), self.o.valid.eq(1)]
        state = Cat(tag.state, reason, C(0, EARLY_BIT - 8 - len(reason)), early)
        self._assemble(m, state, tag, kept, forward, response)

        return m

    def _turn(self, m, new_endpoints):
        """The item's endpoints, the initiator's first. The item is still there in the clock after its update."""
        words = self.item.words
        m.d.sync += [
            new_endpoints.ports.eq(Mux(self.turned, words.ports.rotate_left(16), words.ports)),
            new_endpoints.initiator.eq(Mux(self.turned, words.destination, words.source)),
            new_endpoints.responder.eq(Mux(self.turned, words.source, words.destination)),
        ]

    def _update(self, m, read):
        """Read, change, write; what it needs of the item is kept, since the next one comes meanwhile."""
        update, words = m.submodules.block_update, self.item.words
        steps = Signal(3)
        touched, response, empty = Signal.like(self.touched), Signal(), Signal()
        length, window, marks = (Signal(16, reset_less=True) for _ in range(3))
        squared = Signal(32, reset_less=True)
        with m.If(~self.updating):
            m.d.sync += [
                touched.eq(self.touched),
                response.eq(self.response),
                empty.eq(self.empty),
                length.eq(words.sizes[16:]),
                window.eq(words.sizes[:16]),
                marks.eq(words.marks[:16]),
            ]
        m.d.sync += [steps.eq(Cat(self.update, steps)), squared.eq(length * length)]
        m.d.comb += [
            update.i.eq(read),
            update.empty.eq(empty),
            update.length.eq(length),
            update.length_squared.eq(squared),
            update.window.eq(window),
            update.ttl.eq(marks[8:]),
            update.flags.eq(marks[:8]),
            self._blocks.write_address.eq(Cat(response, touched)),
            self._blocks.write_data.eq(update.o),
            self._blocks.write_enable.eq(steps[2]),
            self.updating.eq(steps.any()),
        ]
        return touched

    def _assemble(self, m, state, tag, kept, forward, response):
        """The words of a record."""
        layout = self._parameters.layout
        record = self.o.p

        def put(word, value):
            m.d.comb += record[word - EntryWord.STATE].eq(value)

        put(EntryWord.STATE, state)
        put(EntryWord.FIRST, tag.first)
        put(EntryWord.LAST, tag.last)
        put(EntryWord.PORTS, kept.ports)
        for word in range(layout.most_address_words):
            put(EntryWord.INITIATOR + word, kept.initiator.word_select(word, 32))
            put(EntryWord.RESPONDER + word, kept.responder.word_select(word, 32))
        for begin, block, packets in (
            (EntryWord.FORWARD, forward, tag.forward),
            (layout.response, response, tag.response),
        ):
            words = Signal(32 * layout.block_words)
            for accumulator, slot in layout.slots.items():
                value = packets if accumulator == PACKETS else block[member_name(accumulator)]
                m.d.comb += words[32 * slot.word + slot.shift :][: slot.width].eq(value)
            for word in range(layout.block_words):
                put(begin + word, words.word_select(word, 32))
