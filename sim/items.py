"""What a capture looks like on the link: frames, ticks and a flush, each with its time (docs/flow_rules.md, Items)."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from compiler.errors import InputError
from hdl.item import CHUNK_BYTES, ITEM_HEADER_BYTES, SETUP_BODY_BYTES, ItemKind, item_bytes, setup_body

from .capture import CapturedFrame
from .headers import header_bytes

__all__ = ["GAP_TICKS", "TICK_MS", "Item", "epoch_of", "items_of", "key_of_setup", "parse_item", "setup_item"]

TICK_MS = 100
"""Default tick period of replay."""

GAP_TICKS = 64
"""Default for the most ticks between two frames."""

_RUN_MS = 1 << 32
_SECONDS_BYTES = 4


class Item(NamedTuple):
    """One item; ``body`` is the captured part of a frame, the seconds since 1970 of a tick, part of a table image."""

    kind: ItemKind
    time_ms: int
    wire_length: int = 0
    body: bytes = b""

    def to_bytes(self) -> bytes:
        """The item as it goes over the link."""
        return item_bytes(self.kind, time_ms=self.time_ms, wire_length=self.wire_length, body=self.body)


def parse_item(data: bytes) -> Item | None:
    """The item that these bytes hold; None for a bad item: too short, or of a kind that no probe knows."""
    if len(data) < ITEM_HEADER_BYTES or data[0] not in set(ItemKind):
        return None
    kind = ItemKind(data[0])
    least = SETUP_BODY_BYTES if kind is ItemKind.SETUP else CHUNK_BYTES if kind.is_chunk else 0
    if len(data) < ITEM_HEADER_BYTES + least:
        return None
    wire_length, time_ms = int.from_bytes(data[1:4], "big"), int.from_bytes(data[4:8], "big")
    return Item(kind, time_ms, wire_length, data[ITEM_HEADER_BYTES:])


def setup_item(key: int, epoch_ms: int) -> Item:
    """The item that a link begins with: the secret key and what the times of all others are counted from."""
    return Item(ItemKind.SETUP, 0, body=setup_body(key, epoch_ms, epoch_ms // 1000))


def key_of_setup(item: Item) -> int:
    """The secret key that a set-up item tells."""
    return int.from_bytes(item.body[8:16], "big")


def epoch_of(frame: CapturedFrame) -> int:
    """The epoch of a replay that begins with this frame: its whole second, in milliseconds since 1970."""
    return frame.time_ns // 1_000_000_000 * 1000


def items_of(
    frames: Iterable[CapturedFrame],
    *,
    epoch_ms: int | None = None,
    tick_ms: int = TICK_MS,
    gap_ticks: int = GAP_TICKS,
    headers_only: bool = False,
    name: str = "capture",
) -> Iterator[Item]:
    """The items of a replay: a tick, then every frame, the ticks before it, and a flush at the end.

    A frame that is earlier than the epoch has time 0. The first tick has the time of the first frame, the flush the
    latest time of all frames.

    Parameters
    ----------
    epoch_ms:
        Milliseconds since 1970 that times are counted from; by default :func:`epoch_of` the first frame.
    tick_ms, gap_ticks:
        Tick period, and the most ticks between two frames: of a longer gap the last ones are made.
    headers_only:
        Cut every frame after its headers. No outcome and no record changes by it.
    name:
        What an error calls the capture.

    Raises
    ------
    InputError
        When a frame comes 2³² ms or more after the epoch, or 2³² s or more after 1970.
    """
    if tick_ms < 1 or gap_ticks < 0:
        raise ValueError(f"Tick period must be 1 ms or more and gap ticks 0 or more, not {tick_ms} and {gap_ticks}")
    latest = None
    for number, frame in enumerate(frames, 1):
        if epoch_ms is None:
            epoch_ms = epoch_of(frame)
        time_ms = max(frame.time_ns // 1_000_000 - epoch_ms, 0)
        if time_ms >= _RUN_MS:
            raise InputError(
                f"{name}: packet {number} comes {time_ms} ms after the epoch {epoch_ms} ms, a run lasts 2^32 ms"
            )
        if (epoch_ms + time_ms) // 1000 >> 8 * _SECONDS_BYTES:
            raise InputError(f"{name}: packet {number} is dated after 2106, which IPFIX cannot say")
        if latest is None:
            latest = time_ms
            yield _tick(time_ms, epoch_ms)
        elif time_ms > latest:
            due = time_ms // tick_ms
            for tick in range(max(latest // tick_ms, due - gap_ticks) + 1, due + 1):
                yield _tick(tick * tick_ms, epoch_ms)
            latest = time_ms
        body = frame.data[: header_bytes(frame.data, frame.wire_length)] if headers_only else frame.data
        yield Item(ItemKind.FRAME, time_ms, frame.wire_length, body)
    yield Item(ItemKind.FLUSH, latest or 0)


def _tick(time_ms: int, epoch_ms: int) -> Item:
    return Item(ItemKind.TICK, time_ms, body=((epoch_ms + time_ms) // 1000).to_bytes(_SECONDS_BYTES, "big"))
