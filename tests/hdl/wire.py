"""Frames on a wire, as tests make them: preamble, FCS, damage, and the symbols that a receiver gives of them."""

import functools
import random
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

__all__ = ["PREAMBLE", "Run", "damaged_run", "good_run", "put_symbols", "random_frame", "with_fcs"]

PREAMBLE = bytes([0x55] * 7 + [0xD5])


class Run(NamedTuple):
    """Bytes of one carrier, which of them have an error, and the frame in it if it is a good one."""

    content: bytes
    frame: bytes | None
    errors: frozenset[int] = frozenset()


def with_fcs(frame: bytes) -> bytes:
    return frame + zlib.crc32(frame).to_bytes(4, "little")


def good_run(frame: bytes, preamble: bytes = PREAMBLE) -> Run:
    return Run(preamble + with_fcs(frame), frame)


def random_frame(rng: random.Random, shortest: int = 60, longest: int = 300) -> bytes:
    return rng.randbytes(rng.choice((shortest, rng.randint(shortest, longest))))


def damaged_run(rng: random.Random, longest: int) -> Run:
    """A carrier without a good frame, of one of the kinds there are."""
    frame = random_frame(rng)
    content = PREAMBLE + with_fcs(frame)
    match rng.randrange(9):
        case 0:  # wrong FCS
            at = rng.randrange(8, len(content))
            return Run(content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :], None)
        case 1:  # the receiver saw an error
            return Run(content, None, frozenset({rng.randrange(8, len(content))}))
        case 2:  # no start delimiter
            return Run(content.replace(b"\xd5", b"\x55", 1)[: rng.randint(1, 8)], None)
        case 3:  # nothing but the start delimiter before the frame
            return Run(content[7:], None)
        case 4:  # something else in the preamble
            return Run(b"\x55" * rng.randrange(3) + b"\x54" + content, None)
        case 5:  # a runt with a good FCS
            return Run(PREAMBLE + with_fcs(rng.randbytes(rng.randrange(60))), None)
        case 6:  # less than an FCS
            return Run(PREAMBLE + rng.randbytes(rng.randrange(5)), None)
        case 7:  # too long, with a good FCS
            return Run(PREAMBLE + with_fcs(rng.randbytes(longest + rng.randint(1, 40))), None)
        case _:  # cut
            return Run(content[: rng.randint(1, len(content) - 1)], None)


def symbols_of(runs: Iterable[Run]) -> Iterator[dict[str, int]]:
    for run in runs:
        for at, byte in enumerate(run.content):
            yield {"data": byte, "end": 0, "error": at in run.errors}
        yield {"data": 0, "end": 1, "error": 0}


async def put_symbols(ctx, stream, runs, *, pause, gap, domain: str | None = None) -> None:
    """Send runs; ``pause`` gives the clocks before each symbol, ``gap`` those after each run."""
    tick = ctx.tick if domain is None else functools.partial(ctx.tick, domain)
    for run in runs:
        for symbol in symbols_of([run]):
            for _ in range(pause()):
                await tick()
            ctx.set(stream.payload, symbol)
            ctx.set(stream.valid, 1)
            await tick()
            ctx.set(stream.valid, 0)
        for _ in range(gap()):
            await tick()
