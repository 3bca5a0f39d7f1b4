"""Probe: from the item stream of a link to IPFIX messages."""

from collections.abc import Callable
from dataclasses import dataclass

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect

from hdl.classifier import Classifier
from hdl.counter_bank import CounterBank
from hdl.event_collector import EventCollector
from hdl.exporter import Exporter, ExporterParameters
from hdl.features import FeatureSource
from hdl.flow_table_parameters import FlowTableParameters
from hdl.item import framed
from hdl.pipelined_front import PipelinedFront
from hdl.probe_front import Pipeline, item_shape
from hdl.record_buffer import RecordBuffer
from hdl.serial_front import SerialFront
from hdl.tally import RecordTally, UnexportedTally, counters_of, event_signature, event_sources

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
    checksum: frames whose IPv4 header has a wrong checksum are not used
    pipeline: many packets are under way at the same time; None: one after the other
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
    checksum: bool = False
    pipeline: Pipeline | None = None


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
                "i": In(stream.Signature(item_shape(parameters.pipeline))),
                "overrun": In(event_signature()),
                "o": Out(stream.Signature(framed(8))),
            }
        )

    def elaborate(self, platform):
        p, layout = self.parameters, self.parameters.table.layout
        m = Module()
        registered = p.pipeline is not None  # where clocks are short, memories have a register behind them
        m.submodules.front = self._front()
        m.submodules.buffer = buffer = RecordBuffer(
            layout=layout,
            slots=p.record_slots,
            min_packets=1 if p.short_records else p.min_packets,
            wait=p.wait,
            registered=registered,
        )
        forest = p.forest()
        m.submodules.classifier = Classifier(
            forest=forest,
            sources=p.sources,
            fraction=p.fraction,
            layout=layout,
            both_directions=p.both_directions,
            min_packets=p.min_packets if p.short_records else 1,
            early=p.table.early,
            registered=registered,
        )
        m.submodules.record_tally = RecordTally(
            loadable=p.loadable, short_records=p.short_records, early=p.table.early > 0
        )
        m.submodules.exporter = Exporter(parameters=p.export, layout=layout, registered=registered)
        m.submodules.unexported_tally = UnexportedTally(payload=buffer.unexported.payload.shape())

        self._connect_streams(m)
        self._count(m)
        self._connect_signals(m)
        self._share_record(m)
        if p.loadable:
            self._load(m, forest)

        return m

    def _front(self):
        p = self.parameters
        if p.pipeline is None:
            return SerialFront(table=p.table, checksum=p.checksum, loadable=p.loadable)
        return PipelinedFront(pipeline=p.pipeline, table=p.table, checksum=p.checksum, loadable=p.loadable)

    def _connect_streams(self, m):
        parts = m.submodules
        connect(m, wiring.flipped(self.i), parts.front.i)
        connect(m, parts.front.o, parts.buffer.i)
        connect(m, parts.buffer.unexported, parts.unexported_tally.i)
        connect(m, parts.classifier.o, parts.record_tally.i)
        connect(m, parts.record_tally.o, parts.exporter.i)
        connect(m, parts.exporter.o, wiring.flipped(self.o))

    def _count(self, m):
        """Connects all events to the counters, where they come fast through a collector."""
        p, parts, exporter = self.parameters, m.submodules, m.submodules.exporter
        count = 1 + max(counters_of(loadable=p.loadable, early=p.table.early > 0))
        events = [parts.front.event, parts.record_tally.event, parts.unexported_tally.event]
        events.append(wiring.flipped(self.overrun))
        if p.loadable:
            events.append(parts.front.image_event)
        if p.pipeline is None:
            m.submodules.counters = counters = CounterBank(counters=count, sources=len(events))
            taken_by = counters
            m.d.comb += counters.snapshot.eq(exporter.snapshot)
        else:
            m.submodules.collector = taken_by = EventCollector(
                sources=event_sources(loadable=p.loadable, short_records=p.short_records, early=p.table.early > 0),
                counters=count,
            )
            bits = taken_by.amount_bits
            m.submodules.counters = counters = CounterBank(counters=count, sources=1, amount_bits=bits, in_logic=True)
            connect(m, taken_by.o, counters.i_0)
            m.d.comb += [
                taken_by.snapshot.eq(exporter.snapshot),
                counters.snapshot.eq(taken_by.bank_snapshot),
                taken_by.bank_snapshot_done.eq(counters.snapshot_done),
            ]
        for number, event in enumerate(events):
            connect(m, event, getattr(taken_by, f"i_{number}"))
        m.d.comb += [
            exporter.snapshot_done.eq(counters.snapshot_done),
            counters.address.eq(exporter.counter_address),
            exporter.counter_data.eq(counters.data),
        ]

    def _connect_signals(self, m):
        """Whatever is no stream: what the set-up said, how full things are, and what makes the exporter send."""
        parts = m.submodules
        front, exporter = parts.front, parts.exporter
        m.d.comb += [
            self.ready.eq(front.ready),
            front.quiet.eq(~parts.buffer.available),
            exporter.enabled.eq(front.set_up),
            exporter.epoch_ms.eq(front.epoch_ms),
            exporter.seconds.eq(front.seconds),
            exporter.fill.eq(front.fill),
            exporter.quiet.eq(~parts.buffer.available & ~front.busy),
            exporter.announce.eq(front.flush),
            exporter.tick.eq(front.tick),
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
        """Connects the forest to the images that the front finds among the items."""
        front, exporter = m.submodules.front, m.submodules.exporter
        connect(m, front.image, forest.table)
        m.d.comb += [
            front.image_quiet.eq(~m.submodules.buffer.available & ~exporter.busy),
            front.image_loaded.eq(forest.loaded),
            front.image_refused.eq(forest.refused),
            exporter.forest_id.eq(forest.forest_id),
            exporter.monitor_only.eq(forest.monitor_only),
        ]
        with m.If(front.image_ended):
            m.d.comb += exporter.announce.eq(1)
