"""SinglePortRam: one address, contents undefined at start, so that it may become iCE40 SPRAM."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

__all__ = ["SinglePortRam"]


class SinglePortRam(wiring.Component):
    """A memory that reads or writes one word a clock.

    What it holds before the first write is undefined: Amaranth always writes an initial value into the netlist,
    which would forbid SPRAM, so the iCE40 flow deletes the initial values of memories that carry the attribute
    ``hedgerow_uninitialised``. No design may rely on the zeros that simulation shows.

    **Latency**: 1 cycle. ``read_data`` holds while ``enable`` is low and during a write.

    Parameters
    ----------
    depth: words
    width: bits of a word
    init: contents at the start of a simulation, where no hardware has any

    Attributes
    ----------
    enable: the port does something in this cycle
    write: it writes ``write_data``; else it reads
    """

    def __init__(self, *, depth: int, width: int, init=()):
        if depth < 2:
            raise ValueError(f"Depth must be at least 2, not {depth!r}")
        self.depth, self.width, self.init = depth, width, init
        super().__init__(
            {
                "address": In(range(depth)),
                "enable": In(1),
                "write": In(1),
                "write_data": In(width),
                "read_data": Out(width),
            }
        )

    def elaborate(self, platform):
        m = Module()

        memory = Memory(shape=self.width, depth=self.depth, init=self.init, attrs={"hedgerow_uninitialised": 1})
        m.submodules.memory = memory
        read, write = memory.read_port(), memory.write_port()
        m.d.comb += [
            read.addr.eq(self.address),
            read.en.eq(self.enable & ~self.write),
            self.read_data.eq(read.data),
            write.addr.eq(self.address),
            write.en.eq(self.enable & self.write),
            write.data.eq(self.write_data),
        ]

        return m
