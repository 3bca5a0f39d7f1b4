"""BoardClock: the time of a probe that listens to a wire: milliseconds, seconds and ticks."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["SETTLE_CYCLES", "TICK_MS", "BoardClock"]

TICK_MS = 100
"""Between two ticks."""

SETTLE_CYCLES = 64
"""In which a frame that ended before a millisecond began has come through whatever lies between."""

_TICKS_PER_S = 1000 // TICK_MS


class BoardClock(wiring.Component):
    """Divides our clock.

    Parameters
    ----------
    cycles_per_ms: of our clock

    Attributes
    ----------
    restart: begin anew
    millisecond, second: high for a clock when one has passed
    tick: high for a clock every :data:`TICK_MS`, and at the beginning
    settled: this millisecond began at least :data:`SETTLE_CYCLES` ago
    """

    def __init__(self, *, cycles_per_ms: int):
        if cycles_per_ms <= 2 * SETTLE_CYCLES:
            raise ValueError(f"A millisecond must have more than {2 * SETTLE_CYCLES} cycles, not {cycles_per_ms!r}")
        self._cycles_per_ms = cycles_per_ms
        super().__init__({"restart": In(1), "millisecond": Out(1), "second": Out(1), "tick": Out(1), "settled": Out(1)})

    def elaborate(self, platform):
        m = Module()
        left = Signal(range(self._cycles_per_ms), init=self._cycles_per_ms - 1)
        milliseconds, ticks = Signal(range(TICK_MS)), Signal(range(_TICKS_PER_S))
        m.d.sync += [left.eq(left - 1), self.tick.eq(0), self.second.eq(0), self.millisecond.eq(left == 1)]

        with m.If(left == self._cycles_per_ms - SETTLE_CYCLES):
            m.d.sync += self.settled.eq(1)
        with m.If(self.millisecond):
            m.d.sync += [
                left.eq(self._cycles_per_ms - 1),
                self.settled.eq(0),
                milliseconds.eq(milliseconds + 1),
            ]
            with m.If(milliseconds == TICK_MS - 1):
                m.d.sync += [milliseconds.eq(0), self.tick.eq(1), ticks.eq(ticks + 1)]
                with m.If(ticks == _TICKS_PER_S - 1):
                    m.d.sync += [ticks.eq(0), self.second.eq(1)]
        with m.If(self.restart):
            m.d.sync += [
                left.eq(self._cycles_per_ms - 1),
                *(signal.eq(0) for signal in (self.millisecond, self.second, self.settled, milliseconds, ticks)),
                self.tick.eq(1),
            ]

        return m
