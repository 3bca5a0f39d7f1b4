"""sim.items: ticks, times, the epoch, and items as bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.errors import InputError
from hdl.item import ItemKind
from sim.capture import CapturedFrame
from sim.headers import decode_frame
from sim.items import Item, epoch_of, items_of, key_of_setup, parse_item, setup_item
from sim.made_frames import tcp_frame

FRAME, TICK, FLUSH = ItemKind.FRAME, ItemKind.TICK, ItemKind.FLUSH


def outline(times_ms, **options):
    frames = [CapturedFrame(time_ms * 1_000_000, 60, b"") for time_ms in times_ms]
    return [(item.kind, item.time_ms) for item in items_of(frames, **options)]


def test_a_tick_at_every_period_that_passed():
    assert outline([1_000_150, 1_000_199, 1_000_200, 1_000_420]) == [
        (TICK, 150),
        (FRAME, 150),
        (FRAME, 199),
        (TICK, 200),
        (FRAME, 200),
        (TICK, 300),
        (TICK, 400),
        (FRAME, 420),
        (FLUSH, 420),
    ]


def test_of_a_long_gap_the_last_ticks():
    assert outline([0, 100_005], gap_ticks=2) == [
        (TICK, 0),
        (FRAME, 0),
        (TICK, 99_900),
        (TICK, 100_000),
        (FRAME, 100_005),
        (FLUSH, 100_005),
    ]
    assert len(outline([0, 100_005])) == 4 + 64
    assert outline([0, 1000], gap_ticks=0) == [(TICK, 0), (FRAME, 0), (FRAME, 1000), (FLUSH, 1000)]


def test_time_that_goes_back_makes_no_tick():
    assert outline([500, 450, 90, 520], epoch_ms=100) == [
        (TICK, 400),
        (FRAME, 400),
        (FRAME, 350),
        (FRAME, 0),
        (FRAME, 420),
        (FLUSH, 420),
    ]


def test_no_frames_give_a_flush():
    assert outline([]) == [(FLUSH, 0)]


def test_ticks_carry_the_seconds_of_their_time():
    frames = [CapturedFrame(time_ms * 1_000_000, 60, b"") for time_ms in (1_700_000_000_999, 1_700_000_001_100)]
    items = [item for item in items_of(frames) if item.kind is TICK]
    assert [(item.time_ms, int.from_bytes(item.body, "big")) for item in items] == [
        (999, 1_700_000_000),
        (1000, 1_700_000_001),
        (1100, 1_700_000_001),
    ]
    assert {len(item.body) for item in items} == {4}
    assert epoch_of(frames[0]) == 1_700_000_000_000


def test_no_date_after_2106():
    assert outline([2**32 * 1000 - 1])[-1] == (FLUSH, 999)
    with pytest.raises(InputError, match=r"far\.pcap: packet 1 is dated after 2106"):
        outline([2**32 * 1000], name="far.pcap")


def test_setup_item():
    item = setup_item(0x0102030405060708, 0x010203040506)
    seconds = 0x010203040506 // 1000
    assert item.to_bytes() == bytes([3, *bytes(7), 0, 0, *range(1, 7), *range(1, 9)]) + seconds.to_bytes(4, "big")
    assert parse_item(item.to_bytes()) == item
    assert parse_item(item.to_bytes()[:-1]) is None
    assert key_of_setup(item) == 0x0102030405060708


def test_a_run_lasts_2_to_the_32_ms():
    assert outline([0, 2**32 - 1], gap_ticks=0)[-1] == (FLUSH, 2**32 - 1)
    with pytest.raises(InputError, match=r"long\.pcap: packet 2 comes 4294967296 ms after the epoch"):
        outline([0, 2**32], name="long.pcap")


def test_headers_only():
    data, wire_length = tcp_frame(source=bytes(4), destination=bytes(4), source_port=1, destination_port=25, payload=9)
    frames = [CapturedFrame(0, wire_length, data + b"secret...")]
    (_, item, _) = items_of(frames, headers_only=True)
    assert item == Item(FRAME, 0, wire_length, data)
    assert decode_frame(item.body, item.wire_length, None) == decode_frame(data + b"secret...", wire_length, None)


@given(
    kind=st.sampled_from([FRAME, TICK, FLUSH]),
    time_ms=st.integers(0, 2**32 - 1),
    wire_length=st.integers(0, 2**24 - 1),
    body=st.binary(max_size=70),
)
def test_bytes_and_back(kind, time_ms, wire_length, body):
    item = Item(kind, time_ms, wire_length, body)
    assert parse_item(item.to_bytes()) == item


@given(st.binary(max_size=12))
def test_bad_items(data):
    # Eight bytes of header, and a set-up item needs sixteen more.
    assert (parse_item(data) is None) == (len(data) < 8 or data[0] >= 3)


@given(st.lists(st.integers(0, 10_000), max_size=20))
def test_times_are_those_of_the_frames_and_ticks_never_late(times_ms):
    items = outline(times_ms, epoch_ms=0, tick_ms=10, gap_ticks=5)
    assert [time for kind, time in items if kind is FRAME] == times_ms
    if times_ms:
        assert items.pop(0) == (TICK, times_ms[0])
    latest = 0
    for kind, time in items:
        if kind is TICK:
            assert time % 10 == 0
            assert time > latest
        latest = max(latest, time)
    assert items[-1] == (FLUSH, max(times_ms, default=0))
