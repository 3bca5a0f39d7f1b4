"""From the frames of a block to their outcomes and packets: sim/headers.py for all of them at once."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from hdl.item import FrameOutcome

from .frame_block import FrameBlock
from .headers import (
    EXTENSIONS,
    GREATEST_LENGTH,
    IPV4,
    IPV6,
    TAGS,
    TCP,
    TUNNELS,
    UDP,
    VXLAN_PORT,
    find_ip,
    follow_extensions,
)

__all__ = ["BlockPackets", "decode_block"]

_LAYERS = [*TAGS, 0x8847, 0x8848, 0x8864]
"""Types of what may lie between Ethernet and IP."""
_WORD_BYTES = 4
_MAX_LENGTH = 0xFFFF

_IPV4_HEADER = np.dtype(
    {
        "names": ["first", "length", "fragment", "ttl", "protocol", "source", "destination"],
        "formats": ["u1", ">u2", ">u2", "u1", "u1", ">u4", ">u4"],
        "offsets": [0, 2, 6, 8, 9, 12, 16],
        "itemsize": 20,
    }
)
_ADDRESS6 = (">u8", (2,))
_IPV6_HEADER = np.dtype(
    {
        "names": ["first", "length", "protocol", "ttl", "source", "destination"],
        "formats": ["u1", ">u2", "u1", "u1", _ADDRESS6, _ADDRESS6],
        "offsets": [0, 4, 6, 7, 8, 24],
        "itemsize": 40,
    }
)
_TCP_HEADER = np.dtype(
    {
        "names": ["source_port", "destination_port", "offset", "flags", "window"],
        "formats": [">u2", ">u2", "u1", "u1", ">u2"],
        "offsets": [0, 2, 12, 13, 14],
        "itemsize": 16,
    }
)


def _is_among(protocols: Iterable[int]) -> np.ndarray:
    """By protocol, whether it is one of these."""
    table = np.zeros(256, bool)
    table[list(protocols)] = True
    return table


_IS_TUNNEL, _IS_EXTENSION, _IS_NOT_TCP = _is_among(TUNNELS), _is_among(EXTENSIONS), ~_is_among((TCP, UDP))
"""By protocol. What is in UDP may still be a tunnel, what IPv6 extensions carry TCP."""


class BlockPackets(NamedTuple):
    """The packets of the USED frames of one IP version, in their order.

    Attributes
    ----------
    frames:
        Which frames of the block they are (int64).
    source, destination:
        Endpoints as words that compare like them, the most significant first (word × packet, uint64): in IPv4
        address << 16 | port; in IPv6 the two halves of the address, then the port.
    length, window, ttl, flags:
        As in :class:`sim.headers.Packet` (int64, flags uint8).
    """

    frames: np.ndarray
    source: np.ndarray
    destination: np.ndarray
    length: np.ndarray
    window: np.ndarray
    ttl: np.ndarray
    flags: np.ndarray


def decode_block(block: FrameBlock, ports: frozenset[int] | None) -> tuple[np.ndarray, dict[int, BlockPackets]]:
    """The outcomes of all frames (uint8, :class:`~hdl.item.FrameOutcome`), and the packets by IP version.

    ``ports`` is as in :func:`sim.headers.decode_frame`.
    """
    outcomes, l2, versions = _find_ip(block)
    tracked = None
    if ports is not None:
        tracked = np.zeros(1 << 16, bool)
        tracked[list(ports)] = True
    packets = {}
    for version, decode in ((4, _decode_ipv4), (6, _decode_ipv6)):
        frames = np.flatnonzero((versions == version) & (outcomes == FrameOutcome.USED))
        if len(frames):
            chosen = slice(None) if len(frames) == len(outcomes) else frames
            outcomes[chosen], found = decode(block.take(chosen), l2[chosen], tracked)
            packets[version] = found._replace(frames=frames[found.frames])
    return outcomes, packets


def _find_ip(block: FrameBlock) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The outcomes of frames without IP, else USED; where IP begins in a frame; and its version."""
    ethertype, l2 = block.ethertype, np.full(len(block.starts), 14)
    tagged = np.logical_or.reduce([ethertype == tag for tag in TAGS])
    if tagged.any():
        at_type = block.starts + 16
        below_tag = block.data[at_type].astype(np.int64) << 8 | block.data[at_type + 1]
        ethertype, l2 = np.where(tagged, below_tag, ethertype), np.where(tagged, 18, 14)
    versions = np.where(ethertype == IPV4, 4, np.where(ethertype == IPV6, 6, 0))
    outcomes = np.where(versions > 0, FrameOutcome.USED, FrameOutcome.NOT_IP).astype(np.uint8)
    outcomes[block.captured < l2] = FrameOutcome.TRUNCATED
    # What has more below IP than a tag is rare enough to be followed one by one.
    other = np.flatnonzero(outcomes == FrameOutcome.NOT_IP)
    layered = (ethertype[other] <= GREATEST_LENGTH) | np.isin(ethertype[other], _LAYERS)
    for frame in other[layered].tolist():
        outcome, at, version = find_ip(_bytes_of(block, frame), int(block.ethertype[frame]))
        outcomes[frame] = FrameOutcome.USED if outcome is None else outcome
        l2[frame], versions[frame] = at, version
    return outcomes, l2, versions


def _bytes_of(block: FrameBlock, frame: int) -> bytes:
    start = block.starts[frame]
    return block.data[start : start + block.captured[frame]].tobytes()


def _gather(block: FrameBlock, at: np.ndarray, header: np.dtype) -> np.ndarray:
    """The headers at these places of the block's data; without meaning where they were not captured."""
    size = header.itemsize
    # One opaque item a header is copied faster than its bytes are.
    places = np.ndarray((len(block.data) - size + 1,), f"V{size}", block.data, strides=(1,))
    return places[at].view(header)


def _chosen(headers: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Some of the headers; opaque again, since items with fields are copied field by field."""
    if len(used) == len(headers):
        return headers
    return headers.view(f"V{headers.itemsize}")[used].view(headers.dtype)


def _decode_ipv4(block: FrameBlock, l2: np.ndarray, tracked: np.ndarray | None) -> tuple[np.ndarray, BlockPackets]:
    """The outcomes of frames that are all IPv4, and the packets of the used ones."""
    available, wire = block.captured - l2, block.wire - l2
    ip = _gather(block, block.starts + l2, _IPV4_HEADER)
    first, length = ip["first"].astype(np.int64), ip["length"].astype(np.int64)
    header = (first & 0xF) * _WORD_BYTES
    rules = [
        (available < 1, FrameOutcome.TRUNCATED),
        ((first >> 4 != 4) | (header < 20), FrameOutcome.MALFORMED),
        (available < 4, FrameOutcome.TRUNCATED),
        ((length < header) | (length > wire), FrameOutcome.MALFORMED),
        (available < 8, FrameOutcome.TRUNCATED),
        (ip["fragment"].astype(np.int64) & 0x1FFF != 0, FrameOutcome.FRAGMENT),
        (available < 10, FrameOutcome.TRUNCATED),
        (_IS_TUNNEL[ip["protocol"]], FrameOutcome.TUNNEL),
        (_IS_NOT_TCP[ip["protocol"]], FrameOutcome.NOT_TCP),
    ]
    tcp = _gather(block, block.starts + l2 + header, _TCP_HEADER)
    behind = _behind_ip(tcp, ip["protocol"], available - header, length - header, tracked)
    outcomes = _settle(rules + behind)
    used = np.flatnonzero(outcomes == FrameOutcome.USED)
    ip, tcp = _chosen(ip, used), _chosen(tcp, used)
    ends = (
        (ip[side].astype(np.uint64) << np.uint64(16) | tcp[f"{side}_port"].astype(np.uint64))[None]
        for side in ("source", "destination")
    )
    return outcomes, _packets(used, ends, length[used], ip, tcp)


def _decode_ipv6(block: FrameBlock, l2: np.ndarray, tracked: np.ndarray | None) -> tuple[np.ndarray, BlockPackets]:
    """The outcomes of frames that are all IPv6, and the packets of the used ones."""
    available, wire = block.captured - l2, block.wire - l2
    ip = _gather(block, block.starts + l2, _IPV6_HEADER)
    header = _IPV6_HEADER.itemsize
    length = header + ip["length"].astype(np.int64)
    rules = [
        (available < 1, FrameOutcome.TRUNCATED),
        (ip["first"] >> 4 != 6, FrameOutcome.MALFORMED),
        (available < 6, FrameOutcome.TRUNCATED),
        ((length == header) | (length > _MAX_LENGTH) | (length > wire), FrameOutcome.MALFORMED),
        (available < 7, FrameOutcome.TRUNCATED),
        (_IS_TUNNEL[ip["protocol"]], FrameOutcome.TUNNEL),
        (_IS_NOT_TCP[ip["protocol"]] & ~_IS_EXTENSION[ip["protocol"]], FrameOutcome.NOT_TCP),
    ]
    outcomes, carried = _settle(rules), ip["protocol"].copy()
    header = np.full(len(outcomes), header)
    # Headers that extend IPv6 are rare enough to be followed one by one.
    for at in np.flatnonzero((outcomes == FrameOutcome.USED) & _IS_EXTENSION[carried]).tolist():
        outcome, end, carried[at] = follow_extensions(_bytes_of(block, at), int(l2[at]))
        if outcome is None:
            header[at] = end - l2[at]
        else:
            outcomes[at] = outcome
    tcp = _gather(block, block.starts + l2 + np.minimum(header, np.maximum(available, 40)), _TCP_HEADER)
    behind = _settle(_behind_ip(tcp, carried, available - header, length - header, tracked))
    outcomes = np.where(outcomes == FrameOutcome.USED, behind, outcomes)
    used = np.flatnonzero(outcomes == FrameOutcome.USED)
    ip, tcp = _chosen(ip, used), _chosen(tcp, used)
    ends = (
        np.stack([*ip[side].T.astype(np.uint64), tcp[f"{side}_port"].astype(np.uint64)])
        for side in ("source", "destination")
    )
    return outcomes, _packets(used, ends, length[used], ip, tcp)


def _behind_ip(
    tcp: np.ndarray, carried: np.ndarray, available: np.ndarray, length: np.ndarray, tracked: np.ndarray | None
) -> list[tuple[np.ndarray, FrameOutcome]]:
    """Conditions in their order; ``available`` and ``length`` count from the header of TCP or UDP on."""
    header = (tcp["offset"] >> 4).astype(np.int64) * _WORD_BYTES
    is_udp = carried == UDP
    rules = [(available < 4, FrameOutcome.TRUNCATED)]
    if is_udp.any():
        rules.append((is_udp & (tcp["destination_port"] == VXLAN_PORT), FrameOutcome.TUNNEL))
        rules.append((is_udp, FrameOutcome.NOT_TCP))
    if tracked is not None:
        rules.append((~(tracked[tcp["source_port"]] | tracked[tcp["destination_port"]]), FrameOutcome.UNTRACKED))
    return [
        *rules,
        (available < 13, FrameOutcome.TRUNCATED),
        ((header < 20) | (header > length), FrameOutcome.MALFORMED),
        (available < 16, FrameOutcome.TRUNCATED),
    ]


def _settle(rules: list[tuple[np.ndarray, FrameOutcome]]) -> np.ndarray:
    """The outcome of the first condition that holds."""
    outcomes = np.full(len(rules[0][0]), FrameOutcome.USED, np.uint8)
    for condition, outcome in reversed(rules):
        if condition.any():
            outcomes[condition] = outcome
    return outcomes


def _packets(frames: np.ndarray, ends, length: np.ndarray, ip: np.ndarray, tcp: np.ndarray) -> BlockPackets:
    source, destination = ends
    return BlockPackets(
        frames,
        source,
        destination,
        length,
        tcp["window"].astype(np.int64),
        ip["ttl"].astype(np.int64),
        tcp["flags"].copy(),
    )
