"""SetupRegister: takes setup items out of the item stream and keeps the key and the epoch."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.exporter import EPOCH_BITS
from hdl.item import ITEM_HEADER_BYTES, ItemKind, framed

__all__ = ["SETUP_BODY_BYTES", "SetupRegister", "setup_body"]

SETUP_BODY_BYTES = 14
_BODY_BITS = 8 * SETUP_BODY_BYTES


def setup_body(key: int, epoch_ms: int) -> bytes:
    """What follows the item header: epoch (6 bytes), key (8 bytes)."""
    return epoch_ms.to_bytes(6, "big") + key.to_bytes(8, "big")


class SetupRegister(wiring.Component):
    """Passes items through, but for those of kind SETUP.

    A setup item of another length leaves the probe not set up.

    **Latency**: 0 cycles.

    Attributes
    ----------
    i, o: items
    done: the probe has been set up
    key, epoch_ms: what the last setup item said
    """

    def __init__(self):
        super().__init__(
            {
                "i": In(stream.Signature(framed(8))),
                "o": Out(stream.Signature(framed(8))),
                "done": Out(1),
                "key": Out(64),
                "epoch_ms": Out(EPOCH_BITS),
            }
        )

    def elaborate(self, platform):
        m = Module()
        body = Signal(_BODY_BITS)
        left = Signal(range(ITEM_HEADER_BYTES + SETUP_BODY_BYTES + 1))
        too_long, swallows = Signal(), Signal()
        # Only what is valid says whose it is: a link asks whether there is room before an item has come.
        starts = self.i.valid & self.i.p.first & (self.i.p.data == ItemKind.SETUP)
        mine = Mux(self.i.p.first, starts, swallows)
        m.d.comb += [
            Cat(self.key, self.epoch_ms).eq(body),
            self.o.payload.eq(self.i.payload),
            self.o.valid.eq(self.i.valid & ~mine),
            self.i.ready.eq(self.o.ready | mine),
        ]

        with m.If(self.i.valid & self.i.ready):
            m.d.sync += swallows.eq(mine & ~self.i.p.last)
            with m.If(starts):
                m.d.sync += [left.eq(ITEM_HEADER_BYTES + SETUP_BODY_BYTES - 1), too_long.eq(0), self.done.eq(0)]
            with m.Elif(mine):
                m.d.sync += [body.eq(Cat(self.i.p.data, body)), left.eq(left - 1)]
                with m.If(left == 0):
                    m.d.sync += [left.eq(0), too_long.eq(1)]
                with m.If(self.i.p.last):
                    m.d.sync += self.done.eq((left == 1) & ~too_long)

        return m
