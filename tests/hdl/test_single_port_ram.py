"""SinglePortRam: its behaviour, and that the iCE40 flow makes SPRAM of it."""

import random

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from boards.ice40 import ICE40
from boards.ice40_shell import FORGET_INITIAL_CONTENTS
from boards.synthesis import synthesise
from hdl.single_port_ram import SinglePortRam
from sim.testbench import simulate


def test_reads_writes_and_holds():
    rng = random.Random(5)
    dut = SinglePortRam(depth=16, width=8, init=[rng.getrandbits(8) for _ in range(16)])
    contents = list(dut.init)

    async def check(ctx):
        read_data = 0
        for _ in range(300):
            enable, write = rng.random() < 0.8, rng.random() < 0.5
            address, word = rng.randrange(16), rng.getrandbits(8)
            ctx.set(dut.enable, enable)
            ctx.set(dut.write, write)
            ctx.set(dut.address, address)
            ctx.set(dut.write_data, word)
            await ctx.tick()
            if enable and write:
                contents[address] = word
            elif enable:
                read_data = contents[address]
            assert ctx.get(dut.read_data) == read_data

    simulate(dut, check, limit_cycles=400)


class _Beside(wiring.Component):
    """The big memory and one with initial contents, which must keep them."""

    address: In(15)
    enable: In(1)
    write: In(1)
    write_data: In(32)
    read_data: Out(32)
    rom_data: Out(16)

    def elaborate(self, platform):
        m = Module()
        m.submodules.ram = ram = SinglePortRam(depth=1 << 15, width=32)
        m.submodules.rom = rom = Memory(shape=16, depth=256, init=range(256))
        read = rom.read_port()
        m.d.comb += [
            ram.address.eq(self.address),
            ram.enable.eq(self.enable),
            ram.write.eq(self.write),
            ram.write_data.eq(self.write_data),
            self.read_data.eq(ram.read_data),
            read.addr.eq(self.address[:8]),
            self.rom_data.eq(read.data),
        ]
        return m


def test_becomes_spram_and_nothing_else_does(tmp_path):
    (tmp_path / "design.il").write_text(rtlil.convert(_Beside(), name="design", emit_src=False))
    (tmp_path / "design.ys").write_text(
        f"read_rtlil design.il\n{FORGET_INITIAL_CONTENTS}\nsynth_ice40 -spram -device u -top design\n"
    )
    cells = synthesise(tmp_path, ICE40)
    assert (cells["spram"], cells["ebr"]) == (4, 1)


def test_wrong_depth():
    with pytest.raises(ValueError, match="Depth must be at least 2, not 1"):
        SinglePortRam(depth=1, width=8)
