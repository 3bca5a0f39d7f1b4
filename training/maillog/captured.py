"""The flows of a capture as the join needs them: those to our servers, and what the others are."""

import ipaddress
from collections.abc import Iterator

from hdl.accumulator import OCTETS, PACKETS
from sim.flow_columns import FlowColumns
from sim.identity import address_text

from ..flow_file import timestamp
from .joining import SeenFlow

__all__ = ["IncomingFlows", "described"]


class IncomingFlows:
    """The flows by what they are to our servers.

    Attributes
    ----------
    flows: to one of our servers
    place: of each flow of the capture, its number among those, or what it is instead
    """

    def __init__(self, columns: FlowColumns, servers: frozenset[str]):
        own = {(ip.version, int(ip)) for ip in map(ipaddress.ip_address, servers)}
        self.flows: list[SeenFlow] = []
        self.place: list[int | str] = []
        times = zip(columns.start_ns.tolist(), columns.last_ms.tolist(), columns.first_ms.tolist(), strict=True)
        sent = columns.forward[OCTETS].tolist()
        versions = columns.version.tolist()
        known = set()
        for version, (client, server), syn, (start_ns, last_ms, first_ms), octets in zip(
            versions, columns.endpoints(), columns.syn.tolist(), times, sent, strict=True
        ):
            ends = (version, client, server)
            if (version, client.address) in own:
                self.place.append("outgoing")
            elif (version, server.address) not in own:
                self.place.append("foreign")
            elif not syn and ends in known:
                self.place.append("rest")
            else:
                self.place.append(len(self.flows))
                start_s = start_ns / 1e9
                end_s = start_s + (last_ms - first_ms) / 1e3
                self.flows.append(SeenFlow(client.address, client.port, server.port, start_s, end_s, octets))
                known.add(ends)


def described(columns: FlowColumns) -> Iterator[tuple]:
    """Start, duration, endpoints and packets of each flow."""
    packets = (columns.forward[PACKETS] + columns.response[PACKETS]).tolist()
    rows = zip(
        columns.version.tolist(),
        columns.endpoints(),
        columns.start_ns.tolist(),
        columns.duration_ms.tolist(),
        packets,
        strict=True,
    )
    for version, (client, server), start_ns, duration_ms, count in rows:
        yield (
            timestamp(start_ns),
            f"{duration_ms / 1000:.3f}",
            *(address_text(version, client.address), client.port),
            *(address_text(version, server.address), server.port),
            count,
        )
