"""BlockRam: a memory that becomes block RAM and nothing beside it."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory, MemoryData
from amaranth.lib.wiring import In, Out

__all__ = ["BlockRam"]


class BlockRam(wiring.Component):
    """A memory that reads one word and writes another in the same clock.

    A word that is read while it is written may come out as anything: giving the old one, as simulation does, would
    take more logic than all the rest of a tree walker. The memory carries the attribute ``no_rw_check`` and is alone in
    its module, so that the flow of a board can tell synthesis. It is block RAM however small it is: in logic it would
    be slower than what reads it expects.

    **Latency**: 1 cycle.

    Parameters
    ----------
    contents:
        Shape and number of words, and what they are at the start.
    in_logic:
        It is a small one in logic, whose output comes early in the clock; where there are such. None: if there are.

    Attributes
    ----------
    read_address, read_data:
        The word to read, and the one that was asked for a clock before.
    read_enable:
        While it is low ``read_data`` holds.
    write_enable, write_address, write_data:
        The word to write.
    """

    def __init__(self, contents: MemoryData, *, in_logic: bool | None = False):
        self._contents, self._in_logic = contents, in_logic
        address = range(contents.depth)
        super().__init__(
            {
                "read_address": In(address),
                "read_data": Out(contents.shape),
                "read_enable": In(1, init=1),
                "write_enable": In(1),
                "write_address": In(address),
                "write_data": In(contents.shape),
            }
        )

    def elaborate(self, platform):
        m = Module()

        style = {True: {"ram_style": "distributed"}, False: {"ram_style": "block"}, None: {}}[self._in_logic]
        m.submodules.words = words = Memory(self._contents, attrs={"no_rw_check": 1} | style)
        read, write = words.read_port(), words.write_port()
        m.d.comb += [
            read.addr.eq(self.read_address),
            read.en.eq(self.read_enable),
            self.read_data.eq(read.data),
            write.en.eq(self.write_enable),
            write.addr.eq(self.write_address),
            write.data.eq(self.write_data),
        ]

        return m
