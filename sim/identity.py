"""Which flow a packet belongs to: its endpoints in order, and their keyed hash (docs/flow_rules.md)."""

import ipaddress
from functools import lru_cache
from typing import NamedTuple

from hdl.half_siphash import half_siphash_words

from .headers import Packet

__all__ = ["Endpoint", "Endpoints", "Pseudonym", "address_text", "endpoints_of", "identity_of", "pseudonym_of"]

_TCP = 6
_WORD = 0xFFFF_FFFF


class Pseudonym(int):
    """What stands for an address in the records of a probe that keeps none."""


class Endpoint(NamedTuple):
    """One side of a flow; endpoints compare by address first, then by port. The address may be a pseudonym."""

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
    """An address as people write it; a pseudonym as 16 hexadecimal digits."""
    if isinstance(address, Pseudonym):
        return f"{address:016x}"
    return str(ipaddress.IPv4Address(address) if version == 4 else ipaddress.IPv6Address(address))


@lru_cache(maxsize=1 << 16)
def identity_of(endpoints: Endpoints, key: int) -> int:
    """The 64-bit identity of a flow under a secret key."""
    version, lower, higher = endpoints
    words = [*_words(version, lower.address), *_words(version, higher.address)]
    message_bytes = 4 * len(words) + 4 + 1
    return half_siphash_words([*words, lower.port << 16 | higher.port, message_bytes << 24 | _TCP], key)


@lru_cache(maxsize=1 << 16)
def pseudonym_of(version: int, address: int, key: int) -> Pseudonym:
    """The 64-bit pseudonym of an address under a secret key; no message of it is as long as one of an identity."""
    words = _words(version, address)
    return Pseudonym(half_siphash_words([*words, 4 * len(words) << 24], key))


def _words(version: int, address: int) -> list[int]:
    """The words of an address, the most significant first."""
    return [address >> 32 * index & _WORD for index in reversed(range(1 if version == 4 else 4))]
