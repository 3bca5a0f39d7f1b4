"""CounterBank: 64-bit counters in one block RAM, with a snapshot that belongs to one moment."""

from amaranth.hdl import C, Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import MemoryData
from amaranth.lib.wiring import In, Out

from hdl.block_ram import BlockRam

__all__ = ["AMOUNT_BITS", "CounterBank", "event_shape"]

LIMB_BITS = 16
LIMBS = 4
AMOUNT_BITS = 17
"""Of an event: the packets of a flow, both ways."""


def event_shape(counters: int, amount_bits: int = AMOUNT_BITS) -> data.StructLayout:
    """Payload of a stream of events: add ``amount`` to counter ``index``."""
    return data.StructLayout({"index": range(counters), "amount": amount_bits})


class CounterBank(wiring.Component):
    """Adds amounts to counters, one 16-bit limb after another.

    **Throughput**: one event in 9 cycles; a snapshot takes 4 cycles a counter and 2, during which events wait.

    Parameters
    ----------
    counters: how many
    sources: how many streams of events there are; the lowest goes first
    amount_bits: of every event
    in_logic: the memories are small ones in logic, whose output comes early in the clock; where there are such.
        A snapshot then takes 8 cycles a counter, and what is read follows its address by two clocks

    Attributes
    ----------
    i_0, i_1, …: events: add ``amount`` to counter ``index``
    snapshot: request; holds until ``snapshot_done`` is high for a clock
    address, data: read port on the snapshot: limb ``address[:2]``, least significant first, of counter
        ``address[2:]``, one clock later
    """

    def __init__(self, *, counters: int, sources: int, amount_bits: int = AMOUNT_BITS, in_logic: bool = False):
        if not 0 < counters <= 64:
            raise ValueError(f"Number of counters must be 1 to 64, not {counters!r}")
        self._counters, self._sources = counters, sources
        self._amount_bits, self._in_logic = amount_bits, in_logic
        event = event_shape(counters, amount_bits)
        super().__init__(
            {f"i_{n}": In(stream.Signature(event)) for n in range(sources)}
            | {
                "snapshot": In(1),
                "snapshot_done": Out(1),
                "address": In(range(LIMBS * counters)),
                "data": Out(LIMB_BITS),
            }
        )

    def elaborate(self, platform):
        m = Module()
        live_bits = len(self.address)
        # What is read of a limb while it is written is not looked at.
        live, copy = (
            BlockRam(MemoryData(shape=LIMB_BITS, depth=1 << live_bits, init=[]), in_logic=self._in_logic)
            for _ in range(2)
        )
        m.submodules.live, m.submodules.copy = live, copy
        m.d["sync" if self._in_logic else "comb"] += copy.read_address.eq(self.address)
        m.d.comb += self.data.eq(copy.read_data)

        limb = Signal(range(LIMBS))
        index = Signal(range(self._counters))
        amount = Signal(self._amount_bits)
        total = Signal(self._amount_bits + 1)
        m.d.comb += [
            live.read_address.eq(Cat(limb, index)),
            live.write_address.eq(Cat(limb, index)),
            total.eq(live.read_data + amount),
            live.write_data.eq(total),
            copy.write_address.eq(Cat(limb, index)),
            copy.write_data.eq(live.read_data),
        ]

        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [limb.eq(0), index.eq(0)]
                with m.If(self.snapshot):
                    m.next = "COPY_READ"
                with m.Else():
                    self._take_event(m, index, amount)
            self._add(m, live, limb, amount, total)
            self._copy(m, live, copy, limb, index)

        return m

    def _take_event(self, m, index, amount):
        for n in reversed(range(self._sources)):
            source = getattr(self, f"i_{n}")
            with m.If(source.valid):
                m.d.sync += [index.eq(source.p.index), amount.eq(source.p.amount)]
                m.next = "READ"
        taken = C(0, 1)
        for n in range(self._sources):
            source = getattr(self, f"i_{n}")
            m.d.comb += source.ready.eq(~taken)
            taken |= source.valid

    def _add(self, m, live, limb, amount, total):
        with m.State("READ"):
            m.next = "WRITE"
        with m.State("WRITE"):
            # What a limb overflows by is added to the next one.
            m.d.comb += live.write_enable.eq(1)
            m.d.sync += [limb.eq(limb + 1), amount.eq(total >> LIMB_BITS)]
            m.next = "READ"
            with m.If(limb == LIMBS - 1):
                m.next = "IDLE"

    def _copy(self, m, live, copy, limb, index):
        """A limb is written while the next one is read, unless its address would come too late for that."""
        following = Cat(limb, index) + 1
        with m.State("COPY_READ"):
            m.next = "COPY_WRITE"
        with m.State("COPY_WRITE"):
            m.d.comb += copy.write_enable.eq(1)
            m.d.sync += Cat(limb, index).eq(following)
            if self._in_logic:
                m.next = "COPY_READ"
            else:
                m.d.comb += live.read_address.eq(following)
            with m.If((limb == LIMBS - 1) & (index == self._counters - 1)):
                m.d.comb += self.snapshot_done.eq(1)
                m.next = "IDLE"
