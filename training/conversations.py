"""Which packets of a log belong together, who sent them, and which of a conversation they are."""

import ipaddress
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from sim.identity import Endpoint

from .packet_log import PacketLog

__all__ = ["conversations", "empty_lengths", "endpoints_of", "goes_inward", "has_address", "place_within"]


def conversations(log: PacketLog) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of every packet, which two endpoints it is of, as a number from 0, and from which of the two it is, 0 or 1."""
    source, destination = log.packets.source, log.packets.destination
    swapped = np.zeros(len(log), bool)
    settled = np.zeros(len(log), bool)
    for high, low in zip(source, destination, strict=True):
        swapped |= ~settled & (high > low)
        settled |= high != low
    ends = np.where(swapped, np.vstack([destination, source]), np.vstack([source, destination]))
    number = np.unique(ends, axis=1, return_inverse=True)[1].reshape(-1)
    return number.astype(np.int64), swapped.astype(np.int64)


def place_within(number: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of every packet, how many packets before it have the same number."""
    order = np.argsort(number, kind="stable")
    starts = np.flatnonzero(np.diff(number[order], prepend=-1))
    place = np.empty(len(number), np.int64)
    place[order] = np.arange(len(number)) - np.repeat(starts, np.diff(np.append(starts, len(number))))
    return place


def empty_lengths(log: PacketLog) -> NDArray[np.int64]:
    """For every packet, the least length that its side of the conversation sends: that of an empty segment."""
    number, direction = conversations(log)
    side = 2 * number + direction
    length = log.packets.length.astype(np.int64)
    least = np.full(side.max(initial=0) + 1, 0xFFFF)
    np.minimum.at(least, side, length)
    return least[side]


def goes_inward(log: PacketLog) -> NDArray[np.bool_]:
    """Whether a packet goes to the service, which is the side of the lower port."""
    return _ports(log.packets.destination) <= _ports(log.packets.source)


def has_address(log: PacketLog, addresses: Collection[str]) -> NDArray[np.bool_]:
    """Whether a packet is from or to one of these addresses."""
    numbers = [int(address) for address in map(ipaddress.ip_address, addresses) if address.version == log.version]
    found = np.zeros(len(log), bool)
    for words in (log.packets.source, log.packets.destination):
        if log.version == 4:
            found |= np.isin(words[0] >> np.uint64(16), np.array(numbers, np.uint64))
        else:
            for number in numbers:
                found |= (words[0] == np.uint64(number >> 64)) & (words[1] == np.uint64(number & (1 << 64) - 1))
    return found


def endpoints_of(log: PacketLog, packet: int) -> frozenset[Endpoint]:
    """Both endpoints of a packet."""
    return frozenset(
        _endpoint(log.version, words[:, packet]) for words in (log.packets.source, log.packets.destination)
    )


def _endpoint(version: int, words: NDArray[np.uint64]) -> Endpoint:
    numbers = words.tolist()
    if version == 4:
        return Endpoint(numbers[0] >> 16, numbers[0] & 0xFFFF)
    return Endpoint(numbers[0] << 64 | numbers[1], numbers[2])


def _ports(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    return (words[-1] & np.uint64(0xFFFF)).astype(np.int64)
