"""From the captured bytes of a frame to its outcome and, if it is used, its packet (docs/flow_rules.md)."""

from struct import Struct
from typing import NamedTuple

from hdl.header_sum import header_sum_right
from hdl.item import FrameOutcome

__all__ = ["Packet", "decode_frame", "find_ip", "follow_extensions", "header_bytes"]

TAGS = frozenset({0x8100, 0x88A8, 0x9100})
_LABELS = frozenset({0x8847, 0x8848})
_PPPOE, IPV4, IPV6 = 0x8864, 0x0800, 0x86DD
_PPP_PROTOCOLS = {0x0021: 4, 0x0057: 6}
GREATEST_LENGTH = 1500
"""Of an EtherType's values those that are a length, as in 802.3."""
_SNAP = bytes.fromhex("aaaa03000000")
"""LLC and the organisation behind which an EtherType follows."""
TCP, UDP, _FRAGMENT, _AUTHENTICATION = 6, 17, 44, 51
EXTENSIONS = frozenset({0, 43, _FRAGMENT, _AUTHENTICATION, 60, 135, 139, 140})
TUNNELS = frozenset({4, 41, 47})
VXLAN_PORT = 4789
_IPV6_HEADER_BYTES = 40
_TYPE_END = 14
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


def decode_frame(
    data: bytes, wire_length: int, ports: frozenset[int] | None, checksum: bool = False
) -> tuple[FrameOutcome, Packet | None]:
    """The outcome of a frame, and its packet when that is USED.

    Parameters
    ----------
    data:
        Captured bytes from the destination MAC address on.
    wire_length:
        Length of the whole frame, without FCS.
    ports:
        Flows of other ports are UNTRACKED; None tracks all.
    checksum:
        Look at the checksum of IPv4 headers. Frames that the capturing machine itself sent often have none yet.
    """
    outcome, _, packet = _settle(data, wire_length, ports, checksum)
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


def _settle(data: bytes, wire_length: int, ports: frozenset[int] | None, checksum: bool = False) -> _Settled:
    """Header by header; the first byte that can settle the outcome decides."""
    if len(data) < _TYPE_END:
        return FrameOutcome.TRUNCATED, len(data), None
    outcome, at, version = find_ip(data, data[_TYPE_END - 2] << 8 | data[_TYPE_END - 1])
    if outcome is not None:
        return outcome, at, None
    if version == 4:
        return _settle_ipv4(data, at, wire_length, ports, checksum)
    return _settle_ipv6(data, at, wire_length, ports)


def find_ip(data: bytes, ethertype: int) -> tuple[FrameOutcome | None, int, int]:
    """Where the IP header of a frame begins, and the version it must have, from its first type on.

    Else the outcome of the frame, and the number of bytes that settled it.
    """
    available, at = len(data), _TYPE_END
    while True:
        if ethertype == IPV4:
            return None, at, 4
        if ethertype == IPV6:
            return None, at, 6
        if ethertype in _LABELS:
            return _below_labels(data, at)
        if ethertype == _PPPOE:
            return _below_pppoe(data, at)
        if ethertype in TAGS:
            at += 2
        elif ethertype > GREATEST_LENGTH:
            return FrameOutcome.NOT_IP, at, 0
        else:
            for expected in _SNAP:
                if available <= at:
                    return FrameOutcome.TRUNCATED, available, 0
                at += 1
                if data[at - 1] != expected:
                    return FrameOutcome.NOT_IP, at, 0
        if available < at + 2:
            return FrameOutcome.TRUNCATED, available, 0
        ethertype = data[at] << 8 | data[at + 1]
        at += 2


def _below_labels(data: bytes, at: int) -> tuple[FrameOutcome | None, int, int]:
    """Labels of MPLS up to the one that says it is the last, then what its first byte says it is."""
    while len(data) >= at + 4:
        is_last = data[at + 2] & 1
        at += 4
        if is_last and len(data) > at:
            version = data[at] >> 4
            return (None, at, version) if version in (4, 6) else (FrameOutcome.ENCAPSULATED, at + 1, 0)
        if is_last:
            break
    return FrameOutcome.TRUNCATED, len(data), 0


def _below_pppoe(data: bytes, at: int) -> tuple[FrameOutcome | None, int, int]:
    """A session of PPP over Ethernet."""
    available = len(data)
    if available > at and data[at] != 0x11:
        return FrameOutcome.MALFORMED, at + 1, 0
    if available > at + 1 and data[at + 1] != 0:
        return FrameOutcome.NOT_IP, at + 2, 0
    if available < at + 8:
        return FrameOutcome.TRUNCATED, available, 0
    version = _PPP_PROTOCOLS.get(data[at + 6] << 8 | data[at + 7])
    return (FrameOutcome.NOT_IP, at + 8, 0) if version is None else (None, at + 8, version)


def _settle_ipv4(data: bytes, l2: int, wire_length: int, ports: frozenset[int] | None, checksum: bool) -> _Settled:
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
    protocol = data[l2 + 9]
    if protocol not in (TCP, UDP):
        return FrameOutcome.TUNNEL if protocol in TUNNELS else FrameOutcome.NOT_TCP, l2 + 10, None
    if checksum and available >= l2 + header and not header_sum_right(data[l2 : l2 + header]):
        return FrameOutcome.BAD_CHECKSUM, l2 + header, None
    if protocol == UDP:
        return _settle_udp(data, l2 + header)
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
    outcome, at, carried = follow_extensions(data, l2)
    if outcome is not None:
        return outcome, at, None
    if carried == UDP:
        return _settle_udp(data, at)
    return _settle_tcp(data, at, ports, _Ip(6, at - l2, length, data[l2 + 7], l2 + 8, 16))


def follow_extensions(data: bytes, l2: int) -> tuple[FrameOutcome | None, int, int]:
    """Where TCP or UDP begins in IPv6, and which of them, from the byte on that says what comes next.

    Else the outcome of the frame, and the number of bytes that settled it.
    """
    available, header = len(data), _IPV6_HEADER_BYTES
    carried, said_at = data[l2 + 6], l2 + 6
    while carried in EXTENSIONS:
        said_at = l2 + header
        if available <= said_at:
            return FrameOutcome.TRUNCATED, available, 0
        following = data[said_at]
        if following not in EXTENSIONS and following not in (TCP, UDP):
            carried = following
            break
        if available <= said_at + 1:
            return FrameOutcome.TRUNCATED, available, 0
        if carried == _FRAGMENT:
            if available < said_at + 4:
                return FrameOutcome.TRUNCATED, available, 0
            if data[said_at + 2] or data[said_at + 3] >> 3:
                return FrameOutcome.FRAGMENT, said_at + 4, 0
        header += _extension_bytes(carried, data[said_at + 1])
        carried = following
    if carried not in (TCP, UDP):
        return FrameOutcome.TUNNEL if carried in TUNNELS else FrameOutcome.NOT_TCP, said_at + 1, 0
    if available < l2 + 8:
        return FrameOutcome.TRUNCATED, available, 0
    return None, l2 + header, carried


def _extension_bytes(kind: int, units: int) -> int:
    """The size of an extension header of IPv6 from what its second byte says."""
    if kind == _FRAGMENT:
        return 8
    return (units + 2) * 4 if kind == _AUTHENTICATION else (units + 1) * 8


def _settle_udp(data: bytes, udp: int) -> _Settled:
    if len(data) < udp + 4:
        return FrameOutcome.TRUNCATED, len(data), None
    port = data[udp + 2] << 8 | data[udp + 3]
    return FrameOutcome.TUNNEL if port == VXLAN_PORT else FrameOutcome.NOT_TCP, udp + 4, None


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
