"""Feed: the headers of a capture to the probe on a board, and its records back."""

import contextlib
from collections import Counter as Tally
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from compiler.errors import CheckFailed, InputError
from compiler.forest import Forest
from compiler.manifest import Manifest, read_manifest
from hdl.item import ItemKind
from hdl.tally import Counter
from hdl.verdict import Verdict

from .capture import Cut
from .export_records import ExportedCounters, ExportedRecord, ExportStream
from .feed_devices import open_line, open_spi
from .feed_key import key_of
from .feed_link import BoardLink, LineReader, paced
from .identity import address_text
from .items import TICK_MS, Item, setup_item
from .load import Load
from .record_file import RecordWriter, check_record_target, time_text, writing_records
from .replay import capture_items

__all__ = [
    "PACES",
    "SPEED_HZ",
    "Fed",
    "FeedParameters",
    "Receiver",
    "RecordLines",
    "check_loaded",
    "feed",
    "feed_capture",
    "verdict_line",
]

SPEED_HZ = 6_000_000
"""A quarter of the clock of the boards there are."""

PACES = ("real", "fast")


@dataclass(frozen=True)
class FeedParameters:
    """How a board is fed.

    Parameters
    ----------
    device, speed_hz: see :func:`open_spi`
    pace: ``real``, as the capture was taken, or ``fast``
    key_file: of the secret key; made when there is none. None is a random key that nobody keeps
    tick_ms: tick period
    limit: frames
    records: serial port that records come back on
    export: what the board holds
    load: another forest, and when the board is loaded with it
    out: file for the records; without one each is a line
    """

    device: str
    speed_hz: int = SPEED_HZ
    pace: str = "fast"
    key_file: Path | None = None
    tick_ms: int = TICK_MS
    limit: int | None = None
    records: str | None = None
    export: Path | None = None
    out: Path | None = None
    load: Load | None = None

    def check(self) -> None:
        """Refuse what cannot be done before any of it has been done."""
        if self.pace not in PACES:
            raise InputError(f"--pace: must be {' or '.join(PACES)}, not {self.pace!r}")
        if self.records is None and self.out is not None:
            raise InputError("--out: needs --records, the serial port that records come back on")
        if self.records is not None and self.export is None:
            raise InputError("--records: needs --export, the export that the board holds, to know its records by")
        if self.load is not None and self.export is None:
            raise InputError("--forest: needs --export, the export that the board holds, to make its tables by")
        if self.out is not None:
            check_record_target(self.out)


@dataclass
class Fed:
    """What a board was fed and gave.

    Attributes
    ----------
    items, frames: that the board has taken; frames are items too
    refused: tries that it has not
    records: by verdict
    counters: those that the probe sent last, None when it sent none
    losses: what came back that could not be read, by reason
    """

    items: int = 0
    frames: int = 0
    refused: int = 0
    records: Tally[Verdict] = field(default_factory=Tally)
    counters: ExportedCounters | None = None
    losses: Tally[str] = field(default_factory=Tally)


class Receiver:
    """Takes what comes over the serial line of a board that holds an export.

    Parameters
    ----------
    line: where it comes from, and its name for errors
    manifest: of the export
    writer: takes the records
    """

    def __init__(self, line: LineReader, name: str, manifest: Manifest, writer: RecordWriter):
        self._line, self._name, self._manifest, self._writer = line, name, manifest, writer
        self._stream = ExportStream(writer.message)
        self._build_id = int(manifest.build_id, 16)
        self._foreign = 0

    def skip(self) -> None:
        """Throw away what still comes of an earlier run."""
        for _ in self._line.until_quiet():
            pass

    def take(self, fed: Fed, *, rest: bool = False) -> None:
        """Add to ``fed`` what has come, or all the rest that comes until the probe is quiet."""
        for chunk in self._line.until_quiet() if rest else self._line.come():
            for entry in self._stream.feed(chunk):
                if isinstance(entry, ExportedCounters):
                    self._check(entry)
                    fed.counters = entry
                elif entry.build_id == self._build_id:
                    fed.records[entry.verdict] += 1
                    self._writer.record(entry)
                else:
                    self._foreign += 1
        fed.losses = Tally(self._stream.undecodable)
        fed.losses["pieces are no message"] = self._stream.bad_frames
        fed.losses["records did not come"] = self._stream.missing
        fed.losses["records are of another build"] = self._foreign
        fed.losses = +fed.losses

    def _check(self, counters: ExportedCounters) -> None:
        """A board says what it is as soon as it has been set up."""
        if counters.build_id != self._build_id:
            raise InputError(
                f"{self._name}: the board holds build {counters.build_id:08x}, "
                f"not {self._manifest.build_id} of the export"
            )


class RecordLines(RecordWriter):
    """Says every record in a line."""

    def __init__(self, say: Callable[[str], object]):
        self._say = say

    def record(self, record: ExportedRecord) -> None:
        self._say(verdict_line(record))


def feed(
    link: BoardLink,
    setup: Item,
    items: Iterable[Item],
    receiver: Receiver | None = None,
    tell: Callable[[int], None] = lambda _: None,
) -> Fed:
    """Set a probe up, send items and take what comes back meanwhile and until the probe is quiet.

    The table is emptied first: flows of an earlier run have times that another epoch counts.

    Parameters
    ----------
    setup: see :func:`setup_item`
    tell: called with the number of items so far
    """
    fed = Fed()
    # A probe that was never set up forgets the flush.
    link.send(Item(ItemKind.FLUSH, 0))
    if receiver is not None:
        receiver.skip()
    link.send(setup)
    for item in items:
        link.send(item)
        fed.items += 1
        fed.frames += item.kind is ItemKind.FRAME
        tell(fed.items)
        if receiver is not None:
            receiver.take(fed)
    if receiver is not None:
        receiver.take(fed, rest=True)
    fed.refused = link.refused
    return fed


def feed_capture(
    capture: Path,
    parameters: FeedParameters,
    *,
    say: Callable[[str], object] = print,
    tell: Callable[[int], None] = lambda _: None,
    on_cut: Callable[[Cut], None] | None = None,
) -> Fed:
    """Set a board up, feed it a capture and take its records.

    Parameters
    ----------
    say: called with the line of a record when they go into no file
    tell: called with the number of items so far
    on_cut: see :func:`read_capture`
    """
    p = parameters
    p.check()
    manifest = None if p.export is None else read_manifest(p.export)
    taken = capture_items(capture, limit=p.limit, headers_only=True, tick_ms=p.tick_ms, on_cut=on_cut)
    items = paced(taken.items) if p.pace == "real" else taken.items
    loaded = None
    if p.load is not None:
        loaded = p.load.read(p.export)
        items = loaded.among(items)
    with contextlib.ExitStack() as stack:
        exchange = stack.enter_context(open_spi(p.device, p.speed_hz))
        receiver = None
        if p.records is not None:
            writer: RecordWriter = RecordLines(say)
            if p.out is not None:
                writer = stack.enter_context(writing_records(p.out))
            line = stack.enter_context(LineReader(stack.enter_context(open_line(p.records))))
            receiver = Receiver(line, p.records, manifest, writer)
        setup = setup_item(key_of(p.key_file), taken.epoch_ms)
        fed = feed(BoardLink(exchange, name=p.device), setup, items, receiver, tell)
        if loaded is not None and fed.counters is not None:
            check_loaded(fed.counters, loaded.forest, p.device)
        return fed


def check_loaded(counters: ExportedCounters, forest: Forest, device: str) -> None:
    """Raise :class:`CheckFailed` unless a probe says that it has the forest that it was to be loaded with."""
    if counters.forest_id != int(forest.id, 16):
        refused = counters.counters.get(Counter.TABLES_REFUSED, 0)
        raise CheckFailed(
            f"{device}: the board has forest {counters.forest_id:08x}, not {forest.id}; table images refused: {refused}"
        )


def verdict_line(record: ExportedRecord) -> str:
    """A record for people."""
    client = address_text(record.version, record.initiator.address)
    server = address_text(record.version, record.responder.address)
    verdict = record.verdict.name.lower()
    if record.verdict is Verdict.UNCERTAIN:
        verdict += f" ({record.reason.name.lower().replace('_', ' ')})"
    return (
        f"{time_text(record.first_ms)} [{client}]:{record.initiator.port} -> "
        f"[{server}]:{record.responder.port} {record.packets} packets: {verdict}, score {record.score}"
        + (", monitor only" if record.monitor_only else "")
    )
