"""FrameRing: a ring of slots in block RAM through which whole frames cross from the clock of a wire to ours."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hdl.frame_receiver import FCS_BYTES, LENGTH_BITS
from hdl.gray_counter import GrayCounter
from hdl.item import framed
from hdl.symbol import symbol_signature

__all__ = ["SNAP", "STAMP_BITS", "FrameRing"]

SNAP = 192
"""Bytes of a frame that are kept: headers of several layers."""

STAMP_BITS = 8

_HEADER_BYTES = 3
"""Of a slot: wire length (2 bytes), time stamp."""


class FrameRing(wiring.Component):
    """Keeps the first bytes of good frames until they are read; those without room are dropped whole.

    A slot belongs to a frame from its first byte on. When the frame has ended well, length and time are written before
    its bytes while the slot crosses; else the next frame overwrites it.

    **Latency**: from the end of a frame 3 cycles of ``rx`` and 8 of ``sync`` to its first byte. **Throughput**: a byte
    a clock, and 5 more cycles a frame. After an end three clocks may bring no byte, which
    :class:`hdl.frame_receiver.FrameReceiver` sees to.

    Parameters
    ----------
    slots: frames that may wait, a power of two
    snap: bytes of a frame that are kept

    Attributes
    ----------
    i, length, stamp: frames of a :class:`hdl.frame_receiver.FrameReceiver` and the time, in domain ``rx``
    bad, overrun: high for a clock of ``rx`` when a frame was refused, or had no room
    available: there is a frame, whose first byte may be still to come
    o: the frames, without FCS
    wire_length, o_stamp: of the frame at ``o``, from its first byte until its last is offered
    """

    def __init__(self, *, slots: int, snap: int = SNAP):
        if slots < 2 or slots & slots - 1:
            raise ValueError(f"Number of slots must be a power of two and at least 2, not {slots!r}")
        if snap < 14:
            raise ValueError(f"Snap length must be at least 14 bytes, not {snap!r}")
        self._slots, self._snap = slots, snap
        self._slot_bytes = 1 << (_HEADER_BYTES + snap - 1).bit_length()
        super().__init__(
            {
                "i": In(symbol_signature()),
                "length": In(LENGTH_BITS),
                "stamp": In(STAMP_BITS),
                "bad": Out(1),
                "overrun": Out(1),
                "available": Out(1),
                "o": Out(stream.Signature(framed(8))),
                "wire_length": Out(LENGTH_BITS),
                "o_stamp": Out(STAMP_BITS),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.bytes = memory = Memory(shape=8, depth=self._slots * self._slot_bytes, init=[])
        index_bits = (self._slots - 1).bit_length()
        m.submodules.filled = filled = GrayCounter(width=index_bits + 1, i_domain="rx", o_domain="sync")
        m.submodules.emptied = emptied = GrayCounter(width=index_bits + 1, i_domain="sync", o_domain="rx")

        self._write(m, memory.write_port(domain="rx"), filled, emptied.seen)
        self._read(m, memory.read_port(), emptied, filled.seen)

        return m

    @property
    def _first_address(self):
        """Of a slot's header. The length of a frame without FCS is the address of its byte, which so wraps."""
        return self._slot_bytes - FCS_BYTES + 1 - _HEADER_BYTES

    def _write(self, m, write, filled, emptied):
        slot = Signal.like(filled.count[:-1])
        at, within = Signal(range(self._slot_bytes)), Signal(init=1)
        room, taking = Signal(), Signal()
        freed = Signal.like(emptied)
        m.d.rx += [freed.eq(emptied), room.eq(freed != filled.count ^ self._slots)]
        closing = Signal(range(_HEADER_BYTES + 1))  # bytes of the header, and one that ends
        first = Signal(init=1)
        m.d.comb += [
            at.eq(self.length),
            write.addr.eq(Cat(at, slot)),
            write.data.eq(self.i.p.data),
            # Also at a bad end, behind which the next frame overwrites the slot.
            write.en.eq(self.i.valid & taking & (within | self.i.p.end) | (closing != 0)),
        ]
        with m.If(self.i.valid & ~self.i.p.end):
            m.d.rx += first.eq(0)
            with m.If(self.length == self._snap - FCS_BYTES):
                m.d.rx += within.eq(0)
        with m.Elif(first):
            m.d.rx += taking.eq(room)
        good = self.i.valid & self.i.p.end & ~self.i.p.error
        with m.If(self.i.valid & self.i.p.end):
            m.d.rx += [first.eq(1), within.eq(1)]
            m.d.comb += [self.bad.eq(self.i.p.error), self.overrun.eq(good & ~taking)]
        with m.If(self.i.p.end | (closing != 0)):
            m.d.comb += at.eq(self._first_address + closing)
        with m.If(good & taking | (closing != 0)):
            m.d.rx += closing.eq(closing + 1)
        with m.Switch(closing):
            with m.Case(0):
                with m.If(self.i.p.end):
                    # What is written next is there before the reader knows of it, and the next frame finds out in time
                    # whether there is room for it.
                    m.d.comb += [write.data.eq(self.length[8:]), filled.increment.eq(good & taking)]
            with m.Case(1):
                m.d.comb += write.data.eq(self.length[:8])
            with m.Case(2):
                m.d.comb += write.data.eq(self.stamp)
                m.d.rx += [closing.eq(0), slot.eq(filled.count)]

    def _read(self, m, read, emptied, filled):
        offset, left = Signal(range(self._slot_bytes), init=self._first_address), Signal(range(self._snap + 1))
        m.d.comb += read.addr.eq(Cat(offset, emptied.count[:-1]))
        step, first = Signal(), Signal()
        m.d.comb += [read.en.eq(step), self.available.eq(filled != emptied.count)]
        with m.If(step):
            m.d.sync += offset.eq(offset + 1)

        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.FSM():
            with m.State("EMPTY"):
                with m.If(self.available):
                    m.d.comb += step.eq(1)
                    m.next = "HIGH"
            with m.State("HIGH"):
                m.d.comb += step.eq(1)
                m.d.sync += self.wire_length[8:].eq(read.data)
                m.next = "LOW"
            with m.State("LOW"):
                m.d.comb += step.eq(1)
                m.d.sync += self.wire_length[:8].eq(read.data)
                m.next = "STAMP"
            with m.State("STAMP"):
                m.d.comb += step.eq(1)
                m.d.sync += [self.o_stamp.eq(read.data), first.eq(1)]
                cut = self.wire_length > self._snap
                m.d.sync += left.eq(Mux(cut, self._snap, self.wire_length))
                m.next = "BYTES"
            with m.State("BYTES"):
                # Behind a register, since block RAM gives its words late.
                free = ~self.o.valid | self.o.ready
                m.d.comb += step.eq(free)
                with m.If(free):
                    m.d.sync += [
                        self.o.valid.eq(1),
                        self.o.p.data.eq(read.data),
                        self.o.p.first.eq(first),
                        self.o.p.last.eq(left == 1),
                        first.eq(0),
                        left.eq(left - 1),
                    ]
                    with m.If(left == 1):
                        m.d.comb += emptied.increment.eq(1)
                        m.d.sync += offset.eq(self._first_address)
                        m.next = "EMPTY"
