"""From candidates to a block list: which safeguards keep a sender out, and the formats that servers read."""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from compiler.errors import InputError

from .networks import NetworkList
from .ranking import Candidate, Ranking

__all__ = [
    "LOWEST_SHARE",
    "MINIMUM",
    "Decision",
    "Entry",
    "ListFormat",
    "check_own",
    "decide",
    "list_lines",
    "seems_shared",
]

MINIMUM = 10
"""SPAM records that make a spammer, as in the paper."""

LOWEST_SHARE = 0.5
"""Of SPAM among a sender's records, by the lower end of its 95 % interval."""

_SHARED_SPACE = ipaddress.ip_network("100.64.0.0/10")
"""Behind carrier-grade NAT (RFC 6598)."""
_SPECIAL = tuple(
    map(ipaddress.ip_network, ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/64", "fe80::/10", "ff00::/8"))
)
"""No mail comes from there (RFC 6890), and ``::/64`` holds the loopback and all IPv4 addresses mapped into IPv6."""
_SHARED_RECORDS, _SHARED_PART = 2, 0.1


class Decision(StrEnum):
    """What became of a candidate."""

    LISTED = "listed"
    MIXED = "too little of it is SPAM"
    ALLOWED = "allow list"
    SHARED = "shared address"
    UNRESOLVED = "pseudonym"
    SPECIAL = "no address of a host on the Internet"


class ListFormat(StrEnum):
    PLAIN = "plain"
    NFTABLES = "nftables"
    POSTFIX = "postfix"


@dataclass(frozen=True)
class Entry:
    """A candidate with its decision; ``shared`` is told also where the sender is listed all the same."""

    candidate: Candidate
    decision: Decision
    shared: bool

    @property
    def version(self) -> int:
        return 6 if ":" in self.candidate.sender else 4


def check_own(ranking: Ranking) -> None:
    """An own server that is like a spammer: somebody abuses it, or records are taken the wrong way round."""
    for worst in (own for own in ranking.own if own.spam_share_lower >= LOWEST_SHARE):
        raise InputError(
            f"--server: {worst.sender} is an own server and would be listed, {worst.spam} of its {worst.records} "
            "records are SPAM; see who sends through it before anything is blocked"
        )


def decide(ranking: Ranking, allowed: NetworkList, *, list_shared: bool = False) -> list[Entry]:
    """The decision about every candidate, the most SPAM records first."""
    return [_entry(candidate, allowed, list_shared) for candidate in ranking.candidates]


def _entry(candidate: Candidate, allowed: NetworkList, list_shared: bool) -> Entry:
    network = _network_of(candidate.sender)
    shared = network is not None and _is_shared(candidate, network)
    if network is None:
        decision = Decision.UNRESOLVED
    elif any(network.version == special.version and network.overlaps(special) for special in _SPECIAL):
        decision = Decision.SPECIAL
    elif candidate.spam_share_lower < LOWEST_SHARE:
        decision = Decision.MIXED
    elif allowed.overlaps(candidate.sender):
        decision = Decision.ALLOWED
    elif shared and not list_shared:
        decision = Decision.SHARED
    else:
        decision = Decision.LISTED
    return Entry(candidate, decision, shared)


def _network_of(sender: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(sender)
    except ValueError:
        pass
    if len(sender) == 16 and not set(sender) - set("0123456789abcdef"):
        return None
    raise InputError(f"client_ip of a record must be an address or a pseudonym, not {sender!r}")


def _is_shared(candidate: Candidate, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    """Several hosts may be behind it: it is of the space of carriers, or a part of what it sends is legitimate."""
    if network.version == 4 and network.subnet_of(_SHARED_SPACE):
        return True
    return bool(seems_shared(candidate.background, candidate.records))


def seems_shared(background: ArrayLike, records: ArrayLike) -> NDArray[np.bool_]:
    """So much of what a sender sends is BACKGROUND that several hosts may be behind its address."""
    return np.asarray(background) >= np.maximum(_SHARED_RECORDS, _SHARED_PART * np.asarray(records))


def list_lines(
    entries: Iterable[Entry], form: ListFormat, *, window: str, expires: datetime, now: datetime
) -> Iterator[str]:
    """The lines of a block list.

    Parameters
    ----------
    window: what the records are of, in words
    expires: when entries end
    now: when the list is loaded; nftables counts from then on
    """
    seconds = max(1, round((expires - now).total_seconds()))
    listed = [entry for entry in entries if entry.decision is Decision.LISTED]
    until = f"{expires:%Y-%m-%dT%H:%M:%SZ}"
    yield f"# {len(listed)} senders by their records from {window}; expires {until}"
    match form:
        case ListFormat.PLAIN:
            for entry in listed:
                yield from (f"# {_said(entry)}; expires {until}", entry.candidate.sender)
        case ListFormat.POSTFIX:
            yield "# check_client_access cidr:FILE"
            for entry in listed:
                yield from (f"# {_said(entry)}; expires {until}", f"{entry.candidate.sender} REJECT spam sender")
        case ListFormat.NFTABLES:
            yield "table inet hedgerow {"
            for version in (4, 6):
                flags = "timeout" if version == 4 else "interval, timeout"
                yield from (f"\tset spammers{version} {{", f"\t\ttype ipv{version}_addr", f"\t\tflags {flags}")
                of_version = [entry for entry in listed if entry.version == version]
                if of_version:
                    yield "\t\telements = {"
                    for entry in of_version:
                        yield from (f"\t\t\t# {_said(entry)}", f"\t\t\t{entry.candidate.sender} timeout {seconds}s,")
                    yield "\t\t}"
                yield "\t}"
            yield "}"


def _said(entry: Entry) -> str:
    candidate = entry.candidate
    shared = "; shared address" if entry.shared else ""
    return (
        f"{candidate.spam} SPAM of {candidate.records} records, lower bound {candidate.spam_share_lower:.2f}, "
        f"{candidate.first:%Y-%m-%dT%H:%M:%SZ} to {candidate.last:%Y-%m-%dT%H:%M:%SZ}{shared}"
    )
