"""ItemMerger: frames of a wire, ticks, and items of a host become one stream of items."""

import enum

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.frame_receiver import LENGTH_BITS
from hdl.frame_ring import STAMP_BITS
from hdl.item import ITEM_HEADER_BYTES, ItemKind, framed

__all__ = ["ItemMerger"]


class _Origin(enum.IntEnum):
    FRAME = 0
    HOST = 1
    TICK = 2


class ItemMerger(wiring.Component):
    """Takes whole items in the order of their times, and gives each its time.

    A frame that ended in an earlier millisecond goes before anything else; then items of the host, then ticks, then
    frames. An item of the host has the time at which it goes, a set-up 0: with its last byte the clock begins anew, and
    frames that ended before have time 0 too.

    **Throughput**: a byte a clock, and 3 more cycles an item.

    Attributes
    ----------
    available, frames, wire_length, stamp: from a :class:`hdl.frame_ring.FrameRing`
    host: items of the host, all bytes of one without a gap
    time_ms, seconds, settled, tick: from a :class:`hdl.board_clock.BoardClock`
    now: what the stamp of a frame would be that ends now
    restart, told: to the clock
    o: items
    """

    def __init__(self):
        super().__init__(
            {
                "available": In(1),
                "frames": In(stream.Signature(framed(8))),
                "wire_length": In(LENGTH_BITS),
                "stamp": In(STAMP_BITS),
                "host": In(stream.Signature(framed(8))),
                "time_ms": In(32),
                "seconds": In(32),
                "settled": In(1),
                "tick": In(1),
                "now": In(STAMP_BITS),
                "restart": Out(1),
                "told": Out(32),
                "o": Out(stream.Signature(framed(8))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        origin, index = Signal(_Origin), Signal(range(ITEM_HEADER_BYTES))
        set_up, tick_due, waiting = Signal(), Signal(), Signal()
        word = Signal(32)  # leaves byte by byte; of a set-up the last bytes come in
        age = Signal(STAMP_BITS)
        free = Signal()
        m.d.comb += free.eq(~self.o.valid | self.o.ready)
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(self.tick):
            m.d.sync += tick_due.eq(1)
        host = origin == _Origin.HOST
        m.d.comb += self.told.eq(word)
        m.d.sync += self.restart.eq(0)

        with m.FSM():
            with m.State("WAIT"):
                m.d.sync += [
                    waiting.eq(self.frames.valid),
                    age.eq(self.now - self.stamp),
                    word.eq(self.time_ms),
                    index.eq(0),
                ]
                with m.If(self.frames.valid | self.host.valid | tick_due):
                    m.next = "CHOOSE"
            with m.State("CHOOSE"):
                self._choose(m, origin, set_up, tick_due, waiting, age, word)
            with m.State("HEADER"):
                with m.If(free):
                    self._header(m, origin, index, word)
            with m.State("SECONDS"):
                self._put(m, free, word[24:], index == 3)
                with m.If(free):
                    m.d.sync += [word.eq(word << 8), index.eq(index + 1)]
                    with m.If(index == 3):
                        m.next = "WAIT"
            with m.State("BODY"):
                byte = Mux(host, self.host.payload, self.frames.payload)
                valid, last = (
                    Mux(host, self.host.valid, self.frames.valid),
                    Mux(host, self.host.p.last, self.frames.p.last),
                )
                self._put(m, free & valid, byte[:8], last)
                m.d.comb += [self.host.ready.eq(free & host), self.frames.ready.eq(free & ~host)]
                with m.If(free & valid):
                    m.d.sync += word.eq(Cat(self.host.p.data, word))
                    with m.If(last):
                        m.d.sync += self.restart.eq(host & set_up)
                        m.next = "WAIT"

        return m

    def _put(self, m, condition, byte, last, first=0):
        with m.If(condition):
            m.d.sync += [self.o.valid.eq(1), self.o.p.data.eq(byte), self.o.p.first.eq(first), self.o.p.last.eq(last)]

    def _choose(self, m, origin, set_up, tick_due, waiting, age, word):
        """The next item, if there is one that may go, and its time."""
        setting_up, of_age = Signal(), Signal(STAMP_BITS)
        # A frame whose stamp is still to come may be an early one.
        calm = self.settled & Mux(waiting, age == 0, ~self.available)
        m.d.comb += setting_up.eq(self.host.p.data == ItemKind.SETUP)
        m.d.sync += set_up.eq(setting_up)
        m.next = "HEADER"
        time_ms = Signal(33)
        m.d.comb += time_ms.eq(word - of_age)
        m.d.sync += word.eq(Mux(time_ms[-1], 0, time_ms))
        with m.If(calm & self.host.valid):
            m.d.sync += origin.eq(_Origin.HOST)
            with m.If(setting_up):
                m.d.sync += word.eq(0)
        with m.Elif(calm & tick_due):
            m.d.sync += [origin.eq(_Origin.TICK), tick_due.eq(0)]
        with m.Elif(waiting):
            m.d.sync += origin.eq(_Origin.FRAME)
            m.d.comb += of_age.eq(age)
        with m.Else():
            m.next = "WAIT"

    def _header(self, m, origin, index, word):
        """A byte of it; those of a host's item are taken, and their time is not looked at."""
        host, last = origin == _Origin.HOST, Signal()
        byte = Signal(8)
        with m.Switch(index):
            with m.Case(0):
                m.d.comb += byte.eq(Mux(origin == _Origin.TICK, ItemKind.TICK, ItemKind.FRAME))
            with m.Case(2):
                m.d.comb += byte.eq(Mux(origin == _Origin.FRAME, self.wire_length[8:], 0))
            with m.Case(3):
                m.d.comb += byte.eq(Mux(origin == _Origin.FRAME, self.wire_length[:8], 0))
        with m.If(index[2]):
            m.d.comb += byte.eq(word[24:])
            m.d.sync += word.eq(word << 8)
        with m.Elif(host):
            m.d.comb += byte.eq(self.host.p.data)
        m.d.comb += [self.host.ready.eq(host), last.eq(host & self.host.p.last)]
        self._put(m, 1, byte, last, index == 0)
        m.d.sync += index.eq(index + 1)
        with m.If(index == ITEM_HEADER_BYTES - 1):
            m.next = "BODY"
            with m.If(origin == _Origin.TICK):
                m.d.sync += word.eq(self.seconds)
                m.next = "SECONDS"
        with m.If(last):
            m.next = "WAIT"
