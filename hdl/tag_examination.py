"""TagExamination: what the tag of an entry says about a flow and about the time."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hdl.at_most import at_most
from hdl.entry_tag import EntryTag
from hdl.flow_table_parameters import CLOSED_BITS, FlowTableParameters
from hdl.verdict import EndReason

__all__ = ["Examined", "TagExamination"]

_COMPARED_BITS = 16
"""Of two identities in one clock."""


class Examined(data.Struct):
    """A tag, and what was found: ``hit``: it is of the identity that is looked for; ``reason``: its own one.

    A bit for packets forward and one for those in response: ``none`` has come yet; ``nearly_full``: one more fills the
    counter. ``nearly_early``: after one more, either way, the flow has so many that an early record is made.
    """

    tag: EntryTag
    hit: 1
    expired: 1
    reason: EndReason
    none: 2
    nearly_full: 2
    nearly_early: 1


class TagExamination(wiring.Component):
    """Compares tags with an identity and with the time, without carry chains behind one another.

    **Throughput**: a tag every clock. **Latency**: 3 cycles; ``now`` and ``identity`` hold meanwhile but need be
    there only 1 cycle after the tag.

    Parameters
    ----------
    parameters: timeouts, and when a record is early

    Attributes
    ----------
    tag: as it comes out of the memory
    identity, now: what it is compared with
    o: what was found
    ahead: the tag that ``o`` is about in the next cycle
    """

    def __init__(self, *, parameters: FlowTableParameters):
        self._parameters = parameters
        super().__init__(
            {"tag": In(EntryTag), "identity": In(64), "now": In(32), "o": Out(Examined), "ahead": Out(EntryTag)}
        )

    def elaborate(self, platform):
        m = Module()
        p = self._parameters
        # Nothing here has a reset: what was found means something only where a tag was asked for.
        read, compared, out = (Signal(shape, reset_less=True) for shape in (EntryTag, EntryTag, Examined))
        m.d.sync += [read.eq(self.tag), compared.eq(read), out.tag.eq(compared)]
        m.d.comb += [self.o.eq(out), self.ahead.eq(compared)]

        parts = range(0, len(self.identity), _COMPARED_BITS)
        equal = Signal(len(parts), reset_less=True)
        idle_ms, active_ms, closed_ms = (Signal(bits, reset_less=True) for bits in (32, 32, CLOSED_BITS))
        m.d.sync += [
            equal.eq(Cat(read.identity[at:][:_COMPARED_BITS] == self.identity[at:][:_COMPARED_BITS] for at in parts)),
            idle_ms.eq(self.now - read.last),
            active_ms.eq(self.now - read.first),
            closed_ms.eq(self.now - read.closed),
        ]

        state, counters = compared.state, (compared.forward, compared.response)
        idle = ~at_most(idle_ms, p.idle_ms - 1)
        active = ~at_most(active_ms, p.active_ms - 1)
        lingered = state.closing & ~at_most(closed_ms, p.linger_ms - 1)
        m.d.sync += [
            out.hit.eq(equal.all() & state.valid),
            out.expired.eq((idle | active | lingered) & state.valid),
            out.none.eq(Cat(counter == 0 for counter in counters)),
            out.nearly_full.eq(Cat(counter == (1 << len(counter)) - 2 for counter in counters)),
            out.reason.eq(Mux(state.closing, EndReason.END, Mux(idle, EndReason.IDLE, EndReason.ACTIVE))),
        ]

        if p.early:
            packets = Signal(len(compared.forward) + 1, reset_less=True)
            m.d.sync += [packets.eq(read.forward + read.response), out.nearly_early.eq(packets == p.early - 1)]

        return m
