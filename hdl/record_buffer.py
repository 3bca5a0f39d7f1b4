"""RecordBuffer: holds whole records until they are classified and sent, and drops none in part."""

import enum

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import MemoryData
from amaranth.lib.wiring import In, Out, Signature

from hdl.accumulator import COUNT_BITS
from hdl.block_ram import BlockRam
from hdl.entry_layout import EARLY_BIT, EntryLayout, EntryWord
from hdl.item import framed

__all__ = ["RecordBuffer", "Unexported", "record_port_signature"]


class Unexported(enum.IntEnum):
    """Why a record is only counted."""

    SHORT = 0
    OVERLOAD = 1


def record_port_signature(layout: EntryLayout) -> Signature:
    """Read port on a record: ``data`` follows ``address`` (a word, EntryWord.STATE is 0) by one clock, or by two."""
    return Signature({"address": Out(range(layout.record_words)), "data": In(32)})


class RecordBuffer(wiring.Component):
    """A queue of records in block RAM.

    A record is judged when its last word comes: of too few packets, it is counted as *short*; without room, it waits
    (``wait``) or is counted as *overload*. The words of a counted record are overwritten by the next one. The first
    word of a record may come alone when ``min_packets`` is above 1: of one packet, so short.

    **Throughput**: one word a clock. **Latency**: 1 cycle from the last word to ``available``.

    Parameters
    ----------
    layout: of the records
    slots: how many records, a power of two; one of them is being written
    min_packets: records of fewer packets, both ways together, are short
    wait: a record without room is waited for; only where the link can push back
    registered: there is a register behind the block RAM, so that what is read follows by two clocks

    Attributes
    ----------
    i: records, 32-bit words
    available, pop: there is a first record; remove it
    record: read port on the first record
    unexported: records that were only counted, with their packets
    """

    def __init__(self, *, layout: EntryLayout, slots: int, min_packets: int, wait: bool, registered: bool = False):
        if slots < 2 or slots & slots - 1:
            raise ValueError(f"Number of slots must be a power of two and at least 2, not {slots!r}")
        if not 1 <= min_packets < 1 << COUNT_BITS:
            raise ValueError(f"Minimum of packets must be 1 to 65535, not {min_packets!r}")
        self._layout, self._slots, self._min_packets, self._wait = layout, slots, min_packets, wait
        self._registered = registered
        unexported = data.StructLayout({"why": Unexported, "packets": COUNT_BITS + 1})
        super().__init__(
            {
                "i": In(stream.Signature(framed(32))),
                "available": Out(1),
                "pop": In(1),
                "record": In(record_port_signature(layout)),
                "unexported": Out(stream.Signature(unexported)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        stride = 1 << (self._layout.record_words - 1).bit_length()
        # A record is written into another slot than the one that is read.
        m.submodules.words = words = BlockRam(MemoryData(shape=32, depth=self._slots * stride, init=[]))

        word = Signal(range(stride))
        head, tail = Signal(range(self._slots)), Signal(range(self._slots))
        m.d.comb += [
            words.write_address.eq(Cat(word, tail)),
            words.write_data.eq(self.i.p.data),
            words.read_address.eq(Cat(self.record.address, head)),
            self.available.eq(head != tail),
        ]
        m.d["sync" if self._registered else "comb"] += self.record.data.eq(words.read_data)
        with m.If(self.pop):
            m.d.sync += head.eq(head + 1)

        full = (tail + 1)[: len(tail)] == head
        packets = Signal(COUNT_BITS + 1, init=1)  # as many as a record has that ends before it tells
        early = Signal()
        short = packets < self._min_packets
        free = ~self.unexported.valid  # of the last count
        m.d.comb += self.i.ready.eq(~self.i.p.last | (free & (~full | short) if self._wait else free))

        with m.If(self.unexported.ready):
            m.d.sync += self.unexported.valid.eq(0)
        with m.If(self.i.valid & self.i.ready):
            m.d.comb += words.write_enable.eq(1)
            m.d.sync += word.eq(word + 1)
            self._add_packets(m, word, packets)
            with m.If((word == 0) & ~self.i.p.last):
                m.d.sync += early.eq(self.i.p.data[EARLY_BIT])
            with m.If(self.i.p.last):
                m.d.sync += [word.eq(0), packets.eq(1), early.eq(0)]
                with m.If(short | full):
                    # The frames of an early record are counted with the flow's end.
                    self._only_count(m, short, Mux(early, 0, packets))
                with m.Else():
                    m.d.sync += tail.eq(tail + 1)

        return m

    def _add_packets(self, m, word, packets):
        with m.If(word == EntryWord.FORWARD - EntryWord.STATE):
            m.d.sync += packets.eq(self.i.p.data[:COUNT_BITS])
        with m.If(word == self._layout.response - EntryWord.STATE):
            m.d.sync += packets.eq(packets + self.i.p.data[:COUNT_BITS])

    def _only_count(self, m, short, packets):
        m.d.sync += [
            self.unexported.valid.eq(1),
            self.unexported.p.why.eq(Mux(short, Unexported.SHORT, Unexported.OVERLOAD)),
            self.unexported.p.packets.eq(packets),
        ]
