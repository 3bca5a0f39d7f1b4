"""Which flow a packet belongs to: its endpoints in order, and their keyed hash (docs/flow_rules.md)."""

import ipaddress
from functools import lru_cache
from typing import NamedTuple

from hdl.half_siphash import half_siphash_words

from .headers import Packet

__all__ = ["Endpoint", "Endpoints", "address_text", "endpoints_of", "identity_of"]

_TCP = 6
_WORD = 0xFFFF_FFFF


class Endpoint(NamedTuple):
    """One side of a flow; endpoints compare by address first, then by port."""

    address: int
    port: int


class Endpoints(NamedTuple):
    """Both sides of a flow, the lower one first: the same for packets of either direction."""

    version: int
    lower: Endpoint
    higher: Endpoint


def endpoints_of(packet: Packet) -> tuple[Endpoints, bool]:
    """The endpoints of a packet, and whether its sender is the lower one (it is when both are the same)."""
    sender = Endpoint(packet.source, packet.source_port)
    receiver = Endpoint(packet.destination, packet.destination_port)
    if sender <= receiver:
        return Endpoints(packet.version, sender, receiver), True
    return Endpoints(packet.version, receiver, sender), False


def address_text(version: int, address: int) -> str:
    """An address as people write it."""
    return str(ipaddress.IPv4Address(address) if version == 4 else ipaddress.IPv6Address(address))


@lru_cache(maxsize=1 << 16)
def identity_of(endpoints: Endpoints, key: int) -> int:
    """The 64-bit identity of a flow under a secret key."""
    version, lower, higher = endpoints
    words_per_address = 1 if version == 4 else 4
    words = [
        address >> 32 * index & _WORD
        for address in (lower.address, higher.address)
        for index in reversed(range(words_per_address))
    ]
    message_bytes = 8 * words_per_address + 4 + 1
    return half_siphash_words([*words, lower.port << 16 | higher.port, message_bytes << 24 | _TCP], key)
