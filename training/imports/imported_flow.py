"""ImportedFlow: a flow as another tool tells it, and the features that follow from what it tells."""

from dataclasses import dataclass, field, replace

from compiler.features import CATALOGUE, MEAN_FRACTION_BITS

__all__ = ["ImportedFlow", "Side", "oriented"]


@dataclass(frozen=True, slots=True)
class Side:
    """What is known of one direction; None is not told.

    Attributes
    ----------
    packets, octets: with IP headers, without those of the frame
    flags: those that occurred, by name; a name that is missing is not told
    counts: packets with a flag, by name
    """

    packets: int
    octets: int
    least: int | None = None
    largest: int | None = None
    flags: dict[str, bool] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def features(self, prefix: str) -> dict[str, int | None]:
        mean = (self.octets << MEAN_FRACTION_BITS) // self.packets if self.packets else 0
        known = {
            "sp": self.packets,
            "spl": mean,
            "minpl": self.least,
            "maxpl": self.largest,
            "spas": self.counts.get("ACK"),
            "spps": self.counts.get("PSH"),
            **{flag.lower(): int(occurred) for flag, occurred in self.flags.items()},
        }
        return {prefix + name: value for name, value in known.items()}


@dataclass(frozen=True, slots=True)
class ImportedFlow:
    """A flow; ``forward`` is from the client.

    Attributes
    ----------
    start_s: seconds since 1970
    syn_seen: whether the client's SYN is in it, None when that is not told
    """

    start_s: float
    client_ip: str
    client_port: int
    server_ip: str
    server_port: int
    duration_ms: int
    forward: Side
    response: Side
    syn_seen: bool | None

    @property
    def packets(self) -> int:
        return self.forward.packets + self.response.packets

    @property
    def features(self) -> dict[str, int | None]:
        """Every feature of the catalogue, None where it is absent."""
        known = {
            **self.forward.features(""),
            **self.response.features("r"),
            "duration": min(self.duration_ms, (1 << CATALOGUE["duration"].bits) - 1),
        }
        return {name: known.get(name) for name in CATALOGUE}

    @property
    def fits(self) -> bool:
        """Whether every feature is within its width; a probe ends a flow before a counter is full."""
        return all(value is None or 0 <= value < 1 << CATALOGUE[name].bits for name, value in self.features.items())


def oriented(flow: ImportedFlow, ports: frozenset[int] | None) -> ImportedFlow | None:
    """The flow with the client as its initiator, or None when neither end has one of the ports.

    The side that talks to one of the ports is the client, if only one does; else it is as the tool has it.
    """
    if ports is None:
        return flow
    to_server, from_server = flow.server_port in ports, flow.client_port in ports
    if not to_server and not from_server:
        return None
    if to_server:
        return flow
    return replace(
        flow,
        client_ip=flow.server_ip,
        client_port=flow.server_port,
        server_ip=flow.client_ip,
        server_port=flow.client_port,
        forward=flow.response,
        response=flow.forward,
        syn_seen=flow.response.flags.get("SYN"),
    )
