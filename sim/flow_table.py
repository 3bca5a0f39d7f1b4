"""The flow table, event by event: the executable specification that the circuit is held to (docs/flow_rules.md).

Written to be read: one rule of the document, one method here. Nothing is hidden behind a faster form.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from hdl.accumulator import COUNT_BITS, FLAG_BITS, PACKETS
from hdl.item import OF_THE_LINK, FrameOutcome, ItemKind
from hdl.verdict import EndReason

from .flow_record import FlowRecord
from .headers import Packet
from .identity import Endpoint, Endpoints, endpoints_of, identity_of, pseudonym_of
from .table_parameters import TableParameters

__all__ = ["FlowTable", "TableParameters"]

_FIN, _SYN, _RST, _ACK = (1 << FLAG_BITS[name] for name in ("FIN", "SYN", "RST", "ACK"))
_FULL_COUNT = (1 << COUNT_BITS) - 1


class _Entry:
    """One slot of the table while a flow is in it."""

    def __init__(self, identity: object, endpoints: Endpoints, initiator_high: bool, now: int, width: int):
        self.identity = identity
        self.endpoints = endpoints
        self.initiator_high = initiator_high
        self.first = now
        self.last = now
        self.closed = now
        self.closing = False
        self.syn = False
        self.fin_forward = False
        self.fin_response = False
        self.forward = [0] * width
        self.response = [0] * width

    @property
    def packets(self) -> int:
        return self.forward[0] + self.response[0]


class _Arrival(NamedTuple):
    """A tracked packet, and the slots its flow may be in, in the order in which they are compared."""

    packet: Packet
    endpoints: Endpoints
    sender_low: bool
    identity: object
    slots: tuple[object, ...]

    @property
    def opens(self) -> bool:
        """SYN without ACK."""
        return self.packet.flags & (_SYN | _ACK) == _SYN


class FlowTable:
    """Takes items in order and gives records in order.

    Parameters
    ----------
    parameters:
        Shape, timeouts and rules.
    key:
        64-bit secret key of the hash; a table without limit tells flows apart by their endpoints and needs none.

    Attributes
    ----------
    now:
        Latest time of all items so far.
    outcomes:
        Frames by outcome.
    filled:
        Entries filled so far: flows begun, restarts included.
    """

    def __init__(self, parameters: TableParameters, key: int = 0):
        self.parameters = parameters
        self.now = 0
        self.outcomes: Counter[FrameOutcome] = Counter()
        self.filled = 0
        self._key = key
        # PACKETS stands first, so that an entry finds its packet counters.
        self._accumulators = (PACKETS, *(a for a in parameters.accumulators if a != PACKETS))
        self._pointer = 0
        # Entries by index in a limited table (set · ways + way), by identity, in the order of filling, in one without.
        self._entries: dict[object, _Entry | None] = {}
        if parameters.sets is not None:
            self._entries = dict.fromkeys(range(parameters.sets * parameters.ways))

    @property
    def frames_in_table(self) -> int:
        """Frames whose flow has not left the table."""
        return sum(entry.packets for entry in self._entries.values() if entry is not None)

    @property
    def fill(self) -> int:
        """Entries in use."""
        return sum(entry is not None for entry in self._entries.values())

    def item(
        self, kind: ItemKind, time_ms: int, outcome: FrameOutcome | None = None, packet: Packet | None = None
    ) -> list[FlowRecord]:
        """The records that one item causes: at most one, but for a flush.

        ``outcome`` is that of a frame; ``packet`` is given when the outcome is USED.
        """
        if kind is ItemKind.FRAME:
            self.outcomes[outcome] += 1
            if outcome in OF_THE_LINK or outcome is FrameOutcome.NOT_READY:
                return []
        self.now = max(self.now, time_ms)
        if kind is ItemKind.FLUSH:
            return list(self._flush())
        record = self._take(packet) if outcome is FrameOutcome.USED else None
        if self.parameters.sets is not None:
            if record is None:
                record = self._sweep()
            self._pointer = (self._pointer + 1) % len(self._entries)
        return [] if record is None else [record]

    def restart(self, key: int) -> None:
        """Begin a new run with another key; the table has been flushed."""
        assert not self.fill
        self.now = 0
        self._key = key

    # Rule 1: a used frame.

    def _take(self, packet: Packet) -> FlowRecord | None:
        arrival = self._arrival(packet)
        for slot in arrival.slots:
            entry = self._entries.get(slot)
            if entry is not None and entry.identity == arrival.identity:
                return self._hit(slot, entry, arrival)
        return self._miss(arrival)

    def _arrival(self, packet: Packet) -> _Arrival:
        endpoints, sender_low = endpoints_of(packet)
        sets, ways = self.parameters.sets, self.parameters.ways
        if sets is None:
            return _Arrival(packet, endpoints, sender_low, endpoints, (endpoints,))
        identity = identity_of(endpoints, self._key)
        first = identity % sets * ways
        return _Arrival(packet, endpoints, sender_low, identity, tuple(range(first, first + ways)))

    def _hit(self, slot: object, entry: _Entry, arrival: _Arrival) -> FlowRecord | None:
        reopened = entry.closing and arrival.opens and self.parameters.linger_ms is not None
        if not self._expired(entry) and not reopened:
            full = self._update(entry, arrival)
            if full:
                return self._free(slot, EndReason.ACTIVE)
            return self._record(entry, EndReason.ACTIVE, early=True) if entry.packets == self.parameters.early else None
        record = self._free(slot, self._own_reason(entry))
        self._fill(slot, arrival, previous=entry)
        return record

    def _miss(self, arrival: _Arrival) -> FlowRecord | None:
        entries = [self._entries.get(slot) for slot in arrival.slots]
        record = None
        if None in entries:
            slot = arrival.slots[entries.index(None)]
        elif (way := next((way for way, e in enumerate(entries) if self._expired(e)), None)) is not None:
            slot = arrival.slots[way]
            record = self._free(slot, self._own_reason(entries[way]))
        else:
            # One-packet entries go first, so that a SYN flood does not evict conversations. min() keeps the lowest way.
            way = min(range(len(entries)), key=lambda way: (entries[way].packets > 1, entries[way].last))
            slot = arrival.slots[way]
            record = self._free(slot, EndReason.RESOURCES)
        self._fill(slot, arrival, previous=None)
        return record

    # Rule 2: one entry is swept at every frame and tick that emitted nothing.

    def _sweep(self) -> FlowRecord | None:
        entry = self._entries[self._pointer]
        if entry is None or not self._expired(entry):
            return None
        return self._free(self._pointer, self._own_reason(entry))

    def _flush(self) -> Iterator[FlowRecord]:
        for slot in [slot for slot, entry in self._entries.items() if entry is not None]:
            yield self._free(slot, EndReason.FORCED)

    # Timeouts.

    def _expired(self, entry: _Entry) -> bool:
        return (
            (entry.closing and _reached(self.now - entry.closed, self.parameters.linger_ms))
            or _reached(self.now - entry.last, self.parameters.idle_ms)
            or _reached(self.now - entry.first, self.parameters.active_ms)
        )

    def _own_reason(self, entry: _Entry) -> EndReason:
        if entry.closing:
            return EndReason.END
        return EndReason.IDLE if _reached(self.now - entry.last, self.parameters.idle_ms) else EndReason.ACTIVE

    # Filling, updating, freeing.

    def _fill(self, slot: object, arrival: _Arrival, previous: _Entry | None) -> None:
        initiator_high = self._initiator_high(arrival, previous)
        endpoints = self._kept(arrival.endpoints)
        entry = _Entry(arrival.identity, endpoints, initiator_high, self.now, len(self._accumulators))
        self._entries[slot] = entry
        self.filled += 1
        self._update(entry, arrival)

    def _kept(self, endpoints: Endpoints) -> Endpoints:
        """What the entry holds of its endpoints; they stay in the order of their addresses."""
        if not self.parameters.anonymised:
            return endpoints
        version, *sides = endpoints
        return Endpoints(version, *(Endpoint(pseudonym_of(version, a, self._key), port) for a, port in sides))

    def _initiator_high(self, arrival: _Arrival, previous: _Entry | None) -> bool:
        packet, ports = arrival.packet, self.parameters.ports
        sender_high, receiver_high = not arrival.sender_low, arrival.sender_low
        if arrival.endpoints.lower == arrival.endpoints.higher:
            return False
        if self.parameters.orientation == "first":
            return sender_high
        if packet.flags & _SYN:
            return receiver_high if packet.flags & _ACK else sender_high
        if previous is not None:
            return previous.initiator_high
        if ports is not None and packet.source_port in ports and packet.destination_port not in ports:
            return receiver_high
        return sender_high

    def _update(self, entry: _Entry, arrival: _Arrival) -> bool:
        """Add a packet to an entry; true when the packet counter of its direction is then full."""
        packet = arrival.packet
        forward = arrival.sender_low != entry.initiator_high
        side = entry.forward if forward else entry.response
        empty = side[0] == 0
        for index, accumulator in enumerate(self._accumulators):
            side[index] = accumulator.update(
                side[index],
                empty=empty,
                length=packet.length,
                window=packet.window,
                ttl=packet.ttl,
                flags=packet.flags,
            )
        entry.last = self.now
        entry.syn |= bool(packet.flags & _SYN)
        if packet.flags & _FIN:
            entry.fin_forward |= forward
            entry.fin_response |= not forward
        if not entry.closing and (packet.flags & _RST or (entry.fin_forward and entry.fin_response)):
            entry.closing = True
            entry.closed = self.now
        return side[0] == _FULL_COUNT

    def _free(self, slot: object, reason: EndReason) -> FlowRecord:
        entry = self._entries[slot]
        if self.parameters.sets is None:
            del self._entries[slot]
        else:
            self._entries[slot] = None
        return self._record(entry, reason)

    def _record(self, entry: _Entry, reason: EndReason, *, early: bool = False) -> FlowRecord:
        version, lower, higher = entry.endpoints
        initiator, responder = (higher, lower) if entry.initiator_high else (lower, higher)
        return FlowRecord(
            version=version,
            initiator=initiator,
            responder=responder,
            initiator_high=entry.initiator_high,
            first_ms=entry.first,
            last_ms=entry.last,
            end_reason=reason,
            early=early,
            syn=entry.syn,
            fin_forward=entry.fin_forward,
            fin_response=entry.fin_response,
            closing=entry.closing,
            forward=dict(zip(self._accumulators, entry.forward, strict=True)),
            response=dict(zip(self._accumulators, entry.response, strict=True)),
        )


def _reached(elapsed_ms: int, timeout_ms: int | None) -> bool:
    return timeout_ms is not None and elapsed_ms >= timeout_ms
