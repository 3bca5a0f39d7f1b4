"""What the probe counts, and the components that see to it that nothing passes uncounted."""

import enum

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.classifier import Classification
from hdl.counter_bank import AMOUNT_BITS, event_shape
from hdl.item import FrameOutcome, ItemKind
from hdl.packet import Descriptor, ParsedItem
from hdl.record_buffer import Unexported
from hdl.verdict import Verdict, VerdictReason

__all__ = ["Counter", "FrameTally", "RecordTally", "UnexportedTally", "counters_of", "event_signature"]
__all__ += ["event_sources"]


class Counter(enum.IntEnum):
    """Counters of the probe. The first are frames by FrameOutcome."""

    FRAMES_USED = FrameOutcome.USED
    FRAMES_NOT_IP = FrameOutcome.NOT_IP
    FRAMES_ENCAPSULATED = FrameOutcome.ENCAPSULATED
    FRAMES_NOT_TCP = FrameOutcome.NOT_TCP
    FRAMES_TUNNEL = FrameOutcome.TUNNEL
    FRAMES_FRAGMENT = FrameOutcome.FRAGMENT
    FRAMES_MALFORMED = FrameOutcome.MALFORMED
    FRAMES_BAD_CHECKSUM = FrameOutcome.BAD_CHECKSUM
    FRAMES_TRUNCATED = FrameOutcome.TRUNCATED
    FRAMES_UNTRACKED = FrameOutcome.UNTRACKED
    FRAMES_NOT_READY = FrameOutcome.NOT_READY
    FRAMES_OVERRUN = FrameOutcome.OVERRUN
    FRAMES_BAD_FCS = FrameOutcome.BAD_FCS
    BAD_ITEMS = 13
    RECORDS_SPAM = 14
    RECORDS_BACKGROUND = 15
    RECORDS_BAND = 16
    RECORDS_ONE_SIDED = 17
    RECORDS_MIDFLOW = 18
    FRAMES_EXPORTED = 19
    RECORDS_SHORT = 20
    RECORDS_OVERLOAD = 21
    FRAMES_SHORT = 22
    FRAMES_OVERLOAD = 23
    RECORDS_UNCLASSIFIED = 24
    TABLES_REFUSED = 25
    RECORDS_EARLY = 26


def counters_of(*, loadable: bool, early: bool = False) -> tuple[Counter, ...]:
    """Those of a probe; some only if another forest can be loaded into it, or flows are judged early."""
    of_loads = (Counter.RECORDS_UNCLASSIFIED, Counter.TABLES_REFUSED) if loadable else ()
    of_early = (Counter.RECORDS_EARLY,) if early else ()
    return (*tuple(Counter)[: Counter.RECORDS_UNCLASSIFIED], *of_loads, *of_early)


_OF_REASON = {
    VerdictReason.BAND: Counter.RECORDS_BAND,
    VerdictReason.ONE_SIDED: Counter.RECORDS_ONE_SIDED,
    VerdictReason.MIDFLOW: Counter.RECORDS_MIDFLOW,
}


def event_signature() -> stream.Signature:
    """Events of the probe's counter bank."""
    return stream.Signature(event_shape(len(Counter)))


def event_sources(
    *, loadable: bool = False, short_records: bool = False, early: bool = False
) -> tuple[dict[int, int], ...]:
    """The counters that frames, records, unexported records, the link and, if ``loadable``, table images add to.

    Each with the bits of its amounts.
    """
    exported = [Counter.RECORDS_SPAM, Counter.RECORDS_BACKGROUND, *_OF_REASON.values()]
    exported += [Counter.RECORDS_EARLY] if early else []
    exported += [Counter.RECORDS_UNCLASSIFIED] if loadable else []
    unexported = [Counter.RECORDS_OVERLOAD]
    (exported if short_records else unexported).append(Counter.RECORDS_SHORT)
    links = (Counter.FRAMES_OVERRUN, Counter.FRAMES_BAD_FCS)
    frames = [counter for counter in Counter if counter <= Counter.BAD_ITEMS and counter not in links]
    return (
        dict.fromkeys(frames, 1),
        dict.fromkeys(exported, 1) | {Counter.FRAMES_EXPORTED: AMOUNT_BITS},
        dict.fromkeys(unexported, 1) | dict.fromkeys((Counter.FRAMES_SHORT, Counter.FRAMES_OVERLOAD), AMOUNT_BITS),
        dict.fromkeys(links, AMOUNT_BITS),
        *([{Counter.TABLES_REFUSED: 1}] if loadable else []),
    )


class FrameTally(wiring.Component):
    """Counts every item's end and passes on what the flow table is to see.

    While the probe is not ready, frames are counted as NOT_READY, ticks, flushes and chunks are forgotten, and only a
    set-up item is passed on.

    An item is counted while the table works on it. **Latency**: 1 cycle before it is passed on; it ends when both the
    event and the descriptor have been taken.

    Parameters
    ----------
    payload: a descriptor, or what has one

    Attributes
    ----------
    ready: the table is clear and the link has set the probe up
    i, o: descriptors, or what has them
    event: what to count
    tick, flush: high for one clock when the table has handled one
    """

    def __init__(self, *, payload: type[Descriptor] | type[ParsedItem] = Descriptor):
        self._whole = payload is ParsedItem
        super().__init__(
            {
                "ready": In(1),
                "i": In(stream.Signature(payload)),
                "o": Out(stream.Signature(payload)),
                "event": Out(event_signature()),
                "tick": Out(1),
                "flush": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        item = self.i.p.descriptor if self._whole else self.i.p
        frame = ~item.bad & (item.kind == ItemKind.FRAME)
        m.d.comb += self.o.payload.eq(self.i.payload)
        ready, counted, passed = Signal(), Signal(), Signal()
        outcome = Mux(ready, item.outcome, FrameOutcome.NOT_READY)
        m.d.comb += [
            self.event.p.amount.eq(1),
            self.event.p.index.eq(Mux(item.bad, Counter.BAD_ITEMS, outcome)),
        ]

        with m.FSM():
            with m.State("LOOK"):
                # Whether the probe is ready may change while the item waits to be counted.
                forgotten = item.bad | (~self.ready & (item.kind != ItemKind.SETUP))
                m.d.sync += [ready.eq(self.ready), counted.eq(~(item.bad | frame)), passed.eq(forgotten)]
                with m.If(self.i.valid):
                    m.next = "COUNT_AND_PASS"
            with m.State("COUNT_AND_PASS"):
                m.d.comb += [self.event.valid.eq(~counted), self.o.valid.eq(~passed)]
                m.d.sync += [counted.eq(counted | self.event.ready), passed.eq(passed | self.o.ready)]
                with m.If(self.o.valid & self.o.ready):
                    m.d.comb += [
                        self.tick.eq(item.kind == ItemKind.TICK),
                        self.flush.eq(item.kind == ItemKind.FLUSH),
                    ]
                with m.If((counted | self.event.ready) & (passed | self.o.ready)):
                    m.d.comb += self.i.ready.eq(1)
                    m.next = "LOOK"

        return m


class RecordTally(wiring.Component):
    """Counts a classified record by its verdict and its frames, then passes it on.

    Parameters
    ----------
    loadable: there are records that no forest has classified
    short_records: there are those of too few packets
    early: there are those of flows that stay, whose frames do not count yet, and of flows that have been judged so

    Attributes
    ----------
    i, o: classifications
    event: what to count
    """

    def __init__(self, *, loadable: bool = False, short_records: bool = False, early: bool = False):
        self._of_reason = dict(_OF_REASON)
        if loadable:
            self._of_reason[VerdictReason.OVERLOAD] = Counter.RECORDS_UNCLASSIFIED
        if short_records:
            self._of_reason[VerdictReason.SHORT] = Counter.RECORDS_SHORT
        if early:
            self._of_reason[VerdictReason.EARLY] = Counter.RECORDS_EARLY
        super().__init__(
            {
                "i": In(stream.Signature(Classification)),
                "o": Out(stream.Signature(Classification)),
                "event": Out(event_signature()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o.payload.eq(self.i.payload)
        index = Signal(Counter)
        spam = self.i.p.verdict == Verdict.SPAM
        m.d.comb += index.eq(Mux(spam, Counter.RECORDS_SPAM, Counter.RECORDS_BACKGROUND))
        with m.Switch(self.i.p.reason):
            for reason, counter in self._of_reason.items():
                with m.Case(reason):
                    m.d.comb += index.eq(counter)

        with m.FSM():
            with m.State("RECORD"):
                m.d.comb += [self.event.p.index.eq(index), self.event.p.amount.eq(1)]
                m.d.comb += self.event.valid.eq(self.i.valid)
                with m.If(self.i.valid & self.event.ready):
                    m.next = "FRAMES"
            with m.State("FRAMES"):
                m.d.comb += self.event.p.index.eq(Counter.FRAMES_EXPORTED)
                m.d.comb += [self.event.p.amount.eq(Mux(self.i.p.early, 0, self.i.p.packets)), self.event.valid.eq(1)]
                with m.If(self.event.ready):
                    m.next = "PASS"
            with m.State("PASS"):
                m.d.comb += [self.o.valid.eq(1), self.i.ready.eq(self.o.ready)]
                with m.If(self.o.ready):
                    m.next = "RECORD"

        return m


class UnexportedTally(wiring.Component):
    """Counts a record that is only counted, and its frames.

    Attributes
    ----------
    i: see :class:`hdl.record_buffer.RecordBuffer`
    event: what to count
    """

    def __init__(self, *, payload):
        super().__init__({"i": In(stream.Signature(payload)), "event": Out(event_signature())})

    def elaborate(self, platform):
        m = Module()
        overload = self.i.p.why == Unexported.OVERLOAD
        with m.FSM():
            with m.State("RECORD"):
                index = Mux(overload, Counter.RECORDS_OVERLOAD, Counter.RECORDS_SHORT)
                m.d.comb += [self.event.p.index.eq(index), self.event.p.amount.eq(1)]
                m.d.comb += self.event.valid.eq(self.i.valid)
                with m.If(self.i.valid & self.event.ready):
                    m.next = "FRAMES"
            with m.State("FRAMES"):
                index = Mux(overload, Counter.FRAMES_OVERLOAD, Counter.FRAMES_SHORT)
                m.d.comb += [self.event.p.index.eq(index), self.event.p.amount.eq(self.i.p.packets)]
                m.d.comb += [self.event.valid.eq(1), self.i.ready.eq(self.event.ready)]
                with m.If(self.event.ready):
                    m.next = "RECORD"

        return m
