"""BlockFifo: a queue in a memory and nothing beside it."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import MemoryData
from amaranth.lib.wiring import In, Out

from hdl.block_ram import BlockRam

__all__ = ["BlockFifo"]


class BlockFifo(wiring.Component):
    """Items that wait, in a :class:`~hdl.block_ram.BlockRam`.

    The memory in Amaranth's ``SyncFIFOBuffered`` must give the old word where one is read and written at once, which
    never happens in a queue; synthesis puts logic for it behind the memory, whose output comes late in the clock.

    **Throughput**: an item a clock. **Latency**: 2 cycles.

    Parameters
    ----------
    shape: of an item
    depth: items that may wait, a power of two
    in_logic: the memory is a small one in logic, with a register behind it

    Attributes
    ----------
    i, o: items
    """

    def __init__(self, *, shape, depth: int, in_logic: bool = False):
        if depth < 2 or depth & depth - 1:
            raise ValueError(f"Depth must be a power of two and at least 2, not {depth!r}")
        self._depth, self._in_logic = depth, in_logic
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform):
        m = Module()
        contents = MemoryData(shape=self.i.payload.shape(), depth=self._depth, init=[])
        m.submodules.words = words = BlockRam(contents, in_logic=self._in_logic)
        written, read = Signal(range(2 * self._depth)), Signal(range(2 * self._depth))
        m.d.comb += [
            self.i.ready.eq((written ^ read) != self._depth),
            words.write_address.eq(written),
            words.write_data.eq(self.i.payload),
            words.write_enable.eq(self.i.valid & self.i.ready),
            words.read_address.eq(read),
            words.read_enable.eq(~self.o.valid | self.o.ready),
            self.o.payload.eq(words.read_data),
        ]
        with m.If(words.write_enable):
            m.d.sync += written.eq(written + 1)
        with m.If(words.read_enable):
            there = written != read
            m.d.sync += [self.o.valid.eq(there), read.eq(read + there)]

        return m
