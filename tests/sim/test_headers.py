"""sim.headers against the table of outcomes in docs/flow_rules.md, read anew one byte at a time."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdl.item import FrameOutcome
from sim.headers import Packet, decode_frame, header_bytes
from tests.frames import random_frame, tcp_frame

PORTS = frozenset({25, 587})
FRAME = {"source": b"\x0a\0\0\1", "destination": b"\x0a\0\0\2", "source_port": 1024, "destination_port": 25}
FRAME6 = FRAME | {"source": bytes(15) + b"\1", "destination": bytes(15) + b"\2"}


def slow_outcome(frame, wire_length, ports):
    """The outcome after the first byte that settles it, and how many bytes that took."""
    for count in range(1, len(frame) + 1):
        outcome = settled(frame[:count], wire_length, ports)
        if outcome is not None:
            return outcome, count
    return FrameOutcome.TRUNCATED, len(frame)


def settled(seen, wire_length, ports):
    """The outcome that the last byte of ``seen`` settles, or None: the rows of the table."""

    def number(at, size=2):
        return int.from_bytes(seen[at : at + size], "big")

    last = len(seen) - 1
    if last < 13:
        return None
    tagged = number(12) == 0x8100
    l2 = 18 if tagged else 14
    if last < l2:
        if last != l2 - 1:
            return None
        if number(last - 1) in {0x88A8, 0x8847, 0x8848, 0x8864} or (tagged and number(last - 1) == 0x8100):
            return FrameOutcome.ENCAPSULATED
        return None if number(last - 1) in (0x0800, 0x86DD) else FrameOutcome.NOT_IP
    ipv4 = number(l2 - 2) == 0x0800
    header = (seen[l2] & 15) * 4 if ipv4 else 40
    length = number(l2 + 2) if ipv4 else 40 + number(l2 + 4)
    tcp = l2 + header
    rows = [
        (ipv4, l2, lambda: seen[l2] >> 4 != 4 or header < 20, FrameOutcome.MALFORMED),
        (ipv4, l2 + 3, lambda: length < header or l2 + length > wire_length, FrameOutcome.MALFORMED),
        (ipv4, l2 + 7, lambda: number(l2 + 6) % 0x2000 > 0, FrameOutcome.FRAGMENT),
        (ipv4, l2 + 9, lambda: seen[l2 + 9] != 6, FrameOutcome.NOT_TCP),
        (not ipv4, l2, lambda: seen[l2] >> 4 != 6, FrameOutcome.MALFORMED),
        (
            not ipv4,
            l2 + 5,
            lambda: length == 40 or length > 65535 or l2 + length > wire_length,
            FrameOutcome.MALFORMED,
        ),
        (
            not ipv4,
            l2 + 6,
            lambda: seen[l2 + 6] in (0, 43, 44, 50, 51, 60, 135, 139, 140),
            FrameOutcome.IPV6_EXTENSION,
        ),
        (not ipv4, l2 + 6, lambda: seen[l2 + 6] != 6, FrameOutcome.NOT_TCP),
        (
            ports is not None,
            tcp + 3,
            lambda: number(tcp) not in ports and number(tcp + 2) not in ports,
            FrameOutcome.UNTRACKED,
        ),
        (
            True,
            tcp + 12,
            lambda: seen[tcp + 12] >> 4 < 5 or header + (seen[tcp + 12] >> 4) * 4 > length,
            FrameOutcome.MALFORMED,
        ),
        (True, tcp + 15, lambda: True, FrameOutcome.USED),
    ]
    for applies, after, condition, outcome in rows:
        if applies and last == after and condition():
            return outcome
    return None


@settings(max_examples=1500, deadline=None)
@given(
    frame=st.one_of(
        st.randoms(use_true_random=False).map(random_frame),
        st.tuples(st.binary(max_size=80), st.integers(0, 200)),
    ),
    ports=st.sampled_from([None, PORTS]),
)
def test_outcome_is_that_of_the_table(frame, ports):
    data, wire_length = frame
    outcome, packet = decode_frame(data, wire_length, ports)
    assert outcome == slow_outcome(data, wire_length, ports)[0]
    assert (packet is not None) == (outcome is FrameOutcome.USED)


@settings(max_examples=500, deadline=None)
@given(st.randoms(use_true_random=False).map(random_frame), st.sampled_from([None, PORTS]))
def test_headers_alone_decode_alike(frame, ports):
    data, wire_length = frame
    short = data[: header_bytes(data, wire_length)]
    assert decode_frame(short, wire_length, ports) == decode_frame(data, wire_length, ports)
    assert len(short) >= slow_outcome(data, wire_length, None)[1]


def test_every_outcome_of_a_frame_occurs():
    rng = random.Random(0)
    seen = {decode_frame(*random_frame(rng), PORTS)[0] for _ in range(5000)}
    assert seen == set(FrameOutcome) - {FrameOutcome.NOT_READY, FrameOutcome.OVERRUN}


@pytest.mark.parametrize("tagged", [False, True])
@pytest.mark.parametrize(("fields", "version", "header"), [(FRAME, 4, 20), (FRAME6, 6, 40)])
def test_packet(fields, version, header, tagged):
    data, wire_length = tcp_frame(
        **fields, tagged=tagged, flags=0x18, window=4321, ttl=57, payload=100, tcp_option_words=3
    )
    outcome, packet = decode_frame(data, wire_length, PORTS)
    source, destination = (int.from_bytes(fields[side], "big") for side in ("source", "destination"))
    assert outcome is FrameOutcome.USED
    assert packet == Packet(version, source, destination, 1024, 25, header + 32 + 100, 4321, 57, 0x18)
    assert header_bytes(data + b"payload", wire_length) == len(data)


def test_length_is_compared_with_the_wire_and_padding_does_not_count():
    data, _ = tcp_frame(**FRAME, payload=1000)
    assert decode_frame(data, 14 + 1040, PORTS)[1].length == 1040
    assert decode_frame(data, 14 + 1039, PORTS)[0] is FrameOutcome.MALFORMED
    data, wire_length = tcp_frame(**FRAME)
    assert (wire_length, decode_frame(data + bytes(6), wire_length, PORTS)[1].length) == (60, 40)


def test_first_settling_byte_decides():
    # The fragment offset is read before the protocol, the ports before the data offset.
    data, wire_length = tcp_frame(**FRAME, fragment=1, next_header=17)
    assert decode_frame(data, wire_length, PORTS)[0] is FrameOutcome.FRAGMENT
    data, wire_length = tcp_frame(**FRAME | {"destination_port": 80}, tcp_option_words=10)
    broken = data[:46] + b"\0" + data[47:]
    assert decode_frame(broken, wire_length, PORTS)[0] is FrameOutcome.UNTRACKED
    assert decode_frame(broken, wire_length, None)[0] is FrameOutcome.MALFORMED


def test_last_byte_needed_is_the_window():
    data, wire_length = tcp_frame(**FRAME)
    assert decode_frame(data[:50], wire_length, PORTS)[0] is FrameOutcome.USED
    assert decode_frame(data[:49], wire_length, PORTS)[0] is FrameOutcome.TRUNCATED
