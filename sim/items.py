"""What a capture looks like on the link: frames, ticks and a flush, each with its time (docs/flow_rules.md, Items)."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from compiler.errors import InputError
from hdl.item import ITEM_HEADER_BYTES, ItemKind, item_bytes

from .capture import CapturedFrame
from .headers import header_bytes

__all__ = ["GAP_TICKS", "TICK_MS", "Item", "items_of", "parse_item"]

TICK_MS = 100
"""Default tick period of replay."""

GAP_TICKS = 64
"""Default for the most ticks between two frames."""

_RUN_MS = 1 << 32


class Item(NamedTuple):
    """One item; ``body`` is the captured part of a frame, else empty."""

    kind: ItemKind
    time_ms: int
    wire_length: int = 0
    body: bytes = b""

    def to_bytes(self) -> bytes:
        """The item as it goes over the link."""
        return item_bytes(self.kind, time_ms=self.time_ms, wire_length=self.wire_length, body=self.body)


def parse_item(data: bytes) -> Item | None:
    """The item that these bytes hold; None for a bad item: too short, or of a kind the probe does not know."""
    if len(data) < ITEM_HEADER_BYTES or data[0] not in (ItemKind.FRAME, ItemKind.TICK, ItemKind.FLUSH):
        return None
    wire_length, time_ms = int.from_bytes(data[1:4], "big"), int.from_bytes(data[4:8], "big")
    return Item(ItemKind(data[0]), time_ms, wire_length, data[ITEM_HEADER_BYTES:])


def items_of(
    frames: Iterable[CapturedFrame],
    *,
    epoch_ms: int | None = None,
    tick_ms: int = TICK_MS,
    gap_ticks: int = GAP_TICKS,
    headers_only: bool = False,
    name: str = "capture",
) -> Iterator[Item]:
    """The items of a replay: every frame, the ticks before it, and a flush at the end.

    A frame that is earlier than the epoch has time 0. The flush has the latest time of all frames.

    Parameters
    ----------
    epoch_ms:
        Milliseconds since 1970 that times are counted from; by default the time of the first frame, rounded down to
        a whole tick period.
    tick_ms, gap_ticks:
        Tick period, and the most ticks between two frames: of a longer gap the last ones are made.
    headers_only:
        Cut every frame after its headers. No outcome and no record changes by it.
    name:
        What an error calls the capture.

    Raises
    ------
    InputError
        When a frame comes 2³² ms or more after the epoch.
    """
    if tick_ms < 1 or gap_ticks < 0:
        raise ValueError(f"Tick period must be 1 ms or more and gap ticks 0 or more, not {tick_ms} and {gap_ticks}")
    latest = None
    for number, frame in enumerate(frames, 1):
        time_ms = frame.time_ns // 1_000_000
        if epoch_ms is None:
            epoch_ms = time_ms // tick_ms * tick_ms
        time_ms = max(time_ms - epoch_ms, 0)
        if time_ms >= _RUN_MS:
            raise InputError(
                f"{name}: packet {number} comes {time_ms} ms after the epoch {epoch_ms} ms, a run lasts 2^32 ms"
            )
        if latest is None:
            latest = time_ms
        elif time_ms > latest:
            due = time_ms // tick_ms
            for tick in range(max(latest // tick_ms, due - gap_ticks) + 1, due + 1):
                yield Item(ItemKind.TICK, tick * tick_ms)
            latest = time_ms
        body = frame.data[: header_bytes(frame.data, frame.wire_length)] if headers_only else frame.data
        yield Item(ItemKind.FRAME, time_ms, frame.wire_length, body)
    yield Item(ItemKind.FLUSH, latest or 0)
