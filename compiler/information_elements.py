"""Which IPFIX information element carries which value of a record: IANA's where there is one, else our own.

Our own elements are numbered from 1001 under the private enterprise number that RFC 5612 reserves for documentation,
until the project has one of its own. The reverse of an IANA element has the enterprise number of RFC 5103, the
reverse of our own has bit 14 set.
"""

import enum
from typing import NamedTuple

from hdl.accumulator import FLAG_BITS, OCTETS, PACKETS, Accumulator
from hdl.ipfix import REVERSE_ENTERPRISE
from hdl.tally import Counter

__all__ = ["COUNTERS", "OWN_ENTERPRISE", "Element", "Iana", "Own", "element_of"]

OWN_ENTERPRISE = 32473
_OWN_REVERSE = 0x4000


class Iana(enum.IntEnum):
    """Elements of IANA's registry, in its spelling."""

    octetDeltaCount = 1
    packetDeltaCount = 2
    protocolIdentifier = 4
    sourceTransportPort = 7
    sourceIPv4Address = 8
    destinationTransportPort = 11
    destinationIPv4Address = 12
    minimumIpTotalLength = 25
    maximumIpTotalLength = 26
    sourceIPv6Address = 27
    destinationIPv6Address = 28
    minimumTTL = 52
    maximumTTL = 53
    ipVersion = 60
    flowEndReason = 136
    observationDomainId = 149
    flowStartMilliseconds = 152
    flowEndMilliseconds = 153
    octetDeltaSumOfSquares = 198
    tcpSynTotalCount = 218
    tcpFinTotalCount = 219
    tcpRstTotalCount = 220
    tcpPshTotalCount = 221
    tcpAckTotalCount = 222
    tcpUrgTotalCount = 223
    biflowDirection = 239
    observationTimeSeconds = 322


class Own(enum.IntEnum):
    """Our own elements."""

    verdict = 1001
    verdictReason = 1002
    score = 1003
    forestId = 1004
    buildId = 1005
    flowTableFill = 1006
    monitorOnly = 1007
    sourcePseudonym = 1008
    destinationPseudonym = 1009
    windowSum = 1010
    windowMaximum = 1011
    windowMinimum = 1012
    ttlSum = 1013
    early = 1015
    octetsWithFin = 1020
    octetsWithSyn = 1021
    octetsWithRst = 1022
    octetsWithPsh = 1023
    octetsWithAck = 1024
    octetsWithUrg = 1025


COUNTERS: dict[Counter, int] = {counter: 1100 + counter for counter in Counter}
"""Our own elements of the counters: 64-bit totals since reset."""


class Element(NamedTuple):
    """Number of an element, and its enterprise when it is not IANA's."""

    number: int
    enterprise: int | None = None

    @property
    def reverse(self) -> "Element":
        if self.enterprise is None:
            return Element(self.number, REVERSE_ENTERPRISE)
        return Element(self.number | _OWN_REVERSE, self.enterprise)


def own(element: int) -> Element:
    """One of our own elements."""
    return Element(element, OWN_ENTERPRISE)


_OF_FLAG = {
    "SYN": Iana.tcpSynTotalCount,
    "FIN": Iana.tcpFinTotalCount,
    "RST": Iana.tcpRstTotalCount,
    "PSH": Iana.tcpPshTotalCount,
    "ACK": Iana.tcpAckTotalCount,
    "URG": Iana.tcpUrgTotalCount,
}

_OF_ACCUMULATOR: dict[Accumulator, Element] = {
    PACKETS: Element(Iana.packetDeltaCount),
    OCTETS: Element(Iana.octetDeltaCount),
    Accumulator("min", "length"): Element(Iana.minimumIpTotalLength),
    Accumulator("max", "length"): Element(Iana.maximumIpTotalLength),
    Accumulator("min", "ttl"): Element(Iana.minimumTTL),
    Accumulator("max", "ttl"): Element(Iana.maximumTTL),
    Accumulator("add", "ttl"): own(Own.ttlSum),
    Accumulator("add", "window"): own(Own.windowSum),
    Accumulator("max", "window"): own(Own.windowMaximum),
    Accumulator("min", "window"): own(Own.windowMinimum),
    Accumulator("add", "length_squared"): Element(Iana.octetDeltaSumOfSquares),
    **{Accumulator("add", "one", FLAG_BITS[flag]): Element(element) for flag, element in _OF_FLAG.items()},
    **{Accumulator("add", "length", bit): own(Own.octetsWithFin + bit) for bit in FLAG_BITS.values()},
}


def element_of(accumulator: Accumulator, *, response: bool) -> Element:
    """The element that carries an accumulator of a direction."""
    element = _OF_ACCUMULATOR[accumulator]
    return element.reverse if response else element
