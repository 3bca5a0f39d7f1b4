"""What a probe has sent, from the bytes of its serial line: flow records and counters with their meaning."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from compiler.features import CATALOGUE, accumulators_of
from compiler.information_elements import COUNTERS, Element, Iana, Own, element_of, own
from hdl.accumulator import PACKETS, Accumulator
from hdl.cobs import cobs_decode
from hdl.item import FrameOutcome
from hdl.tally import Counter
from hdl.verdict import EndReason, Verdict, VerdictReason

from .identity import Endpoint, Pseudonym
from .ipfix_messages import MAX_MESSAGE_BYTES, Collector, DataRecord, IpfixMessage

__all__ = ["ExportStream", "ExportedCounters", "ExportedRecord", "exported"]

_MAX_ENCODED_BYTES = MAX_MESSAGE_BYTES + MAX_MESSAGE_BYTES // 254 + 1
"""A longer piece without a zero is no frame."""

_LAST_MS = 253_402_300_799_999
"""The end of the year 9999; a time behind it is an error of the line, which has no checksum."""

_ACCUMULATORS = accumulators_of(tuple(CATALOGUE))
_FORWARD = {element_of(accumulator, response=False): accumulator for accumulator in _ACCUMULATORS}
_RESPONSE = {element_of(accumulator, response=True): accumulator for accumulator in _ACCUMULATORS}
_COUNTER = {own(number): counter for counter, number in COUNTERS.items()}

_ADDRESSES = {
    4: (Element(Iana.sourceIPv4Address), Element(Iana.destinationIPv4Address)),
    6: (Element(Iana.sourceIPv6Address), Element(Iana.destinationIPv6Address)),
}
_PSEUDONYMS = (own(Own.sourcePseudonym), own(Own.destinationPseudonym))


@dataclass(frozen=True, kw_only=True)
class ExportedRecord:
    """A flow and what the probe says about it.

    Attributes
    ----------
    version: 4 or 6
    initiator, responder: forward packets go from the first to the second
    first_ms, last_ms: milliseconds since 1970
    biflow_direction: 1 when a SYN told the initiator, else 0
    forward, response: those accumulators that the template holds
    monitor_only: the forest's verdicts are to be looked at, not acted on
    early: of the first packets of a flow; another record comes at its end, which accounts for all frames
    """

    version: int
    initiator: Endpoint
    responder: Endpoint
    first_ms: int
    last_ms: int
    end_reason: EndReason
    biflow_direction: int
    forward: Mapping[Accumulator, int]
    response: Mapping[Accumulator, int]
    verdict: Verdict
    reason: VerdictReason
    score: int
    forest_id: int
    build_id: int
    monitor_only: bool = False
    early: bool = False

    @property
    def packets(self) -> int:
        """Packets of both directions, which is also the number of frames the record accounts for."""
        return self.forward[PACKETS] + self.response[PACKETS]


@dataclass(frozen=True, kw_only=True)
class ExportedCounters:
    """Totals since the probe was reset.

    Attributes
    ----------
    counters: those that the template holds
    fill: entries of the flow table in use
    seconds: since 1970
    """

    counters: Mapping[Counter, int]
    fill: int
    seconds: int
    forest_id: int
    build_id: int

    @property
    def frames(self) -> int:
        """Frames of all outcomes, so all that came to the probe."""
        return sum(self.counters[Counter(outcome)] for outcome in FrameOutcome)


def exported(record: DataRecord) -> ExportedRecord | ExportedCounters:
    """What a data record of a probe says.

    Raises
    ------
    ValueError
        When it lacks an element that every probe sends, or a value has no meaning.
    """
    try:
        return _counters(record) if record.options else _flow(record)
    except KeyError as error:
        element = error.args[0]
        raise ValueError(f"A record of template {record.template} must hold element {element}") from None


def _flow(record: DataRecord) -> ExportedRecord:
    version, initiator, responder = _addresses(record)
    first_ms = record.unsigned(Element(Iana.flowStartMilliseconds))
    last_ms = record.unsigned(Element(Iana.flowEndMilliseconds))
    if not first_ms <= last_ms <= _LAST_MS:
        raise ValueError(f"A flow must end after it starts and before the year 10000, not {first_ms} to {last_ms} ms")
    return ExportedRecord(
        version=version,
        initiator=Endpoint(initiator, record.unsigned(Element(Iana.sourceTransportPort))),
        responder=Endpoint(responder, record.unsigned(Element(Iana.destinationTransportPort))),
        first_ms=first_ms,
        last_ms=last_ms,
        end_reason=EndReason(record.unsigned(Element(Iana.flowEndReason))),
        biflow_direction=record.unsigned(Element(Iana.biflowDirection)),
        forward={_FORWARD[element]: record.unsigned(element) for element in record.values if element in _FORWARD},
        response={_RESPONSE[element]: record.unsigned(element) for element in record.values if element in _RESPONSE},
        verdict=Verdict(record.signed(own(Own.verdict))),
        reason=VerdictReason(record.unsigned(own(Own.verdictReason))),
        score=record.signed(own(Own.score)),
        forest_id=record.unsigned(own(Own.forestId)),
        build_id=record.unsigned(own(Own.buildId)),
        monitor_only=bool(record.unsigned(own(Own.monitorOnly))),
        early=own(Own.early) in record.values and bool(record.unsigned(own(Own.early))),
    )


def _addresses(record: DataRecord) -> tuple[int, int, int]:
    """The version of IP, and the addresses or pseudonyms of initiator and responder."""
    if _PSEUDONYMS[0] in record.values:
        version = record.unsigned(Element(Iana.ipVersion))
        if version not in _ADDRESSES:
            raise ValueError(f"IP version must be 4 or 6, not {version}")
        return version, *(Pseudonym(record.unsigned(element)) for element in _PSEUDONYMS)
    version = 4 if _ADDRESSES[4][0] in record.values else 6
    return version, *(record.unsigned(element) for element in _ADDRESSES[version])


def _counters(record: DataRecord) -> ExportedCounters:
    return ExportedCounters(
        counters={_COUNTER[element]: record.unsigned(element) for element in record.values if element in _COUNTER},
        fill=record.unsigned(own(Own.flowTableFill)),
        seconds=record.unsigned(Element(Iana.observationTimeSeconds)),
        forest_id=record.unsigned(own(Own.forestId)),
        build_id=record.unsigned(Element(Iana.observationDomainId)),
    )


class ExportStream:
    """Takes the bytes of a serial line as they come and gives what they say.

    Parameters
    ----------
    on_message: called with the bytes of every message that was read

    Attributes
    ----------
    bad_frames: pieces between zeros that were no message: the line was joined in the middle, or has errors
    undecodable: sets and records of data that could not be read, by reason
    missing: data records that the probe sent and that did not come
    """

    def __init__(self, on_message: Callable[[bytes], object] = lambda _: None):
        self.bad_frames = 0
        self.undecodable: dict[str, int] = {}
        self.missing = 0
        self._on_message = on_message
        self._collector = Collector()
        self._piece = bytearray()

    def feed(self, data: bytes) -> Iterator[ExportedRecord | ExportedCounters]:
        """What was completed by these bytes."""
        for message in self.messages(data):
            for record in message.records:
                try:
                    yield exported(record)
                except ValueError as error:
                    self._count(str(error))

    def messages(self, data: bytes) -> Iterator[IpfixMessage]:
        """The messages that were completed by these bytes."""
        *ended, rest = data.split(b"\0")
        for last in ended:
            self._piece += last
            piece, self._piece = bytes(self._piece), bytearray()
            # Nothing between two zeros is a line at rest.
            if piece and (message := self._message(piece)) is not None:
                yield message
        # One byte more than a frame may have is enough to know that the piece is none.
        self._piece = (self._piece + rest)[: _MAX_ENCODED_BYTES + 1]

    def _message(self, piece: bytes) -> IpfixMessage | None:
        try:
            content = cobs_decode(piece)
            message = self._collector.read(content)
        except ValueError:
            self.bad_frames += 1
            return None
        self._on_message(content)
        self.missing += message.missing
        for undecodable in message.undecodable:
            self._count(f"template {undecodable.template}: {undecodable.reason}")
        return message

    def _count(self, reason: str) -> None:
        self.undecodable[reason] = self.undecodable.get(reason, 0) + 1
