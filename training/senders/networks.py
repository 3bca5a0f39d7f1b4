"""Lists of addresses and networks, and the name that a sender goes by: its address, of IPv6 its /64."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from compiler.errors import InputError

__all__ = ["SENDER_SQL", "Network", "NetworkList", "network_list", "read_networks", "sender_name"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_IPV6_PREFIX = 64
"""A site has a /64 at least, and its hosts change the rest of their addresses as they like (RFC 8981)."""


def sender_name(address: str) -> str:
    """What a sender is called in lists: an IPv4 address, the /64 of an IPv6 address, or a pseudonym as it is."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network(f"{address}/{_IPV6_PREFIX}", strict=False))


# The same in SQL for addresses in any spelling; `::` stands for as many zeros as are missing of eight groups.
_HEAD = "string_split(split_part(client_ip, '::', 1), ':')"
_TAIL = "string_split(split_part(client_ip, '::', 2), ':')"
_FILLED = (
    f"list_concat(list_filter({_HEAD}, lambda g: g <> ''), "
    f"list_transform(range(8 - len(list_filter({_HEAD}, lambda g: g <> '')) "
    f"- len(list_filter({_TAIL}, lambda g: g <> ''))), lambda i: '0'))"
)
_FIRST_FOUR = (
    f"array_to_string(list_transform(({_FILLED} || list_filter({_TAIL}, lambda g: g <> ''))[1:4], "
    "lambda g: CASE WHEN ltrim(g, '0') = '' THEN '0' ELSE lower(ltrim(g, '0')) END), ':')"
)
SENDER_SQL = (
    "CASE WHEN NOT contains(client_ip, ':') THEN client_ip "
    f"ELSE regexp_replace({_FIRST_FOUR}, '(^0)?(:0)*$', '') || '::/64' END"
)
"""The :func:`sender_name` of ``client_ip``. The zeros behind a /64 are the longest run, so `::` stands for them."""


@dataclass
class NetworkList:
    """Networks by size; says whether an address or a network lies in one of them."""

    _of_size: dict[tuple[int, int], set[int]] = field(default_factory=dict)

    def add(self, network: Network) -> None:
        shift = network.max_prefixlen - network.prefixlen
        self._of_size.setdefault((network.version, shift), set()).add(int(network.network_address) >> shift)

    def overlaps(self, sender: str) -> bool:
        """Whether any address of a sender is in the list; a pseudonym is in none."""
        try:
            network = ipaddress.ip_network(sender, strict=False)
        except ValueError:
            return False
        first, last = int(network.network_address), int(network.broadcast_address)
        for (version, shift), found in self._of_size.items():
            if version != network.version:
                continue
            low, high = first >> shift, last >> shift
            if low in found or (low != high and any(low <= number <= high for number in found)):
                return True
        return False


def read_networks(path: Path) -> list[Network]:
    """Addresses and networks of a file, one a line, comments behind ``#``."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8 text") from None
    found = []
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        try:
            found.append(ipaddress.ip_network(text, strict=False))
        except ValueError:
            raise InputError(f"{path}: line {number}: must be an address or a network, not {text!r}") from None
    return found


def network_list(networks: Iterable[Network]) -> NetworkList:
    made = NetworkList()
    for network in networks:
        made.add(network)
    return made
