"""UartTransmitter: bytes to a serial line, 8N1."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["UartTransmitter"]


class UartTransmitter(wiring.Component):
    """Sends each byte with a start and a stop bit, least significant bit first.

    **Throughput**: a byte in ``10 * divisor + 1`` cycles.

    Parameters
    ----------
    divisor: cycles per bit

    Attributes
    ----------
    i: bytes
    tx: the line, high at rest
    """

    def __init__(self, *, divisor: int):
        if divisor < 2:
            raise ValueError(f"Divisor must be at least 2 cycles per bit, not {divisor!r}")
        self._divisor = divisor
        super().__init__({"i": In(stream.Signature(8)), "tx": Out(1, init=1)})

    def elaborate(self, platform):
        m = Module()
        shift = Signal(9, init=0x1FF)
        bits = Signal(range(11))
        timer = Signal(range(self._divisor))
        m.d.sync += self.tx.eq(shift[0])
        m.d.comb += self.i.ready.eq(bits == 0)

        with m.If(self.i.ready):
            with m.If(self.i.valid):
                m.d.sync += [shift.eq(Cat(0, self.i.payload)), bits.eq(10), timer.eq(self._divisor - 1)]
        with m.Elif(timer == 0):
            m.d.sync += [shift.eq(Cat(shift[1:], 1)), bits.eq(bits - 1), timer.eq(self._divisor - 1)]
        with m.Else():
            m.d.sync += timer.eq(timer - 1)

        return m
