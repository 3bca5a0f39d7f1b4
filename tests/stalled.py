"""A circuit under random stalls on both sides, while the stream law is watched."""

from collections.abc import Iterable, Sequence
from typing import Any

from sim.testbench import Stalls, simulate, stream_get, stream_put

__all__ = ["stalled"]


def stalled(
    dut: Any, payloads: Sequence[Any], answers: int, fields: Iterable[str], seed: int, *, limit_cycles: int
) -> list[tuple[int, ...]]:
    """What comes out of ``dut.o`` for what goes into ``dut.i``: these fields of so many answers."""
    out, held, names = [], None, tuple(fields)

    async def feed(ctx):
        await stream_put(ctx, dut.i, payloads, Stalls(seed))

    async def read(ctx):
        stalls = Stalls(seed + 1, 0.5)
        for _ in range(answers):
            answer = await stream_get(ctx, dut.o, stalls)
            out.append(tuple(getattr(answer, name) for name in names))

    async def watch(ctx):
        nonlocal held
        async for _, _, valid, ready, payload in ctx.tick().sample(dut.o.valid, dut.o.ready, dut.o.payload.as_value()):
            if held is not None:
                assert (valid, payload) == (1, held), "an answer that was not taken must stay"
            held = payload if valid and not ready else None

    simulate(dut, feed, read, background=[watch], limit_cycles=limit_cycles)
    return out
