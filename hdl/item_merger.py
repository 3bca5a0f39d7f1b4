"""ItemMerger: frames of a wire, ticks, and items of a host become one stream of items."""

import enum
from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.frame_receiver import LENGTH_BITS
from hdl.frame_ring import STAMP_BITS
from hdl.item import ITEM_HEADER_BYTES, ItemKind, framed

__all__ = ["ItemMerger"]


_TICK_BYTES = ITEM_HEADER_BYTES + 4


@dataclass(frozen=True)
class _Time:
    """The time of an item as ``at`` counts it outside; what that was at the set-up; and the time since then."""

    at: Signal
    base: Signal
    low: Signal
    carry: Signal
    high: Signal
    seconds: Signal


class _Origin(enum.IntEnum):
    FRAME = 0
    HOST = 1
    TICK = 2


class ItemMerger(wiring.Component):
    """Takes whole items in the order of their times, and gives each its time.

    A frame that ended in an earlier millisecond goes before anything else; then items of the host, then ticks, then
    frames. Items of the host and ticks have the time at which they go. With a set-up the time begins at 0 again; it
    tells the seconds, which then go on by themselves.

    Of the time only the last byte is counted outside; the others go on when an item has a lower one than the item
    before. So ``o`` must not be held up for longer than the 156 ms that lie between two ticks and 256 ms.

    **Throughput**: a byte a clock, and 2 more cycles an item.

    Attributes
    ----------
    available, frames, wire_length, stamp: from a :class:`hdl.frame_ring.FrameRing`
    host: items of the host, all bytes of one without a gap
    now: milliseconds, and the stamp of a frame that ends now
    settled, tick, second: from a :class:`hdl.board_clock.BoardClock`
    restart: to that
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
                "now": In(STAMP_BITS),
                "settled": In(1),
                "tick": In(1),
                "second": In(1),
                "restart": Out(1),
                "o": Out(stream.Signature(framed(8))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        origin, index = Signal(_Origin), Signal(range(_TICK_BYTES))
        set_up, tick_due, second_due = Signal(), Signal(), Signal()
        time = _Time(*(Signal(bits) for bits in (STAMP_BITS, STAMP_BITS, STAMP_BITS, 1, 32 - STAMP_BITS, 32)))
        free, host = Signal(), origin == _Origin.HOST
        m.d.comb += free.eq(~self.o.valid | self.o.ready)
        m.d.sync += [self.restart.eq(0), time.high.eq(time.high + time.carry), time.carry.eq(0)]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(self.tick):
            m.d.sync += tick_due.eq(1)
        with m.If(self.second):
            m.d.sync += second_due.eq(1)

        with m.FSM():
            with m.State("WAIT"):
                m.d.sync += index.eq(0)
                with m.If(second_due):
                    # Between items, so that no tick tells a half of each.
                    m.d.sync += [time.seconds.eq(time.seconds + 1), second_due.eq(0)]
                self._choose(m, origin, set_up, tick_due, time)
            with m.State("HEADER"):
                with m.If(free):
                    self._header(m, origin, index, set_up, time)
            with m.State("BODY"):
                byte = Mux(host, self.host.p.data, self.frames.p.data)
                last = Mux(host, self.host.p.last, self.frames.p.last)
                m.d.comb += [self.host.ready.eq(free & host), self.frames.ready.eq(free & ~host)]
                with m.If(free & Mux(host, self.host.valid, self.frames.valid)):
                    self._put(m, byte, last)
                    with m.If(set_up):
                        m.d.sync += [time.seconds.eq(Cat(byte, time.seconds)), second_due.eq(0)]
                    with m.If(last):
                        m.next = "WAIT"

        return m

    def _put(self, m, byte, last, first=0):
        m.d.sync += [self.o.valid.eq(1), self.o.p.data.eq(byte), self.o.p.first.eq(first), self.o.p.last.eq(last)]

    def _choose(self, m, origin, set_up, tick_due, time):
        """The next item, if there is one that may go, and its time."""
        setting_up, frame = Signal(), Signal()
        # A frame whose stamp is still to come may be an early one.
        calm = self.settled & Mux(self.frames.valid, self.stamp == self.now, ~self.available)
        m.d.comb += setting_up.eq(self.host.p.data == ItemKind.SETUP)
        m.d.sync += set_up.eq(0)
        m.next = "HEADER"
        with m.If(calm & self.host.valid):
            m.d.sync += [origin.eq(_Origin.HOST), set_up.eq(setting_up)]
        with m.Elif(calm & tick_due):
            m.d.sync += [origin.eq(_Origin.TICK), tick_due.eq(0)]
        with m.Elif(self.frames.valid):
            m.d.comb += frame.eq(1)
            m.d.sync += origin.eq(_Origin.FRAME)
        with m.Else():
            m.next = "WAIT"
        m.d.sync += time.at.eq(Mux(frame, self.stamp, self.now))

    def _header(self, m, origin, index, set_up, time):
        """A byte of it; those of a host's item are taken, and their time is not looked at."""
        host, tick, frame = (origin == value for value in (_Origin.HOST, _Origin.TICK, _Origin.FRAME))
        byte, last = Signal(8), Signal()
        low = Signal(STAMP_BITS)
        m.d.comb += low.eq(time.at - time.base)
        with m.Switch(index):
            with m.Case(0):
                m.d.comb += byte.eq(Mux(tick, ItemKind.TICK, ItemKind.FRAME))
            with m.Case(2):
                m.d.comb += byte.eq(Mux(frame, self.wire_length[8:], 0))
            with m.Case(3):
                m.d.comb += byte.eq(Mux(frame, self.wire_length[:8], 0))
            for place in range(3):
                with m.Case(6 - place):
                    m.d.comb += byte.eq(time.high.word_select(place, 8))
            with m.Case(7):
                m.d.comb += byte.eq(time.low)
            for place in range(4):
                with m.Case(_TICK_BYTES - 1 - place):
                    m.d.comb += byte.eq(time.seconds.word_select(place, 8))
        with m.If(host & (index < 4)):
            m.d.comb += byte.eq(self.host.p.data)
        m.d.comb += [
            self.host.ready.eq(host),
            last.eq((host & self.host.p.last) | (index == _TICK_BYTES - 1)),
        ]
        self._put(m, byte, last, index == 0)
        m.d.sync += index.eq(index + 1)
        with m.If(index == 1):
            m.d.sync += [time.low.eq(low), time.carry.eq(low < time.low)]
        with m.If((index == 2) & set_up):
            m.d.sync += [time.base.eq(time.at), time.low.eq(0), time.high.eq(0), self.restart.eq(1)]
        with m.If((index == ITEM_HEADER_BYTES - 1) & ~tick):
            m.next = "BODY"
        with m.If(last):
            m.next = "WAIT"
