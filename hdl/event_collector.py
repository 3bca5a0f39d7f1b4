"""EventCollector: events that come faster than a counter bank can take them, added up before they reach it."""

from collections.abc import Mapping, Sequence

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.counter_bank import AMOUNT_BITS, event_shape

__all__ = ["EventCollector"]

_GROUP = 8

_ROUND_BITS = 12
"""A counter is handed over at least every 2 ** 12 clocks, a snapshot in between."""


class EventCollector(wiring.Component):
    """Adds amounts in registers, of which there are two sides: one is added to, the other is handed to the bank.

    Before a snapshot the sides change places and all that came until then is handed over; what comes later waits for
    the snapshot to end. So a snapshot still is of one moment.

    **Throughput**: an event a clock from every source.

    Parameters
    ----------
    sources: of each stream of events the counters that it adds to, and the bits of their amounts; no counter has two
    counters: of the bank

    Attributes
    ----------
    i_0, i_1, …: events; always taken
    snapshot: request; holds until ``bank_snapshot_done``
    bank_snapshot, bank_snapshot_done: the request and its end, as the bank has them
    o: amounts that came together
    """

    def __init__(self, *, sources: Sequence[Mapping[int, int]], counters: int):
        indices = [index for source in sources for index in source]
        if len(set(indices)) != len(indices):
            raise ValueError("A counter must have one source of events")
        self._sources, self._indices = sources, indices
        self._bits = _ROUND_BITS + max(bits for source in sources for bits in source.values())
        super().__init__(
            {
                f"i_{n}": In(stream.Signature(event_shape(counters, AMOUNT_BITS), always_ready=True))
                for n in range(len(sources))
            }
            | {
                "snapshot": In(1),
                "bank_snapshot": Out(1),
                "bank_snapshot_done": In(1),
                "o": Out(stream.Signature(event_shape(counters, self._bits))),
            }
        )

    @property
    def amount_bits(self) -> int:
        """Of what is handed to the bank."""
        return self._bits

    def elaborate(self, platform):
        m = Module()
        side, asked = Signal(), Signal()  # that is added to; whether a snapshot follows
        late = Signal()  # the request, when the events before it have come out of their registers
        m.d.sync += late.eq(self.snapshot)
        place, clears, chosen = Signal(range(len(self._indices))), Signal(len(self._indices)), Signal(self._bits)
        sums = self._sums(m, side, clears)
        # Of every group of sums one, then a group.
        groups = [Array(Mux(side, *pair) for pair in sums[at : at + _GROUP]) for at in range(0, len(sums), _GROUP)]
        firsts = [Signal(self._bits, name=f"first_{number}") for number in range(len(groups))]
        m.d.sync += [first.eq(group[place % _GROUP]) for first, group in zip(firsts, groups, strict=True)]
        comes = Signal()
        m.d.sync += [chosen.eq(Array(firsts)[place // _GROUP]), comes.eq(chosen != 0), clears.eq(0)]
        m.d.comb += [self.o.p.index.eq(Array(self._indices)[place]), self.o.p.amount.eq(chosen)]

        with m.FSM():
            with m.State("SWAP"):
                m.d.sync += [side.eq(~side), asked.eq(self.snapshot & late)]
                m.next = "LOOK"
            with m.State("LOOK"):
                m.next = "CHOOSE"
            with m.State("CHOOSE"):
                m.next = "TEST"
            with m.State("TEST"):
                m.next = "HAND_OVER"
            with m.State("HAND_OVER"):
                m.d.comb += self.o.valid.eq(comes)
                with m.If(~self.o.valid | self.o.ready):
                    # Nothing is added to this side until it has been cleared.
                    m.d.sync += [clears.bit_select(place, 1).eq(1), place.eq(place + 1)]
                    m.next = "LOOK"
                    with m.If(place == len(self._indices) - 1):
                        m.d.sync += place.eq(0)
                        m.next = "SWAP"
                        with m.If(asked):
                            m.next = "SNAPSHOT"
            with m.State("SNAPSHOT"):
                m.d.comb += self.bank_snapshot.eq(1)
                with m.If(self.bank_snapshot_done):
                    m.next = "SWAP"

        return m

    def _sums(self, m, side, clears):
        """For every counter what its two sides hold."""
        sums = []
        for number, source in enumerate(self._sources):
            given = getattr(self, f"i_{number}")
            # What gives an event has decided over it in the same clock.
            event = Signal.like(given.payload, name=f"event_{number}", reset_less=True)
            there = Signal(name=f"there_{number}")
            m.d.sync += [event.eq(given.payload), there.eq(given.valid)]
            for index, bits in source.items():
                at, comes = len(sums), Signal(name=f"comes_{index}")
                pair = [Signal(bits + _ROUND_BITS, name=f"sum_{index}_{one}") for one in range(2)]
                m.d.comb += comes.eq(there & (event.index == index))
                for one, total in enumerate(pair):
                    with m.If((side == one) & comes):
                        m.d.sync += total.eq(total + event.amount[:bits])
                    with m.If((side != one) & clears[at]):
                        m.d.sync += total.eq(0)
                sums.append(pair)
        return sums
