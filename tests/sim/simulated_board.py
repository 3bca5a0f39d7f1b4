"""A board in Amaranth's simulator: its SPI pins are wiggled, its serial pin is listened to."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from hdl.probe import ProbeParameters
from hdl.probe_line import ProbeLine
from hdl.spi_link import SpiLink
from hdl.uart import UartTransmitter

__all__ = ["SimulatedBoard"]

_PERIOD_S = 1e-6
_SCK_HALF_CYCLES = 2
_BAUD_CYCLES = 2


class _Pins(wiring.Component):
    """What is behind the pins of every board."""

    sck: In(1)
    copi: In(1)
    cs_n: In(1, init=1)
    cipo: Out(1)
    tx: Out(1)
    ready: Out(1)

    def __init__(self, parameters: ProbeParameters):
        self._parameters = parameters
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.submodules.link = link = SpiLink()
        m.submodules.line = line = ProbeLine(parameters=self._parameters)
        m.submodules.uart = uart = UartTransmitter(divisor=_BAUD_CYCLES)
        wiring.connect(m, link.o, line.i)
        wiring.connect(m, link.overrun, line.overrun)
        wiring.connect(m, line.o, uart.i)
        m.d.comb += [
            link.sck.eq(self.sck),
            link.copi.eq(self.copi),
            link.cs_n.eq(self.cs_n),
            self.cipo.eq(link.cipo),
            self.tx.eq(uart.tx),
            self.ready.eq(line.ready),
        ]
        return m


class SimulatedBoard:
    """Runs only while somebody uses it.

    ``exchange`` and ``read`` are what :func:`sim.feed_devices.open_spi` and :func:`sim.feed_devices.open_line` give.
    Items go at a quarter of the board's clock.
    """

    def __init__(self, parameters: ProbeParameters):
        self._dut = _Pins(parameters)
        self._outgoing: bytes | None = None
        self._answer = bytearray()
        self._received = bytearray()
        self.cycles = 0
        self._simulator = Simulator(self._dut)
        self._simulator.add_clock(_PERIOD_S)
        self._simulator.add_testbench(self._host)
        self._simulator.add_testbench(self._listen, background=True)

    def exchange(self, content: bytes) -> bytes:
        self._outgoing = content
        while self._outgoing is not None:
            self._simulator.advance()
        return bytes(self._answer)

    def read(self) -> bytes:
        """What has come so far."""
        came = bytes(self._received)
        self._received.clear()
        return came

    def sleep(self, seconds: float) -> None:
        end = self.cycles + seconds / _PERIOD_S
        while self.cycles < end:
            self._simulator.advance()

    def clock(self) -> float:
        return self.cycles * _PERIOD_S

    async def _host(self, ctx):
        while True:
            if self._outgoing is not None:
                await self._transfer(ctx)
            await ctx.tick()
            self.cycles += 1

    async def _transfer(self, ctx):
        dut = self._dut
        self._answer.clear()
        ctx.set(dut.cs_n, 0)
        await self._wait(ctx)
        for byte in self._outgoing:
            answer = 0
            for bit in reversed(range(8)):
                ctx.set(dut.copi, byte >> bit & 1)
                await self._wait(ctx)
                ctx.set(dut.sck, 1)
                answer = answer << 1 | ctx.get(dut.cipo)
                await self._wait(ctx)
                ctx.set(dut.sck, 0)
            self._answer.append(answer)
        await self._wait(ctx)
        ctx.set(dut.cs_n, 1)
        await self._wait(ctx)
        self._outgoing = None

    async def _wait(self, ctx):
        for _ in range(_SCK_HALF_CYCLES):
            await ctx.tick()
            self.cycles += 1

    async def _listen(self, ctx):
        """A receiver of 8N1 that samples in the middle of every bit."""
        tx = self._dut.tx
        while True:
            while ctx.get(tx):
                await ctx.tick()
            byte = 0
            for _ in range(_BAUD_CYCLES // 2):
                await ctx.tick()
            for bit in range(8):
                for _ in range(_BAUD_CYCLES):
                    await ctx.tick()
                byte |= ctx.get(tx) << bit
            for _ in range(_BAUD_CYCLES):
                await ctx.tick()
            assert ctx.get(tx), "a stop bit must be high"
            self._received.append(byte)
