"""FlowRecord: what leaves the flow table when a flow ends."""

from collections.abc import Mapping
from dataclasses import dataclass

from hdl.accumulator import PACKETS, Accumulator
from hdl.verdict import EndReason

from .identity import Endpoint

__all__ = ["FlowRecord"]


@dataclass(frozen=True, kw_only=True)
class FlowRecord:
    """One flow, or one piece of a flow, as the table counted it.

    Attributes
    ----------
    version:
        4 or 6.
    initiator, responder:
        Forward packets go from the first to the second.
    initiator_high:
        The initiator is the higher of the two endpoints.
    first_ms, last_ms:
        Times of the first and the last packet.
    end_reason:
        Why the flow left the table.
    early:
        It has not: this is of its first packets, and the frames are in a later record too.
    syn:
        A packet with SYN was in it.
    fin_forward, fin_response:
        A packet with FIN was in that direction.
    closing:
        FIN was seen both ways, or a packet with RST.
    forward, response:
        The accumulators of the two directions.
    """

    version: int
    initiator: Endpoint
    responder: Endpoint
    initiator_high: bool
    first_ms: int
    last_ms: int
    end_reason: EndReason
    syn: bool
    fin_forward: bool
    fin_response: bool
    closing: bool
    forward: Mapping[Accumulator, int]
    response: Mapping[Accumulator, int]
    early: bool = False

    @property
    def packets(self) -> int:
        """Packets of both directions, which is also the number of frames the record accounts for."""
        return self.forward[PACKETS] + self.response[PACKETS]

    @property
    def duration_ms(self) -> int:
        return self.last_ms - self.first_ms
