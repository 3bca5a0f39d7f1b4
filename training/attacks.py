"""Simulated attacks: what senders of spam may do so as not to be known, as changes of their packets.

Packets are changed, not features, so that a flow is one that a probe could have measured. Nothing here has been seen in
the field.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hdl.accumulator import FLAG_BITS

from .conversations import conversations, empty_lengths, endpoints_of, goes_inward, has_address, place_within
from .labels import LabelTable
from .packet_log import PacketLog

__all__ = ["ATTACKS", "Attack", "ham_lengths", "mixed_in"]

_RST = 1 << FLAG_BITS["RST"]
_LONGEST = 0xFFFF
_STRETCH = 10
_SHORT_PACKETS = 8
_NEW_TTL = 237  # of a stack that begins at 255, 18 hops away
_NEW_WINDOW = 4

HamLengths = Sequence[NDArray[np.int64]]
"""Of every conversation of ham, the lengths of the packets with data that its client sent."""


@dataclass(frozen=True)
class Attack:
    """A change of the packets of some conversations.

    Attributes
    ----------
    rule:
        What is done, in words.
    change:
        Of packets that are all of the attack.
    is_spam:
        What it makes is still spam; else its flows are ``other``.
    """

    name: str
    rule: str
    change: Callable[[PacketLog, HamLengths, np.random.Generator], PacketLog]
    is_spam: bool = True


def _padded(log: PacketLog, hams: HamLengths, generator: np.random.Generator) -> PacketLog:
    number, _ = conversations(log)
    rows = np.flatnonzero(_client_data(log))
    model = generator.integers(len(hams), size=number.max(initial=0) + 1)[number[rows]]
    place = place_within(number[rows])
    table = np.zeros((len(hams), max(map(len, hams)) + 1), np.int64)
    for at, lengths in enumerate(hams):
        table[at, : len(lengths)] = lengths
    length = log.packets.length.astype(np.int64)
    length[rows] = np.maximum(length[rows], table[model, np.minimum(place, table.shape[1] - 1)])
    return log.with_columns(length=length)


def _slowed(log: PacketLog, hams: HamLengths, generator: np.random.Generator) -> PacketLog:
    number, _ = conversations(log)
    first = np.full(number.max(initial=0) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, number, log.time_ns)
    times = first[number] + _STRETCH * (log.time_ns - first[number])
    return PacketLog(log.version, log.packets, times).take(np.argsort(times, kind="stable"))


def _cut_short(log: PacketLog, hams: HamLengths, generator: np.random.Generator) -> PacketLog:
    number, _ = conversations(log)
    late, inward = place_within(number) >= _SHORT_PACKETS, goes_inward(log)
    rows = np.flatnonzero(late & inward)
    last = rows[place_within(number[rows]) == 0]
    length, flags = log.packets.length.astype(np.int64), log.packets.flags.copy()
    length[last] = empty_lengths(log)[last]
    flags[last] = _RST
    kept = ~late
    kept[last] = True
    return log.with_columns(length=length, flags=flags).take(kept)


def _half_open(log: PacketLog, hams: HamLengths, generator: np.random.Generator) -> PacketLog:
    return log.take(place_within(conversations(log)[0]) < 2)


def _new_stack(log: PacketLog, hams: HamLengths, generator: np.random.Generator) -> PacketLog:
    inward, window = goes_inward(log), log.packets.window.astype(np.int64)
    return log.with_columns(
        ttl=np.where(inward, _NEW_TTL, log.packets.ttl),
        window=np.where(inward, np.minimum(_NEW_WINDOW * window, _LONGEST), window),
    )


ATTACKS: Mapping[str, Attack] = {
    attack.name: attack
    for attack in (
        Attack("pad", "the k-th packet with data is at least as long as that of a ham flow drawn at random", _padded),
        Attack("slow", f"all gaps are {_STRETCH} times as long", _slowed),
        Attack("short", f"after {_SHORT_PACKETS} packets the client ends the connection with RST", _cut_short),
        Attack("flood", "SYN and SYN+ACK, nothing after them", _half_open, is_spam=False),
        Attack("stack", f"the client's TTL is {_NEW_TTL} and its windows are {_NEW_WINDOW} times as large", _new_stack),
    )
}
"""By name."""


def ham_lengths(logs: Sequence[PacketLog], labels: LabelTable) -> list[NDArray[np.int64]]:
    """The lengths that :data:`ATTACKS` may pad to, from the flows that are labelled ham."""
    hams, found = labels.endpoints("ham"), []
    for log in logs:
        number, _ = conversations(log)
        is_ham = np.array([endpoints_of(log, at) in hams for at in np.unique(number, return_index=True)[1].tolist()])
        rows = np.flatnonzero(_client_data(log) & is_ham[number]) if len(log) else np.zeros(0, np.int64)
        rows = rows[np.argsort(number[rows], kind="stable")]
        ends = np.flatnonzero(np.diff(number[rows])) + 1
        found += [part for part in np.split(log.packets.length[rows].astype(np.int64), ends) if len(part)]
    return found


def mixed_in(senders_of: Mapping[str, frozenset[str]], hams: HamLengths, seed: int) -> Callable[[PacketLog], PacketLog]:
    """The same packets, but for those from and to the senders of each attack."""

    def changed(log: PacketLog) -> PacketLog:
        generator = np.random.default_rng(seed)
        for name, senders in senders_of.items():
            chosen = has_address(log, senders)
            if chosen.any():
                log = log.take(~chosen).joined(ATTACKS[name].change(log.take(chosen), hams, generator))
        return log

    return changed


def _client_data(log: PacketLog) -> NDArray[np.bool_]:
    return goes_inward(log) & (log.packets.length > empty_lengths(log))
