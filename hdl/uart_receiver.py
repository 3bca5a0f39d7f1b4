"""UartReceiver: bytes from a serial line, 8N1."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import cdc, wiring
from amaranth.lib.wiring import In, Out

from hdl.symbol import symbol_signature

__all__ = ["UartReceiver"]


class UartReceiver(wiring.Component):
    """Samples every bit in its middle. A byte without a stop bit has ``error``, and the line must rest before the next.

    **Latency**: a byte comes in the middle of its stop bit.

    Parameters
    ----------
    divisor: cycles per bit

    Attributes
    ----------
    rx: the line, high at rest
    o: symbols, without any end
    """

    def __init__(self, *, divisor: int):
        if divisor < 4:
            raise ValueError(f"Divisor must be at least 4 cycles per bit, not {divisor!r}")
        self._divisor = divisor
        super().__init__({"rx": In(1, init=1), "o": Out(symbol_signature())})

    def elaborate(self, platform):
        m = Module()
        line = Signal(init=1)
        m.submodules.line = cdc.FFSynchronizer(self.rx, line, init=1)
        # The start bit, once it has come to the lowest place, ends the byte.
        shift = Signal(9)
        timer = Signal(range(self._divisor))
        m.d.comb += [self.o.p.data.eq(shift[1:]), self.o.p.error.eq(~line)]

        with m.FSM():
            with m.State("REST"):
                m.d.sync += [timer.eq(self._divisor // 2 - 1), shift.eq(0x1FF)]
                with m.If(~line):
                    m.next = "BITS"
            with m.State("BITS"):
                m.d.sync += timer.eq(timer - 1)
                with m.If(timer == 0):
                    m.d.sync += [timer.eq(self._divisor - 1), shift.eq(Cat(shift[1:], line))]
                    with m.If(~shift[0]):
                        m.d.comb += self.o.valid.eq(1)
                        m.next = "STOP"
                    with m.Elif(shift.all() & line):
                        m.next = "REST"  # a start bit that was only a spike
            with m.State("STOP"):
                with m.If(line):
                    m.next = "REST"

        return m
