"""Addresses behind pseudonyms: found again only with the probe's key, by hashing addresses that come into question."""

import ipaddress
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.errors import InputError
from sim.identity import pseudonym_of

from .networks import SENDER_SQL, Network

__all__ = ["pseudonyms_of_ipv4", "resolve_records"]

_CHUNK = 1 << 20
_MOST_IPV6 = 1 << 20
_LENGTH_WORD = 4 << 24
"""Behind the one word of an IPv4 address: its length in bytes, in the top byte."""


def pseudonyms_of_ipv4(addresses: NDArray[np.uint32], key: int) -> NDArray[np.uint64]:
    """:func:`sim.identity.pseudonym_of` of many IPv4 addresses at once (HalfSipHash-2-4)."""
    v0, v1 = (np.full(len(addresses), word, np.uint32) for word in (key & 0xFFFFFFFF, key >> 32 ^ 0xEE))
    v2, v3 = (
        np.full(len(addresses), word, np.uint32) for word in (key & 0xFFFFFFFF ^ 0x6C796765, key >> 32 ^ 0x74656462)
    )
    for word in (addresses, np.uint32(_LENGTH_WORD)):
        v3 = v3 ^ word
        for _ in range(2):
            v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        v0 = v0 ^ word
    v2 = v2 ^ np.uint32(0xEE)
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    low, v1 = v1 ^ v3, v1 ^ np.uint32(0xDD)
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return (v1 ^ v3).astype(np.uint64) << np.uint64(32) | low


def _rotate(value: NDArray[np.uint32], by: int) -> NDArray[np.uint32]:
    return value << np.uint32(by) | value >> np.uint32(32 - by)


def _round(v0, v1, v2, v3):
    v0 = v0 + v1
    v1 = _rotate(v1, 5) ^ v0
    v0 = _rotate(v0, 16)
    v2 = v2 + v3
    v3 = _rotate(v3, 8) ^ v2
    v0 = v0 + v3
    v3 = _rotate(v3, 7) ^ v0
    v2 = v2 + v1
    v1 = _rotate(v1, 13) ^ v2
    return v0, v1, _rotate(v2, 16), v3


def resolve_records(
    connection: Any, networks: Iterable[Network], key: int, tell: Callable[[str], None] = lambda _: None
) -> tuple[int, int]:
    """Put addresses into the view ``records`` in place of those pseudonyms that one of the networks explains.

    Pseudonyms are sought among the clients of records; returns how many of them were found, and how many there are.
    """
    rows = connection.execute("SELECT DISTINCT client_ip FROM records WHERE anonymised").fetchall()
    sought = {}
    for (text,) in rows:
        try:
            sought[int(text, 16)] = text
        except (ValueError, TypeError):
            raise InputError(f"client_ip of an anonymised record must be a pseudonym, not {text!r}") from None
    if not sought:
        return 0, 0
    wanted = np.array(sorted(sought), np.uint64)
    found = {}
    for network in networks:
        tell(f"hashing {network}")
        for address, pseudonym in _pseudonyms(network, key, wanted):
            if text := sought.get(pseudonym):
                found[text] = address
    connection.execute("CREATE TEMP TABLE resolved (pseudonym VARCHAR, address VARCHAR)")
    if found:
        connection.executemany("INSERT INTO resolved VALUES (?, ?)", [list(pair) for pair in found.items()])
    connection.execute("ALTER VIEW records RENAME TO anonymous")
    connection.execute(
        f"""CREATE VIEW records AS SELECT {SENDER_SQL} AS sender, * FROM (
        SELECT coalesce(address, client_ip) AS client_ip, anonymised AND address IS NULL AS anonymised,
        anonymous.* EXCLUDE (sender, client_ip, anonymised)
        FROM anonymous LEFT JOIN resolved ON anonymised AND client_ip = pseudonym)"""
    )
    return len(found), len(sought)


def _pseudonyms(network: Network, key: int, wanted: NDArray[np.uint64]) -> Iterator[tuple[str, int]]:
    """Addresses of a network whose pseudonyms may be wanted, with those."""
    if network.version == 6:
        if network.num_addresses > _MOST_IPV6:
            raise InputError(f"--addresses: {network} is too large to be tried, {_MOST_IPV6} addresses at most")
        for number in range(network.num_addresses):
            address = int(network.network_address) + number
            yield str(ipaddress.IPv6Address(address)), pseudonym_of(6, address, key)
        return
    first, last = int(network.network_address), int(network.broadcast_address)
    for begin in range(first, last + 1, _CHUNK):
        addresses = np.arange(begin, min(begin + _CHUNK, last + 1), dtype=np.int64).astype(np.uint32)
        pseudonyms = pseudonyms_of_ipv4(addresses, key)
        for at in np.flatnonzero(np.isin(pseudonyms, wanted)).tolist():
            yield str(ipaddress.IPv4Address(int(addresses[at]))), int(pseudonyms[at])
