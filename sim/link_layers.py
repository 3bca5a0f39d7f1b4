"""Link layers of captures: Ethernet as it is, and others that carry IP, put behind an Ethernet header.

Numbers and layouts: https://www.tcpdump.org/linktypes.html.
"""

from collections.abc import Callable
from typing import NamedTuple

__all__ = ["ETHERNET", "LINK_LAYERS", "LinkLayer"]

ETHERNET = 1

_HEADER = 14
_ADDRESSES = bytes(12)
_IPV4, _IPV6, _NEITHER = b"\x08\x00", b"\x86\xdd", b"\0\0"


class LinkLayer(NamedTuple):
    """A link layer that is not Ethernet.

    Attributes
    ----------
    header: bytes before the packet
    ethertype: finds the EtherType in them and the first byte of the packet
    """

    header: int
    ethertype: Callable[[bytes], bytes]

    def as_ethernet(self, data: bytes, wire: int) -> tuple[bytes, int]:
        """The frame with an Ethernet header instead, addresses 0, and its length on the wire."""
        wire = max(wire - self.header, 0) + _HEADER
        if len(data) <= self.header:
            return b"", wire
        return _ADDRESSES + self.ethertype(data) + data[self.header :], wire


def _by_family(data: bytes) -> bytes:
    # The family stands in the byte order of the machine that captured; IPv6 has another number on every system.
    family = data[0] | data[3]
    return _IPV4 if family == 2 else _IPV6 if family in (10, 24, 28, 30) else _NEITHER


def _by_version(data: bytes) -> bytes:
    return {4: _IPV4, 6: _IPV6}.get(data[0] >> 4, _NEITHER)


_RAW = LinkLayer(0, _by_version)

LINK_LAYERS = {
    0: LinkLayer(4, _by_family),  # BSD loopback
    108: LinkLayer(4, _by_family),  # OpenBSD loopback
    **dict.fromkeys((12, 14, 101, 228, 229), _RAW),  # IP itself; 12 and 14 are the same on BSD
    113: LinkLayer(16, lambda data: data[14:16]),  # Linux cooked, what `tcpdump -i any` writes
    276: LinkLayer(20, lambda data: data[:2]),  # the same, version 2
}
"""By number."""
