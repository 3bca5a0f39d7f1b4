"""sim.headers against the table of outcomes in docs/flow_rules.md, read anew one byte at a time."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdl.item import OF_THE_LINK, FrameOutcome
from sim.headers import Packet, decode_frame, header_bytes
from sim.made_frames import LAYERS, random_frame, tcp_frame

PORTS = frozenset({25, 587})
FRAME = {"source": b"\x0a\0\0\1", "destination": b"\x0a\0\0\2", "source_port": 1024, "destination_port": 25}
FRAME6 = FRAME | {"source": bytes(15) + b"\1", "destination": bytes(15) + b"\2"}


def slow_outcome(frame, wire_length, ports):
    """The outcome after the first byte that settles it, and how many bytes that took."""
    reading = reader(wire_length, ports)
    next(reading)
    for count, byte in enumerate(frame, 1):
        try:
            reading.send(byte)
        except StopIteration as settled:
            return settled.value, count
    return FrameOutcome.TRUNCATED, len(frame)


def number(count):
    """The next bytes as a number."""
    value = 0
    for _ in range(count):
        value = value << 8 | (yield)
    return value


def reader(wire_length, ports):
    """Takes one byte after the other and ends with the outcome: the table, from its first row to its last."""
    yield from number(12)
    room = wire_length - 12
    version = None
    while version is None:
        ethertype = yield from number(2)
        room -= 2
        if ethertype in (0x8100, 0x88A8, 0x9100):
            yield from number(2)
            room -= 2
        elif ethertype in (0x0800, 0x86DD):
            version = 4 if ethertype == 0x0800 else 6
            first = yield from number(1)
        elif ethertype in (0x8847, 0x8848):
            bottom = 0
            while not bottom:
                bottom = (yield from number(4)) >> 8 & 1
                room -= 4
            first = yield from number(1)
            version = first >> 4
            if version not in (4, 6):
                return FrameOutcome.ENCAPSULATED
        elif ethertype == 0x8864:
            if (yield from number(1)) != 0x11:
                return FrameOutcome.MALFORMED
            if (yield from number(1)) != 0:
                return FrameOutcome.NOT_IP
            yield from number(4)
            room -= 8
            version = {0x21: 4, 0x57: 6}.get((yield from number(2)))
            if version is None:
                return FrameOutcome.NOT_IP
            first = yield from number(1)
        elif ethertype > 1500:
            return FrameOutcome.NOT_IP
        else:
            for expected in (0xAA, 0xAA, 3, 0, 0, 0):
                if (yield from number(1)) != expected:
                    return FrameOutcome.NOT_IP
            room -= 6
    if first >> 4 != version or (version == 4 and first & 15 < 5):
        return FrameOutcome.MALFORMED
    return (yield from (ipv4 if version == 4 else ipv6)(first, room, ports))


def ipv4(first, room, ports):
    header = (first & 15) * 4
    yield from number(1)
    length = yield from number(2)
    if length < header or length > room:
        return FrameOutcome.MALFORMED
    yield from number(2)
    if (yield from number(2)) % 0x2000:
        return FrameOutcome.FRAGMENT
    yield from number(1)
    protocol = yield from number(1)
    if protocol not in (6, 17):
        return FrameOutcome.TUNNEL if protocol in (4, 41, 47) else FrameOutcome.NOT_TCP
    yield from number(header - 10)
    return (yield from transport(protocol, header, length, ports))


def ipv6(_, room, ports):
    header = 40
    yield from number(3)
    payload = yield from number(2)
    if payload == 0 or payload + 40 > 65535 or payload + 40 > room:
        return FrameOutcome.MALFORMED
    kind = yield from number(1)
    left = 33
    while kind in (0, 43, 44, 51, 60, 135, 139, 140):
        yield from number(left)
        following = yield from number(1)
        if following not in (0, 6, 17, 43, 44, 51, 60, 135, 139, 140):
            kind = following
            break
        units = yield from number(1)
        size = {44: 8, 51: 4 * units + 8}.get(kind, 8 * units + 8)
        if kind == 44 and (yield from number(2)) >> 3:
            return FrameOutcome.FRAGMENT
        left = size - (4 if kind == 44 else 2)
        header += size
        kind = following
    if kind not in (6, 17):
        return FrameOutcome.TUNNEL if kind in (4, 41, 47) else FrameOutcome.NOT_TCP
    yield from number(left)
    return (yield from transport(kind, header, payload + 40, ports))


def transport(protocol, header, length, ports):
    pair = {(yield from number(2)), destination := (yield from number(2))}
    if protocol == 17:
        return FrameOutcome.TUNNEL if destination == 4789 else FrameOutcome.NOT_TCP
    if ports is not None and not pair & ports:
        return FrameOutcome.UNTRACKED
    yield from number(8)
    words = (yield from number(1)) >> 4
    if words < 5 or header + 4 * words > length:
        return FrameOutcome.MALFORMED
    yield from number(3)
    return FrameOutcome.USED


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
    assert seen == set(FrameOutcome) - OF_THE_LINK - {FrameOutcome.NOT_READY, FrameOutcome.BAD_CHECKSUM}


@pytest.mark.parametrize(
    "layers",
    [(), *((layer,) for layer in LAYERS), ("service tag", "tag"), ("label",) * 3, ("tag", "snap"), ("tag", "pppoe")],
)
@pytest.mark.parametrize(("fields", "version", "header"), [(FRAME, 4, 20), (FRAME6, 6, 40)])
def test_packet(fields, version, header, layers):
    data, wire_length = tcp_frame(
        **fields, layers=layers, flags=0x18, window=4321, ttl=57, payload=100, tcp_option_words=3
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


@pytest.mark.parametrize("kind", [0, 43, 51, 60, 135, 139, 140])
def test_extension_headers_are_followed(kind):
    units = 2
    size = 4 * (units + 2) if kind == 51 else 8 * (units + 1)
    chain = bytes([6, units]) + bytes(range(size - 2))
    data, wire_length = tcp_frame(**FRAME6, next_header=kind, extensions=chain, payload=9)
    outcome, packet = decode_frame(data, wire_length, PORTS)
    assert outcome is FrameOutcome.USED
    # What extends the header counts as the packet's length.
    assert packet.length == 40 + size + 20 + 9


def test_only_the_first_fragment_has_ports():
    for offset, expected in ((0, FrameOutcome.USED), (1, FrameOutcome.USED), (8, FrameOutcome.FRAGMENT)):
        chain = bytes([6, 255]) + offset.to_bytes(2, "big") + bytes(4)
        data, wire_length = tcp_frame(**FRAME6, next_header=44, extensions=chain)
        assert decode_frame(data, wire_length, PORTS)[0] is expected


@pytest.mark.parametrize("protocol", [4, 41, 47])
@pytest.mark.parametrize("fields", [FRAME, FRAME6])
def test_tunnels_are_counted_as_such(fields, protocol):
    data, wire_length = tcp_frame(**fields, next_header=protocol)
    assert decode_frame(data, wire_length, None)[0] is FrameOutcome.TUNNEL
    vxlan = tcp_frame(**fields | {"destination_port": 4789}, next_header=17)
    assert decode_frame(*vxlan, None)[0] is FrameOutcome.TUNNEL
