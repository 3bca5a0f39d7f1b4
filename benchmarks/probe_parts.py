"""The parts of a probe, each by itself, to see what it takes."""

from amaranth.hdl import DomainRenamer
from amaranth.lib import wiring

from hdl.classifier import Classifier
from hdl.counter_bank import CounterBank
from hdl.event_collector import EventCollector
from hdl.exporter import Exporter
from hdl.flow_identity import FlowIdentity
from hdl.flow_table import FlowTable
from hdl.flow_table_parameters import FlowTableParameters
from hdl.header_parser import HeaderParser
from hdl.identity_lanes import IdentityLanes
from hdl.pipelined_front import PipelinedFront
from hdl.pipelined_table import PipelinedFlowTable
from hdl.probe import ProbeParameters
from hdl.probe_front import Pipeline
from hdl.record_buffer import RecordBuffer
from hdl.tally import counters_of, event_sources
from hdl.tap_link import TapLink
from hdl.wide_parser import WideParser
from hdl.word_parser import WordParser

__all__ = ["front_parts", "probe_parts"]


def probe_parts(p: ProbeParameters, clock_hz: int, slots: int) -> dict[str, wiring.Component]:
    """By name. Some are parts of others, and synthesis of all together shares a little."""
    layout, ports = p.table.layout, p.table.ports
    if p.pipeline is None:
        parts = {
            "parser": HeaderParser(ports=ports),
            "hash": FlowIdentity(),
            "table, hash and accumulators in it": FlowTable(parameters=p.table),
        }
        counters = {"counters": CounterBank(counters=len(counters_of(loadable=p.loadable)), sources=4)}
    else:
        parser = {4: WordParser, 8: WideParser}.get(p.pipeline.item_bytes, WordParser)
        parts = {
            "parser": parser(ports=ports),
            "hash": IdentityLanes(lanes=p.pipeline.hashes),
            "table, accumulators in it": PipelinedFlowTable(parameters=p.table),
        }
        count = len(counters_of(loadable=p.loadable))
        collector = EventCollector(sources=event_sources(), counters=count)
        bank = CounterBank(counters=count, sources=1, amount_bits=collector.amount_bits, in_logic=True)
        counters = {"event collector": collector, "counters": bank}
    registered = p.pipeline is not None
    return {
        "tap link": DomainRenamer({"rx": "sync"})(TapLink(cycles_per_ms=clock_hz // 1000, slots=slots)),
        **parts,
        "record buffer": RecordBuffer(
            layout=layout, slots=p.record_slots, min_packets=p.min_packets, wait=p.wait, registered=registered
        ),
        "features and forest": Classifier(
            forest=p.forest(),
            sources=p.sources,
            fraction=p.fraction,
            layout=layout,
            both_directions=p.both_directions,
            registered=registered,
        ),
        "forest in it": p.forest(),
        "exporter": Exporter(parameters=p.export, layout=layout, registered=registered),
        **counters,
    }


def front_parts(table: FlowTableParameters, pipeline: Pipeline) -> wiring.Component:
    """Everything of a pipelined probe before the record buffer."""
    return PipelinedFront(pipeline=pipeline, table=table)
