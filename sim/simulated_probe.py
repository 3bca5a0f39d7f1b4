"""The probe of an export in simulation: items in at the link, bytes out as on the serial line."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hdl.probe import ProbeParameters
from hdl.probe_line import ProbeLine

from .compiled_probe import CompiledProbe
from .compiled_streams import Pauses
from .items import Item, setup_item
from .probe_timing import limit_cycles, quiet_cycles
from .testbench import Stalls, frames_to_payloads, simulate, stream_put

__all__ = ["SimulatedRun", "simulate_probe"]

_INPUT_PAUSES = 0.05
"""Share of bytes before which there is a gap, with a seed."""


@dataclass(frozen=True)
class SimulatedRun:
    """What came out of a simulated probe."""

    sent: bytes
    cycles: int


def simulate_probe(
    parameters: ProbeParameters,
    items: Iterable[Item | bytes],
    *,
    key: int | None,
    epoch_ms: int,
    seed: int | None = None,
    stall_output: float = 0.2,
    tell: Callable[[int, int], None] = lambda *_: None,
    vcd: str | None = None,
    engine: str = "amaranth",
    say: Callable[[str], None] = lambda _: None,
) -> SimulatedRun:
    """Set a probe up, feed it items and collect what it sends until it is quiet.

    Parameters
    ----------
    items: bytes are an item as they are, right or wrong
    key, epoch_ms: of the set-up item that comes first; without a key there is none
    seed: of random gaps between bytes at both ends; None for none
    stall_output: share of clocks in which no byte is taken, with a seed
    tell: called with the number of items taken so far, and of all
    vcd: file for the waveforms
    engine: one of :data:`~sim.testbench.SIMULATORS`; the gaps of each are its own
    say: see :func:`~sim.compiling.compile_circuit`
    """
    items = [item if isinstance(item, bytes) else item.to_bytes() for item in items]
    if engine == "compiled":
        probe = CompiledProbe(parameters, say=say)
        pauses = None if seed is None else Pauses(seed, _INPUT_PAUSES, stall_output)
        tell_one, file = (lambda number: tell(number, len(items))), None if vcd is None else Path(vcd)
        sent = probe.run(items, key=key, epoch_ms=epoch_ms, pauses=pauses, tell=tell_one, vcd=file)
        return SimulatedRun(b"".join(sent), probe.cycles)
    return _in_amaranth(parameters, items, key, epoch_ms, seed, stall_output, tell, vcd)


def _in_amaranth(
    parameters: ProbeParameters,
    items: Sequence[bytes],
    key: int | None,
    epoch_ms: int,
    seed: int | None,
    stall_output: float,
    tell: Callable[[int, int], None],
    vcd: str | None,
) -> SimulatedRun:
    dut = ProbeLine(parameters=parameters)
    sent = bytearray()
    cycles = quiet = 0

    def stalls(offset: int, probability: float) -> Stalls | None:
        return None if seed is None else Stalls(seed + offset, probability)

    async def feed(ctx):
        nonlocal quiet
        if key is not None:
            await stream_put(ctx, dut.i, frames_to_payloads([setup_item(key, epoch_ms).to_bytes()]))
            while not ctx.get(dut.ready):
                await ctx.tick()
        gaps = stalls(0, _INPUT_PAUSES)
        for number, item in enumerate(items, 1):
            await stream_put(ctx, dut.i, frames_to_payloads([item]), gaps)
            tell(number, len(items))
        quiet = 0
        while quiet < quiet_cycles(parameters):
            await ctx.tick().repeat(100)

    async def collect(ctx):
        nonlocal cycles, quiet
        gaps = stalls(1, stall_output)
        ctx.set(dut.o.ready, 1)
        async for _, _, valid, ready, byte in ctx.tick().sample(dut.o.valid, dut.o.ready, dut.o.payload):
            cycles += 1
            quiet = 0 if valid else quiet + 1
            if valid and ready:
                sent.append(byte)
            if gaps is not None:
                ctx.set(dut.o.ready, not gaps.now())

    simulate(dut, feed, background=[collect], limit_cycles=limit_cycles(parameters, len(items)), vcd=vcd)
    return SimulatedRun(bytes(sent), cycles)
