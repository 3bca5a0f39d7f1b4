"""Link layers of captures: Ethernet as it is, and others that carry IP, put behind an Ethernet header.

Numbers and layouts: https://www.tcpdump.org/linktypes.html.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

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
    ethertypes: the same for many frames at once, as numbers (int64): takes an array of bytes (uint8, offset × frame)
    """

    header: int
    ethertype: Callable[[bytes], bytes]
    ethertypes: Callable[[np.ndarray], np.ndarray]

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


def _family_table() -> np.ndarray:
    return np.array([int.from_bytes(_by_family(bytes([family, 0, 0, 0])), "big") for family in range(256)])


def _version_table() -> np.ndarray:
    return np.array([int.from_bytes(_by_version(bytes([first])), "big") for first in range(256)])


_FAMILIES, _VERSIONS = _family_table(), _version_table()

_LOOPBACK = LinkLayer(4, _by_family, lambda data: _FAMILIES[data[0] | data[3]])
_RAW = LinkLayer(0, _by_version, lambda data: _VERSIONS[data[0]])


def _cooked(header: int, at: int) -> LinkLayer:
    """Linux cooked: the EtherType stands at a fixed place."""
    return LinkLayer(
        header,
        lambda data: data[at : at + 2],
        lambda data: data[at].astype(np.int64) << 8 | data[at + 1],
    )


LINK_LAYERS = {
    0: _LOOPBACK,  # BSD loopback
    108: _LOOPBACK,  # OpenBSD loopback
    **dict.fromkeys((12, 14, 101, 228, 229), _RAW),  # IP itself; 12 and 14 are the same on BSD
    113: _cooked(16, 14),  # Linux cooked, what `tcpdump -i any` writes
    276: _cooked(20, 0),  # the same, version 2
}
"""By number."""
