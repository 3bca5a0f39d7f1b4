"""TapLink: from the symbols of a wire, and items of a host, to the item stream of a probe."""

from amaranth.hdl import DomainRenamer, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hdl.board_clock import BoardClock
from hdl.drop_tally import DropTally
from hdl.frame_receiver import LONGEST, FrameReceiver
from hdl.frame_ring import SNAP, STAMP_BITS, FrameRing
from hdl.gray_counter import GrayCounter
from hdl.item import framed
from hdl.item_merger import ItemMerger
from hdl.symbol import symbol_signature
from hdl.tally import event_signature

__all__ = ["TapLink"]


class TapLink(wiring.Component):
    """Checks frames in the domain ``rx`` of the wire, and brings them, ticks and items of a host to a probe.

    A frame whose FCS is wrong, that is too short or too long, or that had no proper start is dropped and counted as
    BAD_FCS; one for which there is no room as OVERRUN. Every run of symbols becomes an item or is counted.

    **Throughput**: a byte a clock, and 9 more cycles an item; now and then up to 14 more, to count the time.

    Parameters
    ----------
    cycles_per_ms: of our clock
    slots, snap, longest, check: see :class:`hdl.frame_ring.FrameRing` and :class:`hdl.frame_receiver.FrameReceiver`

    Attributes
    ----------
    symbols: of the wire, in domain ``rx``
    host: items of the host, all bytes of one without a gap
    o: items
    overrun: frames that were dropped
    """

    def __init__(
        self, *, cycles_per_ms: int, slots: int = 16, snap: int = SNAP, longest: int = LONGEST, check: bool = True
    ):
        self._cycles_per_ms, self._slots, self._snap = cycles_per_ms, slots, snap
        self._longest, self._check = longest, check
        super().__init__(
            {
                "symbols": In(symbol_signature()),
                "host": In(stream.Signature(framed(8))),
                "o": Out(stream.Signature(framed(8))),
                "overrun": Out(event_signature()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        receiver, ring = (
            FrameReceiver(longest=self._longest, check=self._check),
            FrameRing(slots=self._slots, snap=self._snap),
        )
        m.submodules.receiver = DomainRenamer("rx")(receiver)
        m.submodules.ring = ring
        m.submodules.drops = drops = DropTally()
        m.submodules.clock = clock = BoardClock(cycles_per_ms=self._cycles_per_ms)
        m.submodules.stamps = stamps = GrayCounter(width=STAMP_BITS, i_domain="sync", o_domain="rx")
        m.submodules.merger = merger = ItemMerger()

        connect(m, flipped(self.symbols), receiver.i)
        connect(m, receiver.o, ring.i)
        connect(m, ring.o, merger.frames)
        connect(m, flipped(self.host), merger.host)
        connect(m, merger.o, flipped(self.o))
        connect(m, drops.event, flipped(self.overrun))
        m.d.comb += [
            ring.length.eq(receiver.length),
            ring.stamp.eq(stamps.seen),
            drops.bad.eq(ring.bad),
            drops.overrun.eq(ring.overrun),
            stamps.increment.eq(clock.millisecond),
            merger.available.eq(ring.available),
            merger.wire_length.eq(ring.wire_length),
            merger.stamp.eq(ring.o_stamp),
            merger.now.eq(stamps.count),
            merger.settled.eq(clock.settled),
            merger.tick.eq(clock.tick),
            merger.second.eq(clock.second),
            clock.restart.eq(merger.restart),
        ]

        return m
