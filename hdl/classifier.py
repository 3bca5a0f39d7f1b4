"""Classifier: the first record of the buffer, judged by a forest."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect

from hdl.accumulator import COUNT_BITS, PACKETS
from hdl.at_most import at_least
from hdl.entry_layout import EARLY_BIT, EntryLayout, EntryWord, StateBit
from hdl.feature_stream import FeatureCollector
from hdl.features import FeatureExtractor, FeatureSource
from hdl.record_buffer import record_port_signature
from hdl.stream_register import StreamRegister
from hdl.verdict import Verdict, VerdictReason
from hdl.wait_states import WaitStates

__all__ = ["Classification", "Classifier"]


class Classification(data.Struct):
    """What is said about a record. The score stands even where the verdict is UNCERTAIN."""

    score: signed(32)
    verdict: signed(2)
    reason: VerdictReason
    packets: COUNT_BITS + 1
    syn: 1
    early: 1


class Classifier(wiring.Component):
    """Extracts the features, asks the forest, and finds the reason of an uncertain verdict.

    **Throughput**: one record in 11 cycles, the extraction of its features and the latency of the forest.

    Parameters
    ----------
    forest: a component with streams ``i`` of features and ``o`` of ``score`` and ``verdict``
    sources, fraction, layout: see :class:`FeatureExtractor`
    both_directions: a flow without packets in the response direction is one-sided too
    min_packets: flows of fewer packets, both ways, are not classified: *short*, with score 0
    early: 0, or the number of packets after which flows are classified, so that they are not at their end
    registered: what is read of the record follows by two clocks

    Attributes
    ----------
    available: there is a record; holds until ``o`` has been taken
    record: read port on it
    o: what is said about it
    """

    def __init__(
        self,
        *,
        forest: wiring.Component,
        sources: tuple[FeatureSource, ...],
        fraction: int,
        layout: EntryLayout,
        both_directions: bool,
        min_packets: int = 1,
        early: int = 0,
        registered: bool = False,
    ):
        self._forest, self._layout, self._both_directions = forest, layout, both_directions
        self._min_packets, self._early = min_packets, early
        self._registered = registered
        if layout.slots[PACKETS].shift != 0:
            raise ValueError("The packet counter must lie in the low half of its word")
        self._extractor = FeatureExtractor(sources=sources, fraction=fraction, layout=layout, registered=registered)
        super().__init__(
            {
                "available": In(1),
                "record": Out(record_port_signature(layout)),
                "o": Out(stream.Signature(Classification)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.forest = forest = self._forest
        m.submodules.extractor = extractor = self._extractor
        features = extractor.o
        if self._registered:
            m.submodules.register = register = StreamRegister(shape=extractor.o.payload.shape())
            connect(m, extractor.o, register.i)
            features = register.o
        if set(forest.i.p.shape().members) == {"value", "last"}:
            connect(m, features, forest.i)
        else:
            m.submodules.collector = collector = FeatureCollector(
                value_bits=len(extractor.o.p.value), features_layout=forest.i.p.shape()
            )
            connect(m, features, collector.i)
            connect(m, collector.o, forest.i)
        m.d.comb += extractor.record.data.eq(self.record.data)

        missing = Signal()
        self._waits = WaitStates(m, registered=self._registered)
        with m.FSM():
            self._read(m, missing)
            self._judge(m, missing)
            with m.State("PRESENT"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "TAKEN"
            with m.State("TAKEN"):
                # One clock for the buffer to remove the record.
                m.next = "IDLE"
            self._waits.add()

        return m

    def _read(self, m, missing):
        """Reads what the verdict may depend on besides the features, then lets them be extracted."""
        out = self.o.p
        packets = self.record.data[:COUNT_BITS]
        with m.State("IDLE"):
            m.d.comb += self.record.address.eq(0)
            with m.If(self.available):
                m.next = self._waits.before("STATE")
        with m.State("STATE"):
            m.d.sync += [out.syn.eq(self.record.data[StateBit.SYN]), out.early.eq(self.record.data[EARLY_BIT])]
            m.d.comb += self.record.address.eq(EntryWord.FORWARD - EntryWord.STATE)
            m.next = self._waits.before("FORWARD")
        with m.State("FORWARD"):
            m.d.sync += [out.packets.eq(packets), missing.eq(packets == 0)]
            m.d.comb += self.record.address.eq(self._layout.response - EntryWord.STATE)
            m.next = self._waits.before("RESPONSE")
        with m.State("RESPONSE"):
            m.d.sync += out.packets.eq(out.packets + packets)
            if self._both_directions:
                m.d.sync += missing.eq(missing | (packets == 0))
            m.next = "EXTRACT"
        with m.State("EXTRACT"):
            m.d.sync += [out.score.eq(0), out.verdict.eq(Verdict.UNCERTAIN), out.reason.eq(VerdictReason.SHORT)]
            m.next = "PRESENT"
            with m.If(at_least(out.packets, self._min_packets)):
                m.d.comb += self._extractor.start.eq(1)
                m.next = "FOREST"
            if self._early:
                with m.If(~out.early & at_least(out.packets, self._early)):
                    m.d.comb += self._extractor.start.eq(0)
                    m.d.sync += out.reason.eq(VerdictReason.EARLY)
                    m.next = "PRESENT"

    def _judge(self, m, missing):
        """Takes the forest's answer; the verdict on a flow that was not seen whole stays uncertain."""
        out, answer = self.o.p, self._forest.o
        decided = answer.p.verdict != Verdict.UNCERTAIN
        with m.State("FOREST"):
            m.d.comb += [self.record.address.eq(self._extractor.record.address), answer.ready.eq(1)]
            m.d.sync += [out.score.eq(answer.p.score), out.verdict.eq(Verdict.UNCERTAIN)]
            with m.If(~out.syn):
                m.d.sync += out.reason.eq(VerdictReason.MIDFLOW)
            with m.Elif(missing):
                m.d.sync += out.reason.eq(VerdictReason.ONE_SIDED)
            with m.Else():
                m.d.sync += out.verdict.eq(answer.p.verdict)
                m.d.sync += out.reason.eq(Mux(decided, VerdictReason.DECIDED, VerdictReason.BAND))
            if "classified" in answer.p.shape().members:
                with m.If(~answer.p.classified):
                    m.d.sync += [out.verdict.eq(Verdict.UNCERTAIN), out.reason.eq(VerdictReason.OVERLOAD)]
            with m.If(answer.valid):
                m.next = "PRESENT"
