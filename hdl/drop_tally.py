"""DropTally: tells the probe how many frames the receive path has dropped, and why."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.gray_counter import GrayCounter
from hdl.item import FrameOutcome
from hdl.tally import event_signature

__all__ = ["DropTally"]

_COUNT_BITS = {FrameOutcome.BAD_FCS: 8, FrameOutcome.OVERRUN: 4}
"""Enough for all that can be dropped while the counters of a probe are copied; what is overrun were whole frames."""


class DropTally(wiring.Component):
    """Counts in the domain of the wire and makes events of what has come since the event before.

    Attributes
    ----------
    bad, overrun: high for a clock of ``rx`` when a frame was dropped
    event: what to count
    """

    def __init__(self):
        super().__init__({"bad": In(1), "overrun": In(1), "event": Out(event_signature())})

    def elaborate(self, platform):
        m = Module()
        counts = {FrameOutcome.BAD_FCS: self.bad, FrameOutcome.OVERRUN: self.overrun}
        with m.If(self.event.ready):
            m.d.sync += self.event.valid.eq(0)
        free = Signal()
        m.d.comb += free.eq(~self.event.valid)
        for outcome, dropped in counts.items():
            counter = GrayCounter(width=_COUNT_BITS[outcome], i_domain="rx", o_domain="sync")
            m.submodules[outcome.name.lower()] = counter
            told = Signal(_COUNT_BITS[outcome], name=f"{outcome.name.lower()}_told")
            turn = Signal(name=f"{outcome.name.lower()}_turn")
            m.d.comb += [counter.increment.eq(dropped), turn.eq(free & (told != counter.seen))]
            with m.If(turn):
                m.d.sync += [
                    self.event.valid.eq(1),
                    self.event.p.index.eq(outcome),
                    self.event.p.amount.eq((counter.seen - told)[: len(told)]),
                    told.eq(counter.seen),
                ]
            free = free & ~turn

        return m
