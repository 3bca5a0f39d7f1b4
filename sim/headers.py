"""From the captured bytes of a frame to its outcome and, if it is used, its packet (docs/flow_rules.md)."""

from struct import Struct
from typing import NamedTuple

from hdl.item import FrameOutcome

__all__ = ["Packet", "decode_frame", "header_bytes"]

_ENCAPSULATIONS = frozenset({0x88A8, 0x8847, 0x8848, 0x8864})
_VLAN, _IPV4, _IPV6, _TCP = 0x8100, 0x0800, 0x86DD, 6
_IPV6_EXTENSIONS = frozenset({0, 43, 44, 50, 51, 60, 135, 139, 140})
_IPV6_HEADER_BYTES = 40
_WORD_BYTES = 4
_MAX_LENGTH = 0xFFFF

_ports = Struct(">HH").unpack_from
_offset_flags_window = Struct(">BBH").unpack_from


class Packet(NamedTuple):
    """What a flow is made of: the header fields of one TCP packet."""

    version: int
    source: int
    destination: int
    source_port: int
    destination_port: int
    length: int
    window: int
    ttl: int
    flags: int


class _Ip(NamedTuple):
    """What an IP header says; ``addresses`` is where the first of the two begins, ``size`` the bytes of each."""

    version: int
    header: int
    length: int
    ttl: int
    addresses: int
    size: int


_Settled = tuple[FrameOutcome, int, Packet | None]
"""The outcome, the number of bytes that settled it, and the packet."""


def decode_frame(data: bytes, wire_length: int, ports: frozenset[int] | None) -> tuple[FrameOutcome, Packet | None]:
    """The outcome of a frame, and its packet when that is USED.

    Parameters
    ----------
    data:
        Captured bytes from the destination MAC address on.
    wire_length:
        Length of the whole frame, without FCS.
    ports:
        Flows of other ports are UNTRACKED; None tracks all.
    """
    outcome, _, packet = _settle(data, wire_length, ports)
    return outcome, packet


def header_bytes(data: bytes, wire_length: int) -> int:
    """Length of the headers: to the end of the TCP options, or else to the byte that settles the outcome.

    A frame cut there has the outcome and the packet of the whole frame, whatever ports are tracked.
    """
    outcome, end, _ = _settle(data, wire_length, None)
    if outcome is FrameOutcome.USED:
        tcp = end - 16
        end = tcp + (data[tcp + 12] >> 4) * _WORD_BYTES
    return min(end, len(data))


def _settle(data: bytes, wire_length: int, ports: frozenset[int] | None) -> _Settled:
    """Header by header; the first byte that can settle the outcome decides."""
    available = len(data)
    l2 = 14
    if available < l2:
        return FrameOutcome.TRUNCATED, available, None
    ethertype = data[12] << 8 | data[13]
    if ethertype == _VLAN:
        l2 = 18
        if available < l2:
            return FrameOutcome.TRUNCATED, available, None
        ethertype = data[16] << 8 | data[17]
    if ethertype in _ENCAPSULATIONS or ethertype == _VLAN:
        return FrameOutcome.ENCAPSULATED, l2, None
    if ethertype == _IPV4:
        return _settle_ipv4(data, l2, wire_length, ports)
    if ethertype == _IPV6:
        return _settle_ipv6(data, l2, wire_length, ports)
    return FrameOutcome.NOT_IP, l2, None


def _settle_ipv4(data: bytes, l2: int, wire_length: int, ports: frozenset[int] | None) -> _Settled:
    available = len(data)
    if available <= l2:
        return FrameOutcome.TRUNCATED, available, None
    header = (data[l2] & 0xF) * _WORD_BYTES
    if data[l2] >> 4 != 4 or header < 20:
        return FrameOutcome.MALFORMED, l2 + 1, None
    if available < l2 + 4:
        return FrameOutcome.TRUNCATED, available, None
    length = data[l2 + 2] << 8 | data[l2 + 3]
    if length < header or l2 + length > wire_length:
        return FrameOutcome.MALFORMED, l2 + 4, None
    if available < l2 + 8:
        return FrameOutcome.TRUNCATED, available, None
    if data[l2 + 6] & 0x1F or data[l2 + 7]:
        return FrameOutcome.FRAGMENT, l2 + 8, None
    if available < l2 + 10:
        return FrameOutcome.TRUNCATED, available, None
    if data[l2 + 9] != _TCP:
        return FrameOutcome.NOT_TCP, l2 + 10, None
    return _settle_tcp(data, l2 + header, ports, _Ip(4, header, length, data[l2 + 8], l2 + 12, 4))


def _settle_ipv6(data: bytes, l2: int, wire_length: int, ports: frozenset[int] | None) -> _Settled:
    available = len(data)
    if available <= l2:
        return FrameOutcome.TRUNCATED, available, None
    if data[l2] >> 4 != 6:
        return FrameOutcome.MALFORMED, l2 + 1, None
    if available < l2 + 6:
        return FrameOutcome.TRUNCATED, available, None
    header = _IPV6_HEADER_BYTES
    length = header + (data[l2 + 4] << 8 | data[l2 + 5])
    if length == header or length > _MAX_LENGTH or l2 + length > wire_length:
        return FrameOutcome.MALFORMED, l2 + 6, None
    if available < l2 + 7:
        return FrameOutcome.TRUNCATED, available, None
    if data[l2 + 6] in _IPV6_EXTENSIONS:
        return FrameOutcome.IPV6_EXTENSION, l2 + 7, None
    if data[l2 + 6] != _TCP:
        return FrameOutcome.NOT_TCP, l2 + 7, None
    if available < l2 + 8:
        return FrameOutcome.TRUNCATED, available, None
    return _settle_tcp(data, l2 + header, ports, _Ip(6, header, length, data[l2 + 7], l2 + 8, 16))


def _settle_tcp(data: bytes, tcp: int, ports: frozenset[int] | None, ip: _Ip) -> _Settled:
    version, header, length, ttl, addresses, size = ip
    available = len(data)
    if available < tcp + 4:
        return FrameOutcome.TRUNCATED, available, None
    source_port, destination_port = _ports(data, tcp)
    if ports is not None and source_port not in ports and destination_port not in ports:
        return FrameOutcome.UNTRACKED, tcp + 4, None
    if available < tcp + 13:
        return FrameOutcome.TRUNCATED, available, None
    tcp_header = (data[tcp + 12] >> 4) * _WORD_BYTES
    if tcp_header < 20 or header + tcp_header > length:
        return FrameOutcome.MALFORMED, tcp + 13, None
    if available < tcp + 16:
        return FrameOutcome.TRUNCATED, available, None
    _, flags, window = _offset_flags_window(data, tcp + 12)
    source = int.from_bytes(data[addresses : addresses + size], "big")
    destination = int.from_bytes(data[addresses + size : addresses + 2 * size], "big")
    packet = Packet(version, source, destination, source_port, destination_port, length, window, ttl, flags)
    return FrameOutcome.USED, tcp + 16, packet
