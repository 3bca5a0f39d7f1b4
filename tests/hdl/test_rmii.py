"""RmiiReceiver on pins that do what a PHY does, and what it should not do."""

import random

import pytest

from hdl.rmii import RmiiReceiver
from sim.testbench import SIMULATORS, simulate
from tests.hdl.wire import PREAMBLE, with_fcs


def pairs(content: bytes) -> list[int]:
    return [byte >> shift & 3 for byte in content for shift in (0, 2, 4, 6)]


def runs_seen(carriers, engine="amaranth"):
    """The bytes of each carrier, and whether its end has an error; ``carriers`` are pairs of (data, crs_dv)."""
    dut = RmiiReceiver()
    runs, content = [], bytearray()

    async def put(ctx):
        for carrier in carriers:
            for data, crs_dv in [*carrier, *[(0, 0)] * 8]:
                ctx.set(dut.data, data)
                ctx.set(dut.crs_dv, crs_dv)
                await ctx.tick()

    async def listen(ctx):
        async for _, _, valid, symbol in ctx.tick().sample(dut.o.valid, dut.o.payload):
            if valid and symbol.end:
                runs.append((bytes(content), bool(symbol.error)))
                content.clear()
            elif valid:
                content.append(symbol.data)

    simulate(
        dut, put, background=[listen], limit_cycles=10 + sum(len(carrier) + 8 for carrier in carriers), engine=engine
    )
    assert not content
    return runs


def carrier_of(rng, content, *, late=False, lost_pairs=0):
    """Pins of a frame: zeros while the PHY finds the clock, then the preamble, of which some may be lost.

    With ``late`` the carrier has gone before the PHY has given all it holds, so that CRS_DV toggles at the end.
    """
    early = [(0, 1)] * rng.randrange(6)
    bits = pairs(content)[lost_pairs:]
    toggling = 2 * rng.randint(1, 8) if late else 0
    begin = len(bits) - toggling
    return early + [(pair, 1 if at < begin else (at - begin) % 2) for at, pair in enumerate(bits)]


def strip(run: bytes) -> bytes:
    """What follows the first bytes of preamble, however often those were seen."""
    return run.lstrip(b"\x55")


@pytest.mark.parametrize("engine", SIMULATORS)
@pytest.mark.parametrize("late", [False, True])
def test_frames(late, engine):
    rng = random.Random(late)
    frames = [with_fcs(rng.randbytes(rng.randint(0, 80))) for _ in range(30)]
    carriers = [carrier_of(rng, PREAMBLE + frame, late=late, lost_pairs=rng.randrange(24)) for frame in frames]
    seen = runs_seen(carriers, engine)
    assert not any(error for _, error in seen)
    runs = [run for run, _ in seen]
    assert [run[:1] for run in runs] == [b"\x55"] * len(frames)
    assert [strip(run) for run in runs] == [b"\xd5" + frame for frame in frames]


def test_a_carrier_that_drops_within_a_byte():
    """What is not whole is left out."""
    content = PREAMBLE + bytes(range(64))
    for missing in (1, 2, 3):
        whole = pairs(content)
        ((run, error),) = runs_seen([[(pair, 1) for pair in whole[:-missing]]])
        assert (strip(run), error) == (content[7:-1], True)


def test_bits_behind_a_good_frame_are_left_out():
    content = PREAMBLE + with_fcs(bytes(range(60)))
    for more in (1, 2, 3):
        ((run, error),) = runs_seen([[*((pair, 1) for pair in pairs(content)), *[(2, 1)] * more]])
        assert (strip(run), error) == (content[7:], False)


def test_a_wrong_fcs():
    content = bytearray(PREAMBLE + with_fcs(bytes(range(60))))
    content[-9] ^= 4
    ((run, error),) = runs_seen([[(pair, 1) for pair in pairs(bytes(content))]])
    assert (strip(run), error) == (content[7:], True)


def test_no_start_delimiter():
    """Another pair of bits in the preamble makes a byte that is no start; a carrier of zeros is an end alone."""
    runs = runs_seen([[(1, 1)] * 20 + [(2, 1)] + [(1, 1)] * 8, [(0, 1)] * 9, [(1, 1)] * 40])
    assert [(strip(run)[:1], error) for run, error in runs] == [(b"\x95", True), (b"", True), (b"", True)]
    assert set(runs[2][0]) == {0x55}


def test_garbage_and_then_a_frame():
    rng = random.Random(9)
    frame = with_fcs(bytes(60))
    garbage = [(rng.randrange(4), rng.random() < 0.7) for _ in range(2000)]
    runs = runs_seen([garbage, carrier_of(rng, PREAMBLE + frame)])
    assert (strip(runs[-1][0]), runs[-1][1]) == (b"\xd5" + frame, False)
