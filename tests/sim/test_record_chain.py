"""sim.record_chain: many lanes find what one walk from record to record finds."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim import record_chain
from sim.record_chain import MAX_CAPTURED, record_starts


def walked(data, order):
    """Offsets of all records whose header is whole, up to the first of an absurd length."""
    found, at = [], 0
    while at + 16 <= len(data):
        found.append(at)
        (captured,) = struct.unpack_from(order + "I", data, at + 8)
        if captured > MAX_CAPTURED:
            break
        at += 16 + captured
    return found


def starts(data, order):
    padded = np.frombuffer(data + bytes(64), np.uint8)
    return record_starts(padded, len(data), order).tolist()


def record(body, *, order="<", second=1_700_000_000, wire=None):
    return struct.pack(order + "IIII", second, 5, len(body), len(body) if wire is None else wire) + body


@pytest.fixture(autouse=True)
def short_lanes(monkeypatch):
    monkeypatch.setattr(record_chain, "_LANE_BYTES", 256)
    monkeypatch.setattr(record_chain, "_SEARCHED_BYTES", 192)


@pytest.mark.parametrize("order", "<>")
def test_records_of_all_lengths(order):
    generator = np.random.default_rng(1)
    lengths = generator.integers(0, 400, 3000).tolist()
    bodies = [generator.bytes(length) for length in lengths]
    data = b"".join(record(body, order=order, second=1_700_000_000 + n) for n, body in enumerate(bodies))
    assert starts(data, order) == walked(data, order)
    assert starts(data[:-7], order) == walked(data, order)


def test_records_within_records_mislead_nobody():
    # A capture of somebody who copies a capture: what looks like records lies in the frames.
    inner = b"".join(record(bytes(40)) for _ in range(9))
    data = b"".join(record(inner[n % 3 :], second=1_700_000_000 + n) for n in range(300))
    assert starts(data, "<") == walked(data, "<")


def test_lanes_without_a_guess():
    data = b"".join(record(bytes(n % 7)) + record(bytes(3000)) for n in range(50))
    assert starts(data, "<") == walked(data, "<")
    # Times that jump about give no guess at all.
    data = b"".join(record(bytes(50), second=n << 24) for n in range(200))
    assert starts(data, "<") == walked(data, "<")


def test_absurd_length_ends_the_chain():
    whole = [record(bytes(60)) for _ in range(100)]
    broken = struct.pack("<IIII", 1_700_000_000, 0, 1 << 31, 60)
    data = b"".join([*whole[:50], broken, *whole[50:]])
    assert starts(data, "<")[:51] == walked(data, "<")


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17])
def test_next_to_nothing(size):
    data = record(b"a")[:size]
    assert starts(data, "<") == walked(data, "<")


@settings(max_examples=150, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 120), max_size=60),
    fill=st.sampled_from([b"\0", b"\x20", record(b"")]),
    damage=st.lists(st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=4)), max_size=3),
)
def test_anything(lengths, fill, damage):
    data = bytearray(b"".join(record((fill * 120)[:length]) for length in lengths))
    for at, value in damage:
        data[at : at + len(value)] = value[: max(len(data) - at, 0)]
    expected = walked(bytes(data), "<")
    assert starts(bytes(data), "<")[: len(expected)] == expected
