"""ItemMerger: frames of a wire, ticks, and items of a host become one stream of items."""

import enum
from dataclasses import dataclass

from amaranth.hdl import C, Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import MemoryData
from amaranth.lib.wiring import In, Out

from hdl.block_ram import BlockRam
from hdl.frame_receiver import LENGTH_BITS
from hdl.frame_ring import STAMP_BITS
from hdl.item import ITEM_HEADER_BYTES, ItemKind, framed

__all__ = ["ItemMerger"]


_TICK_BYTES = ITEM_HEADER_BYTES + 4
_HIGH, _SECONDS = ITEM_HEADER_BYTES - 2, _TICK_BYTES - 1
"""Where the last bytes lie of what is counted in memory: there as in an item, the high bytes of the time from 4 on, and
the seconds from 8 on."""


@dataclass(frozen=True)
class _Time:
    """The time of an item as ``at`` counts it outside; what that was at the set-up; and the time since then.

    Its high bytes and the seconds are kept in a memory, and counted a byte at a time. ``since`` is the low byte for the
    item that has been chosen, ``low`` that of the one before until its header has begun.
    """

    at: Signal
    base: Signal
    low: Signal
    since: Signal
    wrapped: Signal
    kept: BlockRam
    place: Signal


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

    **Throughput**: a byte a clock, and 3 more cycles an item; now and then up to 14 more, to count.

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
        m.submodules.kept = kept = BlockRam(MemoryData(shape=8, depth=16, init=[]), in_logic=None)
        time = _Time(*(Signal(STAMP_BITS) for _ in range(4)), Signal(), kept, Signal(range(_TICK_BYTES)))
        # Known a clock after the item has been chosen, and in the next: before the second byte of its header.
        m.d.sync += [time.since.eq(time.at - time.base), time.wrapped.eq(time.since < time.low)]
        free, host = Signal(), origin == _Origin.HOST
        m.d.comb += free.eq(~self.o.valid | self.o.ready)
        m.d.sync += self.restart.eq(0)
        # The byte of a header that follows.
        m.d.comb += [kept.read_address.eq(index + 1), kept.read_enable.eq(free)]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(self.tick):
            m.d.sync += tick_due.eq(1)
        with m.If(self.second):
            m.d.sync += second_due.eq(1)

        with m.FSM():
            with m.State("WAIT"):
                m.d.sync += index.eq(0)
                m.d.sync += time.place.eq(_SECONDS)
                self._choose(m, origin, set_up, tick_due, time)
            with m.State("CHOSEN"):
                m.next = "HEADER"
                with m.If(second_due):
                    m.d.sync += second_due.eq(0)
                    m.next = "READ"
            self._count(m, time)
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
                        # The last four bytes stay.
                        m.d.comb += [
                            kept.write_enable.eq(1),
                            kept.write_address.eq(Cat(index[:2], C(ITEM_HEADER_BYTES >> 2, 2))),
                            kept.write_data.eq(byte),
                        ]
                        m.d.sync += [index.eq(index + 1), second_due.eq(0)]
                    with m.If(last):
                        m.next = "WAIT"

        return m

    def _put(self, m, byte, last, first=0):
        m.d.sync += [self.o.valid.eq(1), self.o.p.data.eq(byte), self.o.p.first.eq(first), self.o.p.last.eq(last)]

    def _count(self, m, time):
        """Adds 1 to what ends at a place in memory: to a byte, and while they overflow to those before it.

        That is done before a header or in it, so that no item tells a half of each.
        """
        kept, place = time.kept, time.place
        with m.State("READ"):
            m.d.comb += [kept.read_address.eq(place), kept.read_enable.eq(1)]
            m.next = "WRITE"
        with m.State("WRITE"):
            m.d.comb += [
                kept.write_enable.eq(1),
                kept.write_address.eq(place),
                kept.write_data.eq(kept.read_data + 1),
            ]
            m.d.sync += place.eq(place - 1)
            m.next = "HEADER"
            with m.If(kept.read_data.all() & (place[:2] != 0)):
                m.next = "READ"

    def _choose(self, m, origin, set_up, tick_due, time):
        """The next item, if there is one that may go, and its time."""
        setting_up, frame = Signal(), Signal()
        # A frame whose stamp is still to come may be an early one.
        calm = self.settled & Mux(self.frames.valid, self.stamp == self.now, ~self.available)
        m.d.comb += setting_up.eq(self.host.p.data == ItemKind.SETUP)
        m.d.sync += set_up.eq(0)
        m.next = "CHOSEN"
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
        with m.Switch(index):
            with m.Case(0):
                m.d.comb += byte.eq(Mux(tick, ItemKind.TICK, ItemKind.FRAME))
            with m.Case(2):
                m.d.comb += byte.eq(Mux(frame, self.wire_length[8:], 0))
            with m.Case(3):
                m.d.comb += byte.eq(Mux(frame, self.wire_length[:8], 0))
            with m.Case(ITEM_HEADER_BYTES - 1):
                m.d.comb += byte.eq(time.low)
            with m.Case(*range(4, _HIGH + 1)):
                m.d.comb += byte.eq(Mux(set_up, 0, time.kept.read_data))
                with m.If(set_up):
                    m.d.comb += [time.kept.write_enable.eq(1), time.kept.write_address.eq(index)]
            with m.Case(*range(ITEM_HEADER_BYTES, _TICK_BYTES)):
                m.d.comb += byte.eq(time.kept.read_data)
        with m.If(host & (index < 4)):
            m.d.comb += byte.eq(self.host.p.data)
        m.d.comb += [
            self.host.ready.eq(host),
            last.eq((host & self.host.p.last) | (index == _TICK_BYTES - 1)),
        ]
        self._put(m, byte, last, index == 0)
        m.d.sync += index.eq(index + 1)
        with m.If(index == 1):
            m.d.sync += [time.low.eq(time.since), time.place.eq(_HIGH)]
            with m.If(time.wrapped):
                m.next = "READ"
        with m.If((index == 2) & set_up):
            m.d.sync += [time.base.eq(time.at), time.low.eq(0), self.restart.eq(1)]
        with m.If((index == ITEM_HEADER_BYTES - 1) & ~tick):
            m.next = "BODY"
        with m.If(last):
            m.next = "WAIT"
