"""Probe: from the item stream of a link to IPFIX messages."""

from collections.abc import Callable
from dataclasses import dataclass

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect

from hdl.chunk_reader import ChunkReader
from hdl.classifier import Classifier
from hdl.counter_bank import CounterBank
from hdl.exporter import Exporter, ExporterParameters
from hdl.features import FeatureSource
from hdl.flow_table import FlowTable, FlowTableParameters
from hdl.header_parser import HeaderParser
from hdl.item import framed
from hdl.record_buffer import RecordBuffer
from hdl.set_up import SetUp
from hdl.tally import FrameTally, RecordTally, UnexportedTally, counters_of, event_signature

__all__ = ["Probe", "ProbeParameters"]


@dataclass(frozen=True)
class ProbeParameters:
    """Everything a probe is built from.

    Parameters
    ----------
    table: size and rules of the flow table
    forest: a new circuit of the forest; has streams ``i`` of features and ``o`` of ``score`` and ``verdict``
    sources, fraction: how the features of the forest are made, and the fraction bits of means
    both_directions: the forest reads both directions, so a flow without either is one-sided
    min_packets: flows of fewer packets are only counted, or, with ``short_records``, leave unclassified
    export: messages
    record_slots: records that may wait, a power of two
    wait: records without room are waited for; only where the link can push back
    loadable: the forest is a :class:`hdl.forest_walker.ForestWalker` that takes table images, which come as items
    """

    table: FlowTableParameters
    forest: Callable[[], wiring.Component]
    sources: tuple[FeatureSource, ...]
    fraction: int
    both_directions: bool
    min_packets: int
    export: ExporterParameters
    short_records: bool = False
    record_slots: int = 8
    wait: bool = True
    loadable: bool = False


class Probe(wiring.Component):
    """Header parser, flow table, record buffer, classifier and exporter in a row, and the counters beside them.

    Frames wait at ``i`` while the table is busy. With ``wait`` the probe loses nothing; without, records for which the
    buffer has no room are counted as overload.

    Attributes
    ----------
    ready: the probe has been set up and the table is clear; frames until then are counted as not ready
    i: items
    overrun: counts frames that the link had to drop
    o: IPFIX messages
    """

    def __init__(self, *, parameters: ProbeParameters):
        self.parameters = parameters
        super().__init__(
            {
                "ready": Out(1),
                "i": In(stream.Signature(framed(8))),
                "overrun": In(event_signature()),
                "o": Out(stream.Signature(framed(8))),
            }
        )

    def elaborate(self, platform):
        p, layout = self.parameters, self.parameters.table.layout
        m = Module()
        m.submodules.parser = HeaderParser(ports=p.table.ports, chunks=p.loadable)
        m.submodules.frame_tally = FrameTally()
        m.submodules.set_up = SetUp()
        m.submodules.table = FlowTable(parameters=p.table)
        m.submodules.buffer = buffer = RecordBuffer(
            layout=layout, slots=p.record_slots, min_packets=1 if p.short_records else p.min_packets, wait=p.wait
        )
        forest = p.forest()
        m.submodules.classifier = Classifier(
            forest=forest,
            sources=p.sources,
            fraction=p.fraction,
            layout=layout,
            both_directions=p.both_directions,
            min_packets=p.min_packets if p.short_records else 1,
        )
        m.submodules.record_tally = RecordTally(loadable=p.loadable, short_records=p.short_records)
        m.submodules.exporter = Exporter(parameters=p.export, layout=layout)
        m.submodules.counters = CounterBank(
            counters=len(counters_of(loadable=p.loadable)), sources=5 if p.loadable else 4
        )
        m.submodules.unexported_tally = UnexportedTally(payload=buffer.unexported.payload.shape())

        self._connect_streams(m)
        self._connect_events(m)
        self._connect_signals(m)
        self._share_record(m)
        if p.loadable:
            self._load(m, forest)

        return m

    def _connect_streams(self, m):
        parts = m.submodules
        connect(m, wiring.flipped(self.i), parts.parser.i)
        connect(m, parts.parser.o, parts.frame_tally.i)
        connect(m, parts.set_up.o, parts.table.i)
        connect(m, parts.set_up.packet, parts.table.packet)
        connect(m, parts.table.o, parts.buffer.i)
        connect(m, parts.buffer.unexported, parts.unexported_tally.i)
        connect(m, parts.classifier.o, parts.record_tally.i)
        connect(m, parts.record_tally.o, parts.exporter.i)
        connect(m, parts.exporter.o, wiring.flipped(self.o))
        if not self.parameters.loadable:
            connect(m, parts.frame_tally.o, parts.set_up.i)
            connect(m, parts.parser.packet, parts.set_up.words)

    def _connect_events(self, m):
        parts, counters = m.submodules, m.submodules.counters
        events = (parts.frame_tally.event, parts.record_tally.event, parts.unexported_tally.event)
        for number, event in enumerate(events):
            connect(m, event, getattr(counters, f"i_{number}"))
        connect(m, wiring.flipped(self.overrun), counters.i_3)

    def _connect_signals(self, m):
        """Whatever is no stream: what the set-up said, how full things are, and what makes the exporter send."""
        parts = m.submodules
        frame_tally, set_up, table, buffer = parts.frame_tally, parts.set_up, parts.table, parts.buffer
        exporter, counters = parts.exporter, parts.counters
        m.d.comb += [
            self.ready.eq(table.ready & set_up.done),
            set_up.quiet.eq(~buffer.available),
            table.restart.eq(set_up.restart),
            frame_tally.ready.eq(self.ready),
            table.key.eq(set_up.key),
            exporter.enabled.eq(set_up.done),
            exporter.epoch_ms.eq(set_up.epoch_ms),
            exporter.seconds.eq(set_up.seconds),
            exporter.fill.eq(table.fill),
            exporter.quiet.eq(~buffer.available),
            exporter.announce.eq(frame_tally.flush),
            exporter.tick.eq(frame_tally.tick),
            counters.snapshot.eq(exporter.snapshot),
            exporter.snapshot_done.eq(counters.snapshot_done),
            counters.address.eq(exporter.counter_address),
            exporter.counter_data.eq(counters.data),
        ]

    def _share_record(self, m):
        """The first record belongs to the classifier until it has judged, then to the exporter."""
        buffer, classifier, exporter = m.submodules.buffer, m.submodules.classifier, m.submodules.exporter
        m.d.comb += [
            classifier.available.eq(buffer.available),
            classifier.record.data.eq(buffer.record.data),
            exporter.record.data.eq(buffer.record.data),
            buffer.record.address.eq(classifier.record.address),
            buffer.pop.eq(classifier.o.valid & classifier.o.ready),
        ]
        with m.If(classifier.o.valid):
            m.d.comb += buffer.record.address.eq(exporter.record.address)

    def _load(self, m, forest):
        """Puts the reader of chunks before the set-up, and the forest behind it, whatever part that belongs to."""
        parts = m.submodules
        m.submodules.chunks = chunks = ChunkReader()
        connect(m, parts.parser.packet, chunks.words)
        connect(m, parts.frame_tally.o, chunks.i)
        connect(m, chunks.packet, parts.set_up.words)
        connect(m, chunks.o, parts.set_up.i)
        connect(m, chunks.table, forest.table)
        connect(m, chunks.event, parts.counters.i_4)
        exporter = parts.exporter
        m.d.comb += [
            chunks.quiet.eq(~parts.buffer.available & ~exporter.busy),
            chunks.loaded.eq(forest.loaded),
            chunks.refused.eq(forest.refused),
            exporter.forest_id.eq(forest.forest_id),
            exporter.monitor_only.eq(forest.monitor_only),
        ]
        with m.If(chunks.ended):
            m.d.comb += exporter.announce.eq(1)
