"""COBS: the model against its definition, the circuit against the model, with stalls and at block edges."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdl.cobs import CobsEncoder, cobs_decode, cobs_encode
from sim.testbench import Stalls, frames_to_payloads, simulate, stream_get, stream_put

# Nearly no zeros, so that blocks get long, or many.
_BYTES = st.one_of(st.integers(1, 255), st.sampled_from([0, 1, 255]))
_FRAMES = st.one_of(
    st.binary(max_size=40),
    st.lists(_BYTES, max_size=40).map(bytes),
    st.tuples(st.integers(250, 260), st.integers(250, 260), st.binary(max_size=3)).map(
        lambda parts: b"\1" * parts[0] + b"\0" + b"\2" * parts[1] + parts[2]
    ),
)


@pytest.mark.parametrize(
    ("frame", "encoded"),
    [
        (b"", "01 00"),
        (b"\0", "01 01 00"),
        (b"\0\0", "01 01 01 00"),
        (b"\x11\x22\0\x33", "03 11 22 02 33 00"),
        (b"\x11\0\0\0", "02 11 01 01 01 00"),
        (bytes(range(1, 255)), "ff " + bytes(range(1, 255)).hex() + " 01 00"),
        (bytes(range(255)), "01 ff " + bytes(range(1, 255)).hex() + " 01 00"),
        (bytes(range(1, 256)), "ff " + bytes(range(1, 255)).hex() + " 02 ff 00"),
        (bytes([*range(2, 256), 0]), "ff " + bytes(range(2, 256)).hex() + " 01 01 00"),
        (bytes([*range(3, 256), 0, 1]), "fe " + bytes(range(3, 256)).hex() + " 02 01 00"),
    ],
)
def test_model_encodes_as_published(frame, encoded):
    assert cobs_encode(frame) == bytes.fromhex(encoded)


@given(_FRAMES)
def test_model_round_trip(frame):
    encoded = cobs_encode(frame)
    assert encoded.index(b"\0") == len(encoded) - 1
    assert len(encoded) <= len(frame) + len(frame) // 254 + 2
    assert cobs_decode(encoded[:-1]) == frame


def test_a_full_block_at_the_end_may_stand_alone():
    """Encoders differ in whether an empty block follows; the decoder takes both."""
    full = b"\xff" + b"\5" * 254
    assert cobs_decode(full) == cobs_decode(full + b"\1") == b"\5" * 254


@pytest.mark.parametrize("wrong", [b"\2", b"\3\1", b"\2\1\5\1", b"\0", b"\3\1\0"])
def test_a_cut_block_is_refused(wrong):
    with pytest.raises(ValueError, match="A COBS block at byte"):
        cobs_decode(wrong)


def _edge_frames():
    yield from ([0], [7], [0, 0], [7, 0], [0, 7])
    for length in (253, 254, 255, 507, 508, 509):
        block = [1 + n % 255 for n in range(length)]
        yield from (block, [*block, 0], [0, *block], [*block, 0, 9])


def encoded_by_circuit(frames, seed, put_stall, get_stall):
    dut = CobsEncoder()
    expected = b"".join(CobsEncoder.model(bytes(frame)) for frame in frames)
    sent = bytearray()

    async def put(ctx):
        await stream_put(ctx, dut.i, frames_to_payloads(frames), Stalls(seed, put_stall))

    async def get(ctx):
        stalls = Stalls(seed + 1, get_stall)
        while len(sent) < len(expected):
            sent.append(await stream_get(ctx, dut.o, stalls))
        for _ in range(20):
            await ctx.tick()
            assert not ctx.get(dut.o.valid)

    simulate(dut, put, get, limit_cycles=12 * len(expected) + 200)
    return bytes(sent), expected


def test_circuit_at_block_edges():
    sent, expected = encoded_by_circuit(list(_edge_frames()), 0, 0, 0)
    assert sent == expected


@pytest.mark.parametrize("seed", range(6))
def test_circuit_equals_model_under_stalls(seed):
    rng = random.Random(seed)
    frames = []
    for _ in range(12):
        zero_in = rng.choice((2, 10, 1000))
        frames.append([rng.randrange(zero_in) and rng.randint(1, 255) for _ in range(rng.randint(1, 300))])
    sent, expected = encoded_by_circuit(frames, seed, rng.choice((0, 0.5)), rng.choice((0, 0.5)))
    assert sent == expected


def test_throughput():
    """A byte in 2 cycles to send and one to take, and 3 a block."""
    dut = CobsEncoder()
    frame = [5] * 254
    cycles = 0

    async def put(ctx):
        await stream_put(ctx, dut.i, frames_to_payloads([frame]))

    async def get(ctx):
        nonlocal cycles
        ctx.set(dut.o.ready, 1)
        left = len(CobsEncoder.model(bytes(frame)))
        while left:
            _, _, valid = await ctx.tick().sample(dut.o.valid)
            cycles += 1
            left -= valid

    simulate(dut, put, get, limit_cycles=2000)
    assert cycles <= 3 * len(frame) + 6
