"""sim.block_headers against sim.headers, frame by frame."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdl.item import OF_THE_LINK, FrameOutcome
from sim.block_headers import decode_block
from sim.capture_source import CapturedFrame
from sim.frame_block import block_of_frames
from sim.headers import Packet, decode_frame
from sim.made_frames import random_frame

PORTS = frozenset({25, 587})


def decoded(frames, ports):
    """Outcome and packet of every frame, decoded together."""
    outcomes, of_versions = decode_block(block_of_frames([CapturedFrame(0, w, d) for d, w in frames], "a", 0), ports)
    packets = dict.fromkeys(range(len(frames)))
    for version, found in of_versions.items():
        for at, frame in enumerate(found.frames.tolist()):
            (source, source_port), (destination, destination_port) = (
                endpoint(words[:, at]) for words in (found.source, found.destination)
            )
            fields = (int(column[at]) for column in (found.length, found.window, found.ttl, found.flags))
            packets[frame] = Packet(version, source, destination, source_port, destination_port, *fields)
    return [(FrameOutcome(outcome), packets[at]) for at, outcome in enumerate(outcomes.tolist())]


def endpoint(words):
    number = 0
    for word, bits in zip(words.tolist(), (64, 64, 16)[-len(words) :] if len(words) == 3 else (64,), strict=True):
        number = number << bits | word
    return divmod(number, 1 << 16)


@pytest.mark.parametrize("ports", [None, PORTS])
def test_random_frames(ports):
    rng = random.Random(1)
    frames = [random_frame(rng) for _ in range(8000)]
    found = decoded(frames, ports)
    assert found == [decode_frame(data, wire, ports) for data, wire in frames]
    not_seen = OF_THE_LINK | {FrameOutcome.NOT_READY, FrameOutcome.BAD_CHECKSUM}
    not_seen |= {FrameOutcome.UNTRACKED} if ports is None else set()
    assert {outcome for outcome, _ in found} == set(FrameOutcome) - not_seen


def test_every_cut_and_every_bit_of_a_frame():
    for seed in range(8):
        data, wire = random_frame(random.Random(seed))
        frames = [(data[:size], wire) for size in range(len(data) + 1)]
        for bit in range(8 * len(data)):
            flipped = bytearray(data)
            flipped[bit // 8] ^= 1 << bit % 8
            frames.append((bytes(flipped), wire))
        assert decoded(frames, PORTS) == [decode_frame(*frame, PORTS) for frame in frames]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.randoms(use_true_random=False).map(random_frame),
            st.tuples(st.binary(max_size=80), st.integers(0, 200)),
        ),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from([None, PORTS]),
)
def test_any_frames(frames, ports):
    assert decoded(frames, ports) == [decode_frame(*frame, ports) for frame in frames]


def test_no_frames():
    outcomes, packets = decode_block(block_of_frames([], "a", 0), PORTS)
    assert (outcomes.tolist(), packets) == ([], {})
    assert outcomes.dtype == np.uint8
