"""Testbench kit for both simulators: streams fed and read with random stalls, and a run with a time limit."""

import random
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

from amaranth.sim import Simulator

from .compiled_testbench import simulate_compiled

__all__ = ["SIMULATORS", "Stalls", "frames_to_payloads", "simulate", "stream_get", "stream_put", "transfers"]
__all__ += ["words_to_payloads"]

PERIOD_S = 1e-6

SIMULATORS = ("amaranth", "compiled")
"""Amaranth's own, or CXXRTL and a C++ compiler."""


class Stalls:
    """Random pauses of a stream, always the same for the same seed.

    Parameters
    ----------
    probability: that another clock is waited before each transfer; may change
    """

    def __init__(self, seed: int, probability: float = 0.3):
        self._random, self.probability = random.Random(seed), probability

    def now(self) -> bool:
        """Whether to wait in this clock."""
        return self._random.random() < self.probability

    async def pause(self, ctx) -> None:
        while self.now():
            await ctx.tick()


async def stream_put(ctx, stream, payloads: Iterable[Any], stalls: Stalls | None = None) -> None:
    """Transfer every payload; the payload holds until it is taken."""
    for payload in payloads:
        if stalls is not None:
            await stalls.pause(ctx)
        ctx.set(stream.payload, payload)
        ctx.set(stream.valid, 1)
        await ctx.tick().until(stream.ready)
        ctx.set(stream.valid, 0)


async def stream_get(ctx, stream, stalls: Stalls | None = None) -> Any:
    """Take one payload."""
    if stalls is not None:
        await stalls.pause(ctx)
    ctx.set(stream.ready, 1)
    (payload,) = await ctx.tick().sample(stream.payload).until(stream.valid)
    ctx.set(stream.ready, 0)
    return payload


async def transfers(ctx, stream, stalls: Stalls | None = None) -> AsyncIterator[Any]:
    """Every payload for ever, for testbenches that run in the background."""
    ready = stalls is None or not stalls.now()
    ctx.set(stream.ready, ready)
    async for _, _, valid, payload in ctx.tick().sample(stream.valid, stream.payload):
        if valid and ready:
            yield payload
        ready = stalls is None or not stalls.now()
        ctx.set(stream.ready, ready)


def frames_to_payloads(frames: Iterable[Iterable[int]]) -> Iterable[dict[str, int]]:
    """Payloads of a framed stream from frames of data words."""
    for frame in frames:
        words = list(frame)
        for index, word in enumerate(words):
            yield {"data": word, "first": index == 0, "last": index == len(words) - 1}


def words_to_payloads(frames: Iterable[bytes], size: int) -> Iterable[dict[str, int]]:
    """Payloads of a framed stream of words of ``size`` bytes (:func:`hdl.item.framed_words`)."""
    for frame in frames:
        for at in range(0, len(frame), size):
            word = frame[at : at + size]
            yield {
                "data": int.from_bytes(word.ljust(size, b"\0"), "big"),
                "bytes": len(word),
                "first": at == 0,
                "last": at + size >= len(frame),
            }


def simulate(
    dut,
    *testbenches: Callable,
    background: Iterable[Callable] = (),
    limit_cycles: int,
    vcd: str | None = None,
    engine: str = "amaranth",
    clocks: Mapping[str, float] | None = None,
) -> None:
    """Run testbenches to their end; a run that takes longer than ``limit_cycles`` hangs and fails.

    Parameters
    ----------
    background: testbenches that need not end
    engine: one of :data:`SIMULATORS`; what ``compiled`` can do is said at :func:`simulate_compiled`
    clocks: of other domains than ``sync``: how long their periods are, of ``sync`` 1; for Amaranth's simulator alone
    vcd: file for the waveforms; writing them makes the run about three times slower
    """
    if engine == "compiled":
        if clocks:
            raise ValueError("A compiled circuit has one clock")
        simulate_compiled(dut, *testbenches, background=background, limit_cycles=limit_cycles, vcd=vcd)
        return
    simulator = Simulator(dut)
    simulator.add_clock(PERIOD_S)
    for domain, periods in (clocks or {}).items():
        simulator.add_clock(periods * PERIOD_S, domain=domain)
    for testbench in testbenches:
        simulator.add_testbench(testbench)

    async def watchdog(ctx):
        await ctx.delay(limit_cycles * PERIOD_S)
        raise TimeoutError(f"No end after {limit_cycles} cycles")

    for testbench in (watchdog, *background):
        simulator.add_testbench(testbench, background=True)
    if vcd is None:
        simulator.run()
    else:
        with simulator.write_vcd(vcd):
            simulator.run()
