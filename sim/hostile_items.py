"""Hostile items: what a tap may see and a link may bring on its worst days, for fuzzing."""

import itertools
import random
from collections.abc import Callable, Iterator, Sequence

from hdl.item import CHUNK_BYTES, ItemKind, item_bytes, setup_body

from .capture import CapturedFrame
from .made_frames import random_frame, tcp_frame
from .table_loading import chunk_items

__all__ = ["EPOCH_MS", "HostileItems", "chunks_of_image"]

_LONGEST_MS = 1 << 31
_OVERSIZE = (1515, 2000, 9018, 20_000)
EPOCH_MS = 1_700_000_000_000


class HostileItems:
    """Bursts of items, each of one kind of trouble, always the same for the same seed.

    Parameters
    ----------
    seed:
        Of everything random.
    captures:
        Real traffic, which is bent, cut, doubled, spliced and put out of order; at least one frame altogether.
    ports:
        What the probe tracks, so that most made frames are used.
    idle_ms:
        Of the probe, so that time sometimes jumps over it.
    images:
        Of forests that it can be loaded with, which come whole, damaged, cut and mixed up.
    """

    def __init__(
        self,
        seed: int,
        captures: Sequence[Sequence[CapturedFrame]],
        *,
        ports: Sequence[int],
        idle_ms: int,
        images: Sequence[bytes] = (),
    ):
        self._random = random.Random(seed)
        self._captures = [frames for frames in captures if frames]
        self._ports, self._idle_ms = list(ports) or [25], idle_ms
        self._images = images
        self._time_ms = 0
        self._bursts: tuple[Callable[[], Iterator[bytes]], ...] = (
            self._bent_traffic,
            self._bent_traffic,
            self._made_frames,
            self._few_flows,
            self._slow_flow,
            self._noise,
            self._flood,
            self._oversize,
            self._not_frames,
            *([self._chunks] if images else []),
        )

    def frames(self, count: int) -> Iterator[bytes]:
        """Items until so many of them carry a frame."""
        made = 0
        while made < count:
            for item in self._random.choice(self._bursts)():
                yield item
                made += item[:1] == bytes([ItemKind.FRAME]) and len(item) >= 8
                if made >= count:
                    return

    def _now(self) -> int:
        """A time that mostly goes on, at times stands still, runs backwards or jumps far."""
        rng = self._random
        if rng.random() < 0.1:
            # Back for one item: now is the latest time all the same.
            return max(0, self._time_ms - rng.randint(0, 3000))
        step = rng.choice((0, 0, 0, 0, 1, 1, rng.randint(0, 50), rng.randint(0, self._idle_ms // 8)))
        if rng.random() < 0.002:
            step = self._idle_ms + rng.randint(-2, 2)
        self._time_ms = (self._time_ms + step) % _LONGEST_MS
        return self._time_ms

    def _frame(self, data: bytes, wire_length: int) -> bytes:
        return item_bytes(
            ItemKind.FRAME, time_ms=self._now(), wire_length=min(max(wire_length, 0), 0xFFFFFF), body=data
        )

    def _bent_traffic(self) -> Iterator[bytes]:
        """Frames of a capture: flipped, cut, spliced, of wrong lengths, twice, merged, in another order."""
        rng = self._random
        frames = rng.choice(self._captures)
        at = rng.randrange(len(frames))
        burst = list(frames[at : at + rng.randint(1, 80)])
        if rng.random() < 0.2:
            rng.shuffle(burst)
        for frame in burst:
            data, wire_length = bytearray(frame.data), frame.wire_length
            match rng.randrange(24) if data else 23:
                case 0:
                    for _ in range(rng.randint(1, 4)):
                        data[rng.randrange(min(len(data), 96))] ^= 1 << rng.randrange(8)
                case 1:
                    del data[rng.randrange(min(len(data), 80)) :]
                case 2:
                    other = rng.choice(frames).data
                    data[rng.randrange(len(data)) :] = other[rng.randrange(len(other) + 1) :]
                case 3:
                    wire_length = rng.choice((0, len(data), wire_length - 1, wire_length + 1, rng.randint(0, 2000)))
                case 4:
                    yield self._frame(bytes(data), wire_length)
                case 5 if len(data) > 18:
                    # As a network card merges segments: a length that no wire carries.
                    data[16:18] = rng.randint(1500, 65535).to_bytes(2, "big")
                    wire_length = 0x10000 + 14
            yield self._frame(bytes(data), wire_length)

    def _made_frames(self) -> Iterator[bytes]:
        for _ in range(self._random.randint(1, 60)):
            yield self._frame(*random_frame(self._random))

    def _few_flows(self) -> Iterator[bytes]:
        """Flows of few hosts with any flags, both ports tracked among them, so that they meet, close and reopen."""
        rng = self._random
        size = rng.choice((4, 4, 16))
        hosts = [rng.randbytes(size) for _ in range(3)]
        ports = [*self._ports, rng.getrandbits(16)]
        for _ in range(rng.randint(1, 120)):
            frame, wire_length = tcp_frame(
                source=rng.choice(hosts),
                destination=rng.choice(hosts),
                source_port=rng.choice(ports),
                destination_port=rng.choice(ports),
                flags=rng.choice((0x02, 0x12, 0x10, 0x18, 0x11, 0x14, 0x04, rng.getrandbits(8))),
                window=rng.getrandbits(16),
                ttl=rng.getrandbits(8),
                payload=rng.choice((0, 6, 1400, 60_000)),
            )
            yield self._frame(frame, wire_length)

    def _slow_flow(self) -> Iterator[bytes]:
        """A flow that goes on and on, so that no timeout ends it but the active one."""
        rng = self._random
        ends = [(rng.randbytes(4), rng.getrandbits(16)), (rng.randbytes(4), rng.choice(self._ports))]
        for number in range(rng.randint(40, 120)):
            (source, source_port), (destination, destination_port) = rng.sample(ends, 2)
            frame, wire_length = tcp_frame(
                source=source,
                destination=destination,
                source_port=source_port,
                destination_port=destination_port,
                flags=0x10 if number else 0x02,
                payload=rng.randint(0, 1400),
            )
            self._time_ms = (self._time_ms + rng.randint(0, self._idle_ms // 2)) % _LONGEST_MS
            yield self._frame(frame, wire_length)

    def _noise(self) -> Iterator[bytes]:
        rng = self._random
        for _ in range(rng.randint(1, 30)):
            yield self._frame(
                rng.randbytes(rng.choice((0, 1, 13, 14, 15, 60, 200))), rng.getrandbits(rng.choice((6, 11, 24)))
            )

    def _flood(self) -> Iterator[bytes]:
        """Frames of the least size back to back, every one a new flow."""
        rng = self._random
        server, port = rng.randbytes(4), rng.choice(self._ports)
        for _ in range(rng.randint(1, 300)):
            frame, wire_length = tcp_frame(
                source=rng.randbytes(4),
                destination=server,
                source_port=rng.getrandbits(16),
                destination_port=port,
                flags=0x02,
            )
            yield self._frame(frame.ljust(60, b"\0"), wire_length)

    def _oversize(self) -> Iterator[bytes]:
        rng = self._random
        for _ in range(rng.randint(1, 3)):
            frame, _ = random_frame(rng)
            length = rng.choice(_OVERSIZE)
            yield self._frame(frame + rng.randbytes(max(0, length - len(frame))), rng.choice((length, 0xFFFFFF)))

    def _not_frames(self) -> Iterator[bytes]:
        """Ticks, flushes, set-ups and what is no item at all, whole and cut."""
        rng = self._random
        for _ in range(rng.randint(1, 6)):
            match rng.randrange(8):
                case 0:
                    # Of a kind that is none, or too short.
                    yield bytes([rng.randint(8, 255)]) + rng.randbytes(rng.randint(0, 40))
                    yield bytes([rng.randrange(8)]) + rng.randbytes(rng.randint(0, 6))
                case 1:
                    yield item_bytes(ItemKind.FLUSH, time_ms=self._now())
                case 2:
                    body = setup_body(rng.getrandbits(64), EPOCH_MS, EPOCH_MS // 1000)
                    cut = rng.choice((None, None, 19))
                    yield item_bytes(ItemKind.SETUP, time_ms=self._time_ms, body=body[:cut])
                    if cut is None:
                        self._time_ms = 0
                case _:
                    body = rng.randbytes(rng.choice((0, 3, 4, 4, 4, 9)))
                    yield item_bytes(ItemKind.TICK, time_ms=self._now(), body=body)

    def _chunks(self) -> Iterator[bytes]:
        """Images, right or wrong, with frames of few flows between their chunks."""
        rng = self._random
        frames = self._few_flows()
        for _ in range(rng.randint(1, 4)):
            for chunk in chunks_of_image(rng, self._images):
                yield chunk
                if rng.random() < 0.3:
                    yield from itertools.islice(frames, 1)


def chunks_of_image(rng: random.Random, images: Sequence[bytes]) -> list[bytes]:
    """Of one of these images: all as they should be, or bent, without one, one twice, cut off, or none at all."""
    image, fault = bytearray(rng.choice(images)), rng.randrange(10)
    if fault == 0:
        image[rng.randrange(len(image))] ^= 1 << rng.randrange(8)
    chunks = [item.to_bytes() for item in chunk_items(bytes(image))]
    at = rng.randrange(len(chunks))
    match fault:
        case 1:
            del chunks[at]
        case 2:
            chunks.insert(at, chunks[at])
        case 3:
            chunks = [bytes([rng.randint(4, 8)]) + rng.randbytes(rng.choice((3, 7, 7 + CHUNK_BYTES, 60)))]
        case 4:
            del chunks[at:]
        case 5:
            chunks[-1] = chunks[-1][:-1]
    return chunks
