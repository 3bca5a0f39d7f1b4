"""Listen: set up a board that listens to a wire, and take its records."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from boards import Board
from compiler.errors import InputError
from compiler.exporting import target_named
from compiler.manifest import Manifest, read_manifest
from hdl.item import ItemKind

from .feed import Fed, Receiver, RecordLines, check_loaded
from .feed_key import key_of
from .feed_link import LineReader
from .items import Item, setup_item
from .load import Load, LoadItems
from .record_file import RecordWriter, check_record_target, writing_records
from .tap_devices import open_tap

__all__ = ["ListenParameters", "listen"]

PATIENCE_S = 10.0
"""So long a board may keep silent after it was set up; it says at once what it is."""

RETRY_S = 1.0
"""Before something is said again, as datagrams and serial lines may lose it."""

_PAUSE_S = 0.02

_FIRST_CHUNK_S, _CHUNK_S = 0.1, 0.002
"""Between two chunks: nothing tells a host when a board has taken one, and it keeps but one more (docs/links.md). The
first is taken when the probe has sent what it had to."""


@dataclass(frozen=True)
class ListenParameters:
    """How a board is listened to.

    Parameters
    ----------
    device: see :func:`sim.tap_devices.open_tap`
    export: what the board holds
    out: file for the records; without one each is a line
    key_file: of the secret key; made when there is none. None is a random key that nobody keeps
    forest: file of another forest that the board is loaded with before its records are waited for
    seconds: how long; None is until it is interrupted
    patience_s: see :data:`PATIENCE_S`
    """

    device: str
    export: Path
    out: Path | None = None
    key_file: Path | None = None
    forest: Path | None = None
    seconds: float | None = None
    patience_s: float = PATIENCE_S


def listen(
    parameters: ListenParameters,
    *,
    say: Callable[[str], object] = print,
    tell: Callable[[int], None] = lambda _: None,
) -> Fed:
    """Set a board up and take its records; at the end, or when interrupted, empty its table and take those too.

    Parameters
    ----------
    say: called with the line of a record when they go into no file
    tell: called with the number of records so far
    """
    p = parameters
    manifest = _manifest_of_tap(p.export)
    load = None if p.forest is None else Load(p.forest).read(p.export)
    if p.out is not None:
        check_record_target(p.out)
    with contextlib.ExitStack() as stack:
        device = stack.enter_context(open_tap(p.device))
        writer: RecordWriter = RecordLines(say)
        if p.out is not None:
            writer = stack.enter_context(writing_records(p.out))
        line = stack.enter_context(LineReader(device.read))
        receiver, fed = Receiver(line, p.device, manifest, writer), Fed()
        end = None if p.seconds is None else time.monotonic() + p.seconds
        # Interrupted, it still gives what the board holds.
        with contextlib.suppress(KeyboardInterrupt):
            _set_up(device.send, receiver, fed, p)
            if load is not None:
                _load(device.send, receiver, fed, load, p)
            while end is None or time.monotonic() < end:
                receiver.take(fed)
                tell(fed.records.total())
                time.sleep(_PAUSE_S)
        if fed.counters is not None:
            device.send(Item(ItemKind.FLUSH, 0).to_bytes())
            receiver.take(fed, rest=True)
        return fed


def _manifest_of_tap(export: Path) -> Manifest:
    manifest = read_manifest(export)
    board = target_named(manifest.board["name"])
    if manifest.top != "probe" or not isinstance(board, Board) or board.waits:
        raise InputError(f"{export}: is for {board.title}, which listens to no wire; python -m sim feed feeds it")
    return manifest


def _set_up(send: Callable[[bytes], None], receiver: Receiver, fed: Fed, p: ListenParameters) -> None:
    """Set the board up until it answers. Its time begins with the set-up that it has taken last."""
    key = key_of(p.key_file)

    def say() -> None:
        send(setup_item(key, time.time_ns() // 1_000_000).to_bytes())

    if not _until(lambda: fed.counters is not None, say, receiver, fed, p):
        raise InputError(f"{p.device}: does not answer; is the board connected, flashed and out of reset?")


def _load(send: Callable[[bytes], None], receiver: Receiver, fed: Fed, load: LoadItems, p: ListenParameters) -> None:
    """Send another forest until the board says that it has it: chunks may be lost as set-ups may."""
    wanted = int(load.forest.id, 16)

    def say() -> None:
        for number, chunk in enumerate(load.chunks):
            send(chunk.to_bytes())
            time.sleep(_CHUNK_S if number else _FIRST_CHUNK_S)

    _until(lambda: fed.counters.forest_id == wanted, say, receiver, fed, p)
    check_loaded(fed.counters, load.forest, p.device)


def _until(
    answered: Callable[[], bool], say: Callable[[], None], receiver: Receiver, fed: Fed, p: ListenParameters
) -> bool:
    """Say something again and again, as it may be lost, until it is answered; tells whether it was."""
    give_up = time.monotonic() + p.patience_s
    while not answered():
        if time.monotonic() > give_up:
            return False
        say()
        retry = time.monotonic() + min(RETRY_S, p.patience_s)
        while not answered() and time.monotonic() < retry:
            time.sleep(_PAUSE_S)
            receiver.take(fed)
    return True
