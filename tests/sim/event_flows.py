"""The oracle of extraction: flows of captures by the event-exact model, frame by frame."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
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
    """With ``early``, of every flow that has an early record that one in place of the last."""
    table = FlowTable(parameters)
    starts: dict[Endpoints, int] = {}
    early: dict[Endpoints, FlowRecord] = {}
    flows: list[tuple[int, FlowRecord]] = []

    def take(records: Iterable[FlowRecord]) -> None:
        for record in records:
            endpoints = Endpoints(record.version, *sorted((record.initiator, record.responder)))
            if record.early:
                early[endpoints] = replace(record, early=False)
            else:
                flows.append((starts[endpoints], early.pop(endpoints, record)))

    for frame in frames:
        outcome, packet = decode_frame(frame.data, frame.wire_length, parameters.ports)
        filled = table.filled
        take(table.item(ItemKind.FRAME, frame.time_ns // 1_000_000, outcome, packet))
        if table.filled != filled:
            # What has ended was of the same endpoints: without a limit a flow ends only by its own packets.
            endpoints, _ = endpoints_of(packet)
            starts[endpoints] = frame.time_ns
    take(table.item(ItemKind.FLUSH, 0))
    return sorted(flows, key=lambda flow: flow[0]), table.outcomes


def captured_flows(paths: Iterable[Path], parameters: TableParameters, cuts: list[Cut]) -> Flows:
    """The same of captures that follow one another; where they end early goes into ``cuts``."""
    return event_flows((frame for path in paths for frame in read_capture(path, cuts.append)), parameters)


def extracted_flows(extraction: Extraction) -> Flows:
    """What was extracted, in the form of the oracle."""
    flows = extraction.flows
    return list(zip(flows.start_ns.tolist(), flows.records(), strict=True)), extraction.outcomes
