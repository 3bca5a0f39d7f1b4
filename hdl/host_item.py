"""HostItem: keeps an item that a host has sent until it is whole and right."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import MemoryData
from amaranth.lib.wiring import In, Out

from hdl.block_ram import BlockRam
from hdl.item import CHUNK_BYTES, ITEM_HEADER_BYTES, SETUP_BODY_BYTES, ItemKind, framed
from hdl.symbol import symbol_signature

__all__ = ["HostItem"]

_SIZES = {ItemKind.FLUSH: 0, ItemKind.SETUP: SETUP_BODY_BYTES} | {
    kind: CHUNK_BYTES for kind in ItemKind if kind.is_chunk
}
"""Of the bodies of all items that a host may send to a probe that listens to a wire."""

_LONGEST = ITEM_HEADER_BYTES + max(_SIZES.values())


class HostItem(wiring.Component):
    """Passes on set-ups, flushes and chunks of the right length; everything else is dropped.

    An item that begins to come while another is kept is dropped too.

    **Latency**: 3 cycles from the end to the first byte. **Throughput**: a byte a clock.

    Attributes
    ----------
    i: symbols
    o: items, all bytes of one without a gap
    set_up: high a clock after the end of a set-up that is passed on
    """

    i: In(symbol_signature())
    o: Out(stream.Signature(framed(8)))
    set_up: Out(1)

    def elaborate(self, platform):
        m = Module()
        # The first byte, which may be read while it is written, is read again when the item is whole.
        m.submodules.bytes = memory = BlockRam(MemoryData(shape=8, depth=1 << (_LONGEST - 1).bit_length(), init=[]))
        count, kind = Signal(range(_LONGEST + 1)), Signal(8)
        wrong, right, address = Signal(), Signal(), Signal(range(_LONGEST + 1))
        moves, last, accepted = Signal(), address == count, Signal()
        data, end = self.i.valid & ~self.i.p.end, self.i.valid & self.i.p.end
        m.d.comb += [
            memory.write_address.eq(count),
            memory.write_data.eq(self.i.p.data),
            memory.read_address.eq(address),
            moves.eq(~self.o.valid | self.o.ready),
        ]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.Switch(kind):
            for expected, body in _SIZES.items():
                with m.Case(expected):
                    m.d.comb += right.eq(~wrong & ~self.i.p.error & (count == ITEM_HEADER_BYTES + body))

        with m.FSM() as fsm:
            with m.State("FILL"):
                m.d.sync += address.eq(0)
                with m.If(data):
                    m.d.comb += memory.write_enable.eq(1)
                    m.d.sync += [count.eq(count + 1), wrong.eq(wrong | self.i.p.error | (count == _LONGEST))]
                    with m.If(count == _LONGEST):
                        m.d.sync += count.eq(count)
                    with m.If(count == 0):
                        m.d.sync += kind.eq(self.i.p.data)
                with m.If(end):
                    m.d.sync += [accepted.eq(right), wrong.eq(0)]
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.d.sync += address.eq(1)
                with m.If(accepted):
                    m.d.comb += self.set_up.eq(kind == ItemKind.SETUP)
                    m.next = "GIVE"
                with m.Else():
                    m.d.sync += count.eq(0)
                    m.next = "FILL"
            with m.State("GIVE"):
                # Behind the block RAM, whose output comes late in the clock, there is a register.
                m.d.comb += memory.read_enable.eq(moves)
                with m.If(moves):
                    m.d.sync += [
                        self.o.valid.eq(1),
                        self.o.p.data.eq(memory.read_data),
                        self.o.p.first.eq(address == 1),
                        self.o.p.last.eq(last),
                        address.eq(address + 1),
                    ]
                    with m.If(last):
                        m.d.sync += count.eq(0)
                        m.next = "FILL"
        with m.If(~fsm.ongoing("FILL")):
            # Of an item that comes meanwhile the rest is no item.
            with m.If(data):
                m.d.sync += wrong.eq(1)
            with m.Elif(end):
                m.d.sync += wrong.eq(0)

        return m
