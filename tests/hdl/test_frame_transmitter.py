"""FrameTransmitter: what is on the wire, byte for byte and clock for clock."""

import random
import zlib

import pytest

from hdl.frame_transmitter import FrameTransmitter
from sim.testbench import SIMULATORS, frames_to_payloads, simulate, stream_put


@pytest.mark.parametrize("engine", SIMULATORS)
def test_frames_leave_at_full_rate(engine):
    rng = random.Random(8)
    frames = [rng.randbytes(length) for length in (60, 14, 59, 61, 1, 60, 200)]
    dut = FrameTransmitter()
    wire = []

    async def put(ctx):
        await stream_put(ctx, dut.i, frames_to_payloads(frames))
        await ctx.tick().repeat(20)

    async def listen(ctx):
        async for _, _, valid, data in ctx.tick().sample(dut.valid, dut.data):
            wire.append(data if valid else None)

    simulate(dut, put, background=[listen], limit_cycles=2000, engine=engine)
    expected = []
    for frame in frames:
        padded = frame.ljust(60, b"\0")
        octets = bytes([0x55] * 7 + [0xD5]) + padded + zlib.crc32(padded).to_bytes(4, "little")
        expected += [*octets, *[None] * 12]
    begin = wire.index(0x55)
    assert wire[begin : begin + len(expected)] == expected
    assert set(wire[begin + len(expected) :]) == {None}
