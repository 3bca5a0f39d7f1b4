"""Small components for building: a register behind a stream, and one with much block RAM."""

from pathlib import Path

from amaranth.back import rtlil
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from boards.bench_shell import write_bench
from boards.device import Family

__all__ = ["Delay", "LargeDelay", "write_delay"]


class Delay(wiring.Component):
    """One register behind a stream."""

    i: In(stream.Signature(8))
    o: Out(stream.Signature(8))

    def elaborate(self, platform):
        m = Module()

        m.d.comb += self.i.ready.eq(self.o.ready)
        with m.If(self.o.ready):
            m.d.sync += [self.o.payload.eq(self.i.payload + 1), self.o.valid.eq(self.i.valid)]

        return m


class LargeDelay(Delay):
    """A memory of so many times 512 bytes, which is one block RAM of the iCE40 and a quarter of one of the ECP5."""

    def __init__(self, blocks: int):
        self._blocks = blocks
        super().__init__()

    def elaborate(self, platform):
        m = Module()

        m.submodules.memory = memory = Memory(shape=8, depth=self._blocks * 512, init=[])
        write, read = memory.write_port(), memory.read_port()
        m.d.sync += write.addr.eq(write.addr + self.i.valid)
        m.d.comb += [
            write.en.eq(self.i.valid),
            write.data.eq(self.i.payload),
            read.addr.eq(write.addr),
            self.i.ready.eq(1),
            self.o.payload.eq(read.data),
        ]

        return m


def write_delay(delay: Delay, directory: Path, family: Family) -> None:
    """Write what a delay is built from."""
    write_bench(delay, "delay", rtlil.convert(delay, name="delay"), directory, family)
