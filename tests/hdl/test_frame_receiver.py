"""FrameReceiver against frames that are known to be good or not."""

import random

import pytest

from hdl.frame_receiver import FCS_BYTES, FrameReceiver
from sim.testbench import SIMULATORS, simulate
from tests.hdl.wire import PREAMBLE, Run, damaged_run, good_run, put_symbols, random_frame, with_fcs

_LONGEST = 400


def received(runs, rng, *, engine="amaranth", pauses=(0, 0, 1), gaps=(0, 1, 12)):
    """What comes out: the bytes before each end, whether that has an error, and the length at it."""
    dut = FrameReceiver(longest=_LONGEST)
    ends, content = [], bytearray()

    async def put(ctx):
        await put_symbols(ctx, dut.i, runs, pause=lambda: rng.choice(pauses), gap=lambda: rng.choice(gaps))
        await ctx.tick().repeat(3)

    async def listen(ctx):
        async for _, _, valid, symbol, length in ctx.tick().sample(dut.o.valid, dut.o.payload, dut.length):
            if valid and symbol.end:
                ends.append((bytes(content), bool(symbol.error), length))
                content.clear()
            elif valid:
                content.append(symbol.data)
                assert length == (len(content) - FCS_BYTES) % (1 << 14)

    simulate(
        dut, put, background=[listen], limit_cycles=100 * sum(len(run.content) + 20 for run in runs), engine=engine
    )
    assert not content
    return ends


@pytest.mark.parametrize("engine", SIMULATORS)
@pytest.mark.parametrize("seed", range(3))
def test_good_and_damaged_frames(seed, engine):
    rng = random.Random(seed)
    runs = [
        damaged_run(rng, _LONGEST) if rng.random() < 0.6 else good_run(random_frame(rng, longest=_LONGEST))
        for _ in range(200)
    ]
    ends = received(runs, rng, engine=engine)
    assert len(ends) == len(runs)
    for (content, error, length), run in zip(ends, runs):
        assert error == (run.frame is None)
        if run.frame is not None:
            assert content == with_fcs(run.frame)
            assert length == len(run.frame)


@pytest.mark.parametrize("size", [60, 61, _LONGEST - 1, _LONGEST])
def test_sizes_at_the_limits(size):
    frame = bytes(range(256)) * 2
    ends = received([good_run(frame[:size])] * 2, random.Random(1), pauses=(0,), gaps=(0,))
    assert ends == [(with_fcs(frame[:size]), False, size)] * 2


@pytest.mark.parametrize("size", [59, _LONGEST + 1])
def test_sizes_beyond_the_limits(size):
    ends = received([good_run(bytes(size)), good_run(bytes(60))], random.Random(1), pauses=(0,), gaps=(0,))
    assert [error for _, error, _ in ends] == [True, False]


def test_a_short_preamble_is_enough():
    frame = bytes(range(60))
    assert received([good_run(frame, b"\x55\xd5")], random.Random(1)) == [(with_fcs(frame), False, 60)]


def test_a_frame_without_end_ends_at_the_limit():
    """Before its carrier has gone; the next one is taken."""
    dut = FrameReceiver(longest=_LONGEST)
    ends = []

    async def put(ctx):
        endless = Run(PREAMBLE + bytes(4 * _LONGEST), None)
        runs = [endless, good_run(bytes(60))]
        await put_symbols(ctx, dut.i, runs, pause=lambda: 0, gap=lambda: 1)
        await ctx.tick().repeat(3)

    async def listen(ctx):
        clocks = 0
        async for _, _, valid, symbol in ctx.tick().sample(dut.o.valid, dut.o.payload):
            clocks += 1
            if valid and symbol.end:
                ends.append((clocks, bool(symbol.error)))

    simulate(dut, put, background=[listen], limit_cycles=10 * _LONGEST)
    assert [error for _, error in ends] == [True, False]
    assert ends[0][0] == len(PREAMBLE) + _LONGEST + FCS_BYTES + 3


def test_limits_are_checked():
    with pytest.raises(ValueError, match="Longest frame must have 60 to 16379 bytes, not 59"):
        FrameReceiver(longest=59)
