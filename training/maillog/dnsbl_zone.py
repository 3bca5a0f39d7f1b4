"""The addresses on a DNS blacklist, from its zone file: of rbldnsd (ip4set, ip6), BIND, or one address a line."""

import ipaddress
import re
from pathlib import Path

from compiler.errors import InputError

from .log_lines import LineTally, log_lines

__all__ = ["DnsblZone"]

_REVERSED = re.compile(r"((?:\d{1,3}\.){3}\d{1,3}|(?:[0-9a-f]\.){31}[0-9a-f])(?:\.[\w.-]+)?\s.*\b(?:A|TXT)\b", re.I)
_ENTRY = re.compile(r"(!?)([0-9A-Fa-f.:]+)(?:/(\d+)|-([0-9.]+))?(?:\s|:|$)")
_BITS = {4: 32, 6: 128}


class DnsblZone:
    """Answers whether an address is listed; of nested networks the smallest decides.

    Attributes
    ----------
    entries: addresses and networks in the file
    tally: of its lines
    """

    def __init__(self, path: Path):
        self.tally = LineTally()
        self.entries = 0
        self._listed: dict[tuple[int, int], dict[int, bool]] = {}
        for line in log_lines(path, self.tally):
            text = line.strip()
            # Settings, the default answer, comments, and what zone files of BIND begin with.
            if not text or text[0] in "$:#;@" or re.match(r"\S+\s+(?:\d+\s+)?IN\s+(?:NS|SOA)\b", text):
                continue
            if not self._take(text):
                self.tally.cannot_parse(path, line)
        if not self.entries:
            raise InputError(f"{path}: lists no address in {self.tally.lines} lines")

    def __contains__(self, address: tuple[int, int]) -> bool:
        """Whether an address, by its version and number, is listed."""
        version, number = address
        for (of_version, shift), networks in self._sorted():
            if of_version == version and (listed := networks.get(number >> shift)) is not None:
                return listed
        return False

    def _sorted(self) -> list:
        return sorted(self._listed.items(), key=lambda entry: entry[0][1])

    def _take(self, text: str) -> bool:
        if found := _REVERSED.match(text):
            labels = found[1].split(".")[::-1]
            address = ".".join(labels) if len(labels) == 4 else "".join(labels)
            if len(labels) == 4:
                return self._add(address, True)
            return self._add(str(ipaddress.IPv6Address(int(address, 16))), True)
        found = _ENTRY.match(text)
        if found is None:
            return False
        listed = not found[1]
        if not found[4]:
            return self._add(f"{found[2]}/{found[3]}" if found[3] else found[2], listed)
        try:
            ends = (ipaddress.IPv4Address(text) for text in (found[2], _completed(found[2], found[4])))
            networks = list(ipaddress.summarize_address_range(*ends))
        except (ValueError, TypeError):
            return False
        for network in networks:
            self._add(network, listed)
        return True

    def _add(self, network: str | ipaddress.IPv4Network, listed: bool) -> bool:
        try:
            parsed = ipaddress.ip_network(network, strict=False)
        except ValueError:
            return False
        shift = _BITS[parsed.version] - parsed.prefixlen
        self._listed.setdefault((parsed.version, shift), {})[int(parsed.network_address) >> shift] = listed
        self.entries += 1
        return True


def _completed(first: str, last: str) -> str:
    """The end of a range, of which rbldnsd allows the last numbers alone."""
    numbers = last.split(".")
    return ".".join([*first.split(".")[: 4 - len(numbers)], *numbers])
