"""The oracle of extraction: flows of captures by the event-exact model, frame by frame."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from hdl.item import FrameOutcome, ItemKind
from sim.capture import Cut, read_capture
from sim.capture_source import CapturedFrame
from sim.extraction import Extraction
from sim.flow_record import FlowRecord
from sim.flow_table import FlowTable
from sim.headers import decode_frame
from sim.identity import Endpoints, endpoints_of
from sim.table_parameters import TableParameters

__all__ = ["Flows", "captured_flows", "event_flows", "extracted_flows"]

Flows = tuple[list[tuple[int, FlowRecord]], Counter[FrameOutcome]]
"""Exact time of the first packet and record of every flow, by that time; and frames by outcome."""


def event_flows(frames: Iterable[CapturedFrame], parameters: TableParameters) -> Flows:
    table = FlowTable(parameters)
    starts: dict[Endpoints, int] = {}
    flows: list[tuple[int, FlowRecord]] = []
    for frame in frames:
        outcome, packet = decode_frame(frame.data, frame.wire_length, parameters.ports)
        filled = table.filled
        ended = table.item(ItemKind.FRAME, frame.time_ns // 1_000_000, outcome, packet)
        if packet is None:
            continue
        # Whatever ended was of the same endpoints: without a limit a flow ends only by its own packets.
        endpoints, _ = endpoints_of(packet)
        flows += ((starts[endpoints], record) for record in ended)
        if table.filled != filled:
            starts[endpoints] = frame.time_ns
    for record in table.item(ItemKind.FLUSH, 0):
        endpoints = Endpoints(record.version, *sorted((record.initiator, record.responder)))
        flows.append((starts[endpoints], record))
    return sorted(flows, key=lambda flow: flow[0]), table.outcomes


def captured_flows(paths: Iterable[Path], parameters: TableParameters, cuts: list[Cut]) -> Flows:
    """The same of captures that follow one another; where they end early goes into ``cuts``."""
    return event_flows((frame for path in paths for frame in read_capture(path, cuts.append)), parameters)


def extracted_flows(extraction: Extraction) -> Flows:
    """What was extracted, in the form of the oracle."""
    flows = extraction.flows
    return list(zip(flows.start_ns.tolist(), flows.records(), strict=True)), extraction.outcomes
