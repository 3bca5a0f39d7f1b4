"""IpfixWriter: the messages of a probe from values in software, the model of ``hdl/exporter.py``.

It runs the very programs that the circuit runs. What it cannot know is when a record leaves compared with the
announcements in between, since that depends on clocks: see :class:`IpfixWriter`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from compiler.forest import Forest
from hdl.entry_layout import EntryLayout, StateBit
from hdl.exporter import ExporterParameters
from hdl.ipfix import Live, Message, Opcode
from hdl.item import FrameOutcome, ItemKind
from hdl.tally import Counter

from .items import Item
from .probe import ProbeRecord, SoftwareProbe
from .record_words import words_of_flow

__all__ = ["IpfixWriter", "ProgramValues", "probe_counters", "probe_messages", "run_program"]


@dataclass(frozen=True)
class ProgramValues:
    """What a program reads; see :class:`hdl.ipfix.Opcode`."""

    live: Mapping[Live, int]
    epoch_ms: int
    record: Sequence[int] = ()
    counters: Mapping[Counter, int] | None = None


def run_program(program: Message, values: ProgramValues) -> bytes:
    """The message that a program makes of these values."""
    return bytes(_byte(step.opcode, step.operand, values) for step in program)


def _byte(opcode: Opcode, operand: int, values: ProgramValues) -> int:
    match opcode:
        case Opcode.LITERAL:
            return operand
        case Opcode.RECORD:
            return values.record[operand >> 2] >> 8 * (operand & 3) & 0xFF
        case Opcode.TIME:
            return values.epoch_ms + values.record[operand >> 3] >> 8 * (operand & 7) & 0xFF
        case Opcode.COUNTER:
            return values.counters[Counter(operand >> 3)] >> 8 * (operand & 7) & 0xFF
        case Opcode.LIVE:
            return values.live[Live(operand >> 2)] >> 8 * (operand & 3) & 0xFF


class IpfixWriter:
    """Makes messages in the order in which an exporter sends them that is never kept waiting.

    A circuit that is busy sends the same records in the same order, but announces itself a few records earlier or
    later, and its export times are those of that moment.

    Parameters
    ----------
    parameters, layout: of the exporter
    epoch_ms: of the times in records, in milliseconds since 1970

    Attributes
    ----------
    seconds: export time, since 1970: of the set-up, which is the epoch, then of the last tick
    """

    def __init__(self, parameters: ExporterParameters, layout: EntryLayout, epoch_ms: int):
        self._parameters, self._layout, self._epoch_ms = parameters, layout, epoch_ms
        self.seconds = epoch_ms // 1000
        self._sequence = 0
        self._records = self._ticks = 0

    def tick(self, seconds: int) -> None:
        self.seconds = seconds
        self._ticks += 1

    @property
    def due(self) -> bool:
        """So many records or ticks have come that the exporter announces itself."""
        return self._records >= self._parameters.records_between or self._ticks >= self._parameters.ticks_between

    def announcement(self, counters: Mapping[Counter, int], fill: int, forest: Forest) -> Iterator[bytes]:
        """Templates, then counters."""
        self._records = self._ticks = 0
        said = {Live.FILL: fill, **_of_forest(forest)}
        yield self._message(self._parameters.templates, said)
        yield self._message(self._parameters.counters, said, counters=counters)
        self._sequence = self._sequence + 1 & 0xFFFF_FFFF

    def record(self, record: ProbeRecord) -> bytes:
        """The message of a flow record."""
        words = words_of_flow(record.flow, self._layout)
        ipv6 = words[0] >> StateBit.IPV6 & 1
        said = {
            Live.SCORE: record.score,
            Live.VERDICT: record.verdict,
            Live.REASON: record.reason,
            Live.DIRECTION: int(record.flow.syn),
            **_of_forest(record.forest),
        }
        message = self._message(self._parameters.ipv6 if ipv6 else self._parameters.ipv4, said, record=words)
        self._records += 1
        self._sequence = self._sequence + 1 & 0xFFFF_FFFF
        return message

    def _message(self, program: Message, live: Mapping[Live, int], **rest) -> bytes:
        live = {**live, Live.SECONDS: self.seconds, Live.SEQUENCE: self._sequence}
        return run_program(program, ProgramValues(live, self._epoch_ms, **rest))


def _of_forest(forest: Forest) -> dict[Live, int]:
    """What is said of the forest in use by a probe into which others can be loaded."""
    return {Live.FOREST: int(forest.id, 16), Live.MONITOR_ONLY: int(forest.monitor_only)}


def probe_messages(probe: SoftwareProbe, writer: IpfixWriter, items: Iterator[Item]) -> Iterator[bytes]:
    """What a probe sends that is set up and fed these items."""

    def announcement() -> Iterator[bytes]:
        return writer.announcement(probe_counters(probe), probe.table.fill, probe.forest)

    yield from announcement()
    for item in items:
        ended = 0 if probe.loading is None else probe.loading.ended
        records = list(probe.run([item]))
        if item.kind is ItemKind.TICK and item.body:
            writer.tick(int.from_bytes(item.body, "big"))
        for record in records:
            yield writer.record(record)
            if writer.due:
                yield from announcement()
        if item.kind is ItemKind.FLUSH or writer.due:
            yield from announcement()
        for _ in range(0 if probe.loading is None else probe.loading.ended - ended):
            yield from announcement()


def probe_counters(probe: SoftwareProbe) -> dict[Counter, int]:
    """The counters of a circuit as the software has them; it has room for every record."""
    counts = probe.counters
    counters = {Counter(outcome): probe.table.outcomes[outcome] for outcome in FrameOutcome} | {
        Counter.BAD_ITEMS: counts["bad_items"],
        Counter.RECORDS_SPAM: counts["verdict_spam"],
        Counter.RECORDS_BACKGROUND: counts["verdict_background"],
        Counter.RECORDS_BAND: counts["reason_band"],
        Counter.RECORDS_ONE_SIDED: counts["reason_one_sided"],
        Counter.RECORDS_MIDFLOW: counts["reason_midflow"],
        Counter.FRAMES_EXPORTED: counts["frames_exported"],
        Counter.RECORDS_SHORT: counts["records_unexported"] + counts["reason_short"],
        Counter.RECORDS_OVERLOAD: 0,
        Counter.FRAMES_SHORT: counts["frames_unexported"],
        Counter.FRAMES_OVERLOAD: 0,
    }
    if probe.forest.prefix:
        counters[Counter.RECORDS_EARLY] = counts["reason_early"]
    if probe.loading is not None:
        counters |= {
            Counter.RECORDS_UNCLASSIFIED: counts["reason_overload"],
            Counter.TABLES_REFUSED: probe.loading.refused,
        }
    return counters
