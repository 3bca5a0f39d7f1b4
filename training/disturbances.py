"""What other taps would have seen of the same packets: sampled, one-way, late, merged, farther away."""

from collections.abc import Callable, Mapping

import numpy as np

from hdl.accumulator import FLAG_BITS

from .conversations import conversations, empty_lengths, goes_inward, place_within
from .packet_log import PacketLog

__all__ = ["DISTURBANCES", "farther", "from_packet", "merged", "one_way", "sampled"]

_PSH = 1 << FLAG_BITS["PSH"]
_SYN_FIN_RST = sum(1 << FLAG_BITS[flag] for flag in ("SYN", "FIN", "RST"))
_LONGEST = 0xFFFF
_MERGE_NS = 1_000_000


def sampled(every: int) -> Callable[[PacketLog], PacketLog]:
    """One packet of so many, whatever its flow."""
    return lambda log: log.take(np.arange(len(log)) % every == 0)


def one_way(log: PacketLog) -> PacketLog:
    """What goes to the service alone: the side of the lower port is the service."""
    return log.take(goes_inward(log))


def from_packet(number: int) -> Callable[[PacketLog], PacketLog]:
    """Every flow from its packet of this number on, both ways counted, as of a probe that was switched on late."""

    def late(log: PacketLog) -> PacketLog:
        place = place_within(conversations(log)[0])
        return log.take(place >= number - 1)

    return late


def merged(log: PacketLog) -> PacketLog:
    """As where a network card joins segments (GRO, LRO) before they are captured.

    Segments with data that follow one another in one direction within a millisecond become one packet, which ends at
    PSH. The least length of a direction of a flow, that of an empty segment, stands for the headers.
    """
    conversation, direction = conversations(log)
    side = 2 * conversation + direction
    length = log.packets.length.astype(np.int64)
    empty = empty_lengths(log)
    data = length - empty
    order = np.lexsort((np.arange(len(log)), conversation))
    before, after = order[:-1], order[1:]
    flags = log.packets.flags
    joins = (
        (side[before] == side[after])
        & (data[before] > 0)
        & (data[after] > 0)
        & (flags[before] & (_PSH | _SYN_FIN_RST) == 0)
        & (flags[after] & _SYN_FIN_RST == 0)
        & (log.time_ns[after] - log.time_ns[before] <= _MERGE_NS)
    )
    begins = np.append(True, ~joins)
    number = np.cumsum(begins) - 1
    total = np.bincount(number, data[order]).astype(np.int64)
    together = np.zeros(number[-1] + 1, flags.dtype)
    np.bitwise_or.at(together, number, flags[order])
    firsts = order[begins]
    lengths, all_flags = length.copy(), flags.copy()
    lengths[firsts] = np.minimum(empty[firsts] + total, _LONGEST)
    all_flags[firsts] = together
    return log.with_columns(length=lengths, flags=all_flags).take(np.sort(firsts))


def farther(hops: int) -> Callable[[PacketLog], PacketLog]:
    """Where what goes to the service has passed so many more routers."""

    def later(log: PacketLog) -> PacketLog:
        inward = goes_inward(log)
        ttl = log.packets.ttl.astype(np.int64)
        return log.with_columns(ttl=np.where(inward, np.maximum(ttl - hops, 1), ttl))

    return later


DISTURBANCES: Mapping[str, Callable[[PacketLog], PacketLog]] = {
    "as captured": lambda log: log,
    "picked up at packet 4": from_packet(4),
    "picked up at packet 8": from_packet(8),
    "one way, to the service": one_way,
    "sampled 1:2": sampled(2),
    "sampled 1:10": sampled(10),
    "segments merged (GRO)": merged,
    "5 hops farther": farther(5),
}
"""By what a table calls them."""
