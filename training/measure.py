"""Flows of a capture, measured by the table without limit: every flow whole, in the order of the first packets."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from hdl.item import FrameOutcome, ItemKind
from sim.capture import Cut, read_capture
from sim.flow_record import FlowRecord
from sim.flow_table import FlowTable, TableParameters
from sim.headers import decode_frame
from sim.identity import Endpoints, address_text, endpoints_of

__all__ = ["MeasuredCapture", "MeasuredFlow", "addresses_of", "measure_capture"]


class MeasuredFlow(NamedTuple):
    """A flow and the exact time of its first packet."""

    start_ns: int
    record: FlowRecord


@dataclass
class MeasuredCapture:
    """What one capture held. ``outcomes`` counts its frames; only those that were USED are in flows."""

    name: str
    flows: list[MeasuredFlow] = field(default_factory=list)
    outcomes: Counter[FrameOutcome] = field(default_factory=Counter)


def measure_capture(
    path: str | Path, parameters: TableParameters, on_cut: Callable[[Cut], None] | None = None
) -> MeasuredCapture:
    """Measure all flows of a capture, however long it is.

    Times are the capture's own, in milliseconds since 1970.
    """
    measured = MeasuredCapture(Path(path).name)
    table = FlowTable(parameters)
    starts: dict[Endpoints, int] = {}
    records: list[tuple[int, FlowRecord]] = []
    for frame in read_capture(path, on_cut):
        outcome, packet = decode_frame(frame.data, frame.wire_length, parameters.ports)
        filled = table.filled
        ended = table.item(ItemKind.FRAME, frame.time_ns // 1_000_000, outcome, packet)
        if packet is None:
            continue
        # Whatever ended was of the same endpoints: without a limit a flow ends only by its own packets.
        endpoints, _ = endpoints_of(packet)
        records += ((starts[endpoints], record) for record in ended)
        if table.filled != filled:
            starts[endpoints] = frame.time_ns
    records += ((starts[_endpoints(record)], record) for record in table.item(ItemKind.FLUSH, 0))
    measured.flows = [MeasuredFlow(*flow) for flow in sorted(records, key=lambda flow: flow[0])]
    measured.outcomes = table.outcomes
    return measured


def addresses_of(capture: MeasuredCapture) -> set[str]:
    """The addresses at either end of its flows."""
    return {
        address_text(flow.version, side.address)
        for _, flow in capture.flows
        for side in (flow.initiator, flow.responder)
    }


def _endpoints(record: FlowRecord) -> Endpoints:
    return Endpoints(record.version, *sorted((record.initiator, record.responder)))
