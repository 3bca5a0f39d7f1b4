"""BlockUpdate: all accumulators of one direction after one packet, at once."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hdl.accumulator import PACKETS, Accumulator
from hdl.entry_layout import EntryLayout

__all__ = ["BlockUpdate", "block_shape", "member_name"]


def member_name(accumulator: Accumulator) -> str:
    """A name for an accumulator in a layout."""
    flag = "" if accumulator.flag is None else f"_{accumulator.flag}"
    return f"{accumulator.operation}_{accumulator.operand}{flag}"


def block_shape(layout: EntryLayout) -> data.StructLayout:
    """Accumulators of one direction side by side; the packet counter is in the tag."""
    return data.StructLayout({member_name(a): a.width for a in layout.accumulators if a != PACKETS})


class BlockUpdate(wiring.Component):
    """What :meth:`hdl.accumulator.Accumulator.update` says, for every accumulator of a direction.

    **Latency**: 1 cycle; a block may come every clock.

    Parameters
    ----------
    layout: which accumulators there are

    Attributes
    ----------
    i, empty: the block before; when there was no packet of this direction before, it may hold anything
    length, length_squared, window, ttl, flags: the packet
    o: the block after
    """

    def __init__(self, *, layout: EntryLayout):
        self._layout = layout
        shape = block_shape(layout)
        super().__init__(
            {
                "i": In(shape),
                "empty": In(1),
                "length": In(16),
                "length_squared": In(32),
                "window": In(16),
                "ttl": In(8),
                "flags": In(8),
                "o": Out(shape),
            }
        )

    def elaborate(self, platform):
        m = Module()

        out = Signal.like(self.o, reset_less=True)
        m.d.comb += self.o.eq(out)
        operands = {name: getattr(self, name) for name in ("length", "length_squared", "window", "ttl")}
        operands["one"] = 1
        for accumulator in self._layout.accumulators:
            if accumulator == PACKETS:
                continue
            name, operand = member_name(accumulator), operands[accumulator.operand]
            before = Signal(accumulator.width, name=f"{name}_before")
            m.d.comb += before.eq(Mux(self.empty, 0, self.i[name]))
            if accumulator.operation == "add":
                counts = 1 if accumulator.flag is None else self.flags[accumulator.flag]
                m.d.sync += out[name].eq(before + Mux(counts, operand, 0))
            else:
                larger = operand > before
                takes = self.empty | (larger if accumulator.operation == "max" else ~larger)
                m.d.sync += out[name].eq(Mux(takes, operand, before))

        return m
