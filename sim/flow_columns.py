"""FlowColumns: flow records as arrays, one item a flow; the rows they are gathered in while a capture is read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from hdl.accumulator import Accumulator
from hdl.verdict import EndReason

from .flow_record import FlowRecord
from .identity import Endpoint

__all__ = ["FlowColumns"]


@dataclass(frozen=True, kw_only=True)
class FlowColumns:
    """The fields of :class:`~sim.flow_record.FlowRecord` for many flows, and when each began.

    Attributes
    ----------
    version, initiator_high, syn, fin_forward, fin_response, closing, end_reason, first_ms, last_ms:
        As there (integers and bool, one item a flow).
    initiator_address, responder_address:
        High and low half (flow × 2, uint64); the high one is 0 in IPv4.
    initiator_port, responder_port:
        int64.
    start_ns:
        Time of the first packet since 1970 (int64); ``first_ms`` is that of the table, which never goes back.
    packet:
        Number of the first packet in the capture, from 0 (int64).
    accumulators:
        The columns of ``sums``.
    sums:
        Accumulators of both directions, forward first (flow × 2 × accumulator, int64).
    """

    version: np.ndarray
    initiator_address: np.ndarray
    initiator_port: np.ndarray
    responder_address: np.ndarray
    responder_port: np.ndarray
    initiator_high: np.ndarray
    first_ms: np.ndarray
    last_ms: np.ndarray
    end_reason: np.ndarray
    syn: np.ndarray
    fin_forward: np.ndarray
    fin_response: np.ndarray
    closing: np.ndarray
    start_ns: np.ndarray
    packet: np.ndarray
    accumulators: tuple[Accumulator, ...]
    sums: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.version)

    def __getitem__(self, index: slice | np.ndarray) -> "FlowColumns":
        """Some of the flows."""
        taken = {name: column if name == "accumulators" else column[index] for name, column in vars(self).items()}
        return FlowColumns(**taken)

    def joined(self, others: "FlowColumns") -> "FlowColumns":
        """These flows and others behind them, of the same accumulators."""
        columns = {
            name: column if name == "accumulators" else np.concatenate([column, getattr(others, name)])
            for name, column in vars(self).items()
        }
        return FlowColumns(**columns)

    def reorder(self, order: np.ndarray) -> None:
        """Put the flows into this order (int64), in place, so that no second copy of all is made."""
        moved = np.flatnonzero(order != np.arange(len(self)))
        for name, column in vars(self).items():
            if name != "accumulators":
                column[moved] = column[order[moved]]

    @property
    def forward(self) -> Mapping[Accumulator, np.ndarray]:
        """The accumulators of the forward direction, an array each."""
        return {accumulator: self.sums[:, 0, at] for at, accumulator in enumerate(self.accumulators)}

    @property
    def response(self) -> Mapping[Accumulator, np.ndarray]:
        """The same of the response."""
        return {accumulator: self.sums[:, 1, at] for at, accumulator in enumerate(self.accumulators)}

    @property
    def duration_ms(self) -> np.ndarray:
        return self.last_ms - self.first_ms

    def endpoints(self) -> Iterator[tuple[Endpoint, Endpoint]]:
        """Initiator and responder of each flow."""
        sides = (
            (self.initiator_address, self.initiator_port),
            (self.responder_address, self.responder_port),
        )
        return zip(*(_endpoints(address, port) for address, port in sides), strict=True)

    def records(self) -> Iterator[FlowRecord]:
        """The records, one by one."""
        for index, (initiator, responder) in enumerate(self.endpoints()):
            forward, response = self.sums[index].tolist()
            yield FlowRecord(
                version=int(self.version[index]),
                initiator=initiator,
                responder=responder,
                initiator_high=bool(self.initiator_high[index]),
                first_ms=int(self.first_ms[index]),
                last_ms=int(self.last_ms[index]),
                end_reason=EndReason(int(self.end_reason[index])),
                syn=bool(self.syn[index]),
                fin_forward=bool(self.fin_forward[index]),
                fin_response=bool(self.fin_response[index]),
                closing=bool(self.closing[index]),
                forward=dict(zip(self.accumulators, forward, strict=True)),
                response=dict(zip(self.accumulators, response, strict=True)),
            )


def _endpoints(address: np.ndarray, port: np.ndarray) -> Iterator[Endpoint]:
    for (high, low), number in zip(address.tolist(), port.tolist(), strict=True):
        yield Endpoint(high << 64 | low, number)
