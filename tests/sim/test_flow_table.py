"""sim.flow_table: each rule of docs/flow_rules.md by itself, and conservation under anything."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.features import CATALOGUE, accumulators_of
from hdl.accumulator import OCTETS, PACKETS, Accumulator
from hdl.item import OF_THE_LINK, FrameOutcome, ItemKind
from hdl.verdict import EndReason
from sim.flow_table import FlowTable, TableParameters
from sim.identity import Endpoint, Endpoints, identity_of
from tests.sim.packets import CLIENT, SERVER, events, packet

TINY = {"sets": 2, "ways": 2, "idle_ms": 100, "active_ms": 400, "linger_ms": 20}


def table_of(*, key=0, **parameters):
    return FlowTable(TableParameters(**TINY | parameters), key)


def take(table, time_ms, a_packet):
    return table.item(ItemKind.FRAME, time_ms, FrameOutcome.USED, a_packet)


def tick(table, time_ms):
    return table.item(ItemKind.TICK, time_ms)


def flush(table):
    return table.item(ItemKind.FLUSH, 0)


def only(records):
    (record,) = records
    return record


def clients(count, set_of=None, *, sets=2):
    """Client endpoints whose flows with SERVER fall into one set."""
    found = ((0x0A000100 + n, 40000) for n in range(1000))
    if set_of is not None:
        found = (
            c
            for c in found
            if identity_of(Endpoints(4, *sorted((Endpoint(*c), Endpoint(*SERVER)))), 0) % sets == set_of
        )
    return [next(found) for _ in range(count)]


# One flow.


def test_a_conversation():
    accumulators = accumulators_of(tuple(CATALOGUE))
    table = table_of(accumulators=accumulators)
    take(table, 5, packet(names="SYN", length=60, window=64240, ttl=57))
    take(table, 6, packet(SERVER, CLIENT, "SYN ACK", length=52, window=65160))
    take(table, 9, packet(names="PSH ACK", length=100, window=500, ttl=56))
    take(table, 15, packet(SERVER, CLIENT, "FIN ACK"))
    record = only(flush(table))
    assert (record.version, record.initiator, record.responder) == (4, CLIENT, SERVER)
    assert (record.first_ms, record.last_ms, record.duration_ms) == (5, 15, 10)
    assert (record.syn, record.fin_forward, record.fin_response, record.closing) == (True, False, True, False)
    assert record.end_reason is EndReason.FORCED
    assert (record.forward[PACKETS], record.forward[OCTETS]) == (2, 160)
    assert record.forward[Accumulator("add", "length_squared")] == 60**2 + 100**2
    assert record.forward[Accumulator("min", "window")] == 500
    assert record.forward[Accumulator("max", "ttl")] == 57
    assert record.forward[Accumulator("add", "length", 4)] == 100
    assert record.response[PACKETS] == 2
    assert record.response[Accumulator("min", "length")] == 40
    assert record.packets == 4


@pytest.mark.parametrize(
    ("first", "ports", "orientation", "initiator"),
    [
        (packet(CLIENT, SERVER, "SYN"), {25}, "initiator", CLIENT),
        (packet(SERVER, CLIENT, "SYN"), {25}, "initiator", SERVER),
        (packet(SERVER, CLIENT, "SYN ACK"), {25}, "initiator", CLIENT),
        (packet(CLIENT, SERVER, "SYN ACK"), {25}, "initiator", SERVER),
        (packet(CLIENT, SERVER, "ACK"), {25}, "initiator", CLIENT),
        (packet(SERVER, CLIENT, "ACK"), {25}, "initiator", CLIENT),
        (packet(SERVER, CLIENT, "ACK"), {25, 40000}, "initiator", SERVER),
        (packet(SERVER, CLIENT, "RST"), None, "initiator", SERVER),
        (packet(SERVER, CLIENT, "SYN ACK"), None, "initiator", CLIENT),
        (packet((1, 25), (2, 25), "ACK"), {25}, "initiator", (1, 25)),
        (packet((2, 25), (1, 25), "ACK"), {25}, "initiator", (2, 25)),
        (packet((2, 25), (1, 25), "SYN ACK"), {25}, "initiator", (1, 25)),
        (packet(SERVER, CLIENT, "SYN ACK"), {25}, "first", SERVER),
        (packet(SERVER, CLIENT, "ACK"), {25}, "first", SERVER),
    ],
)
def test_orientation(first, ports, orientation, initiator):
    table = table_of(ports=ports and frozenset(ports), orientation=orientation)
    take(table, 0, first)
    record = only(flush(table))
    assert record.initiator == initiator
    assert record.initiator_high == (record.initiator > record.responder)
    forward = (first.source, first.source_port) == initiator
    assert (record.forward[PACKETS], record.response[PACKETS]) == (int(forward), int(not forward))


@pytest.mark.parametrize("names", ["SYN", "SYN ACK", "ACK"])
@pytest.mark.parametrize("orientation", ["initiator", "first"])
def test_equal_endpoints_are_all_forward(names, orientation):
    table = table_of(orientation=orientation)
    for _ in range(3):
        take(table, 0, packet(SERVER, SERVER, names))
    record = only(flush(table))
    assert (record.initiator, record.responder, record.initiator_high) == (SERVER, SERVER, False)
    assert (record.forward[PACKETS], record.response[PACKETS]) == (3, 0)


def test_ipv4_and_ipv6_are_different_flows():
    table = table_of()
    take(table, 0, packet(version=4))
    take(table, 0, packet(version=6))
    assert {record.version for record in flush(table)} == {4, 6}


# Ends of a flow.


@pytest.mark.parametrize("last", ["RST", "RST ACK"])
def test_reset_closes_and_trailing_packets_stay_in(last):
    table = table_of()
    take(table, 0, packet(names="SYN"))
    take(table, 1, packet(SERVER, CLIENT, last))
    assert take(table, 20, packet()) == []
    record = only(take(table, 21, packet()))
    assert (record.end_reason, record.packets, record.closing) == (EndReason.END, 3, True)
    assert only(flush(table)).packets == 1


def test_fin_both_ways_closes():
    table = table_of()
    take(table, 0, packet(names="FIN ACK"))
    take(table, 30, packet(SERVER, CLIENT, "FIN ACK"))
    # Lingering counts from the second FIN, whatever follows it.
    assert take(table, 49, packet()) == []
    record = only(take(table, 50, packet()))
    assert (record.end_reason, record.last_ms) == (EndReason.END, 49)


def test_fin_one_way_does_not_close():
    table = table_of()
    take(table, 0, packet(names="FIN ACK"))
    take(table, 0, packet(names="FIN ACK"))
    assert take(table, 99, packet()) == []


def test_closing_flow_is_restarted_by_syn():
    table = table_of()
    take(table, 0, packet(names="SYN"))
    take(table, 1, packet(names="RST"))
    assert take(table, 2, packet(SERVER, CLIENT, "SYN ACK")) == []
    record = only(take(table, 3, packet(names="SYN")))
    assert (record.end_reason, record.packets) == (EndReason.END, 3)
    assert only(flush(table)).first_ms == 3


def test_open_flow_is_not_restarted_by_syn():
    table = table_of()
    take(table, 0, packet(names="SYN"))
    assert take(table, 3, packet(names="SYN")) == []


def test_idle_and_active_restart_in_place():
    table = table_of()
    take(table, 0, packet(names="SYN"))
    assert take(table, 99, packet()) == []
    assert only(take(table, 199, packet())).end_reason is EndReason.IDLE
    for time_ms in (298, 397, 496, 595):
        assert take(table, time_ms, packet()) == []
    assert only(take(table, 599, packet())).end_reason is EndReason.ACTIVE


def test_idle_comes_before_active_and_end_before_both():
    table = table_of()
    take(table, 0, packet())
    assert only(take(table, 1000, packet(names="RST"))).end_reason is EndReason.IDLE
    assert only(take(table, 2000, packet())).end_reason is EndReason.END


def test_expired_flow_hit_by_syn_keeps_its_own_reason():
    table = table_of()
    take(table, 0, packet())
    assert only(take(table, 100, packet(names="SYN"))).end_reason is EndReason.IDLE


def test_restarted_piece_keeps_its_orientation():
    table = table_of(ports=None)
    take(table, 0, packet(CLIENT, SERVER, "SYN"))
    take(table, 100, packet(SERVER, CLIENT, "ACK"))
    assert only(flush(table)).initiator == CLIENT
    # A SYN says more than the past does.
    take(table, 200, packet(CLIENT, SERVER, "ACK"))
    take(table, 300, packet(SERVER, CLIENT, "SYN"))
    assert only(flush(table)).initiator == SERVER
    first = table_of(ports=None, orientation="first")
    take(first, 0, packet(CLIENT, SERVER, "SYN"))
    take(first, 100, packet(SERVER, CLIENT, "ACK"))
    assert only(flush(first)).initiator == SERVER


def test_full_packet_counter_ends_the_flow():
    table = table_of()
    records = [record for _ in range(65535) for record in take(table, 0, packet(SERVER, CLIENT))]
    record = only(records)
    assert (record.end_reason, record.response[PACKETS], table.fill) == (EndReason.ACTIVE, 65535, 0)


# Places in the table.


def test_victims():
    table = table_of()
    one, two, three, four, five = clients(5, set_of=0)
    for time_ms, client in ((0, one), (1, two), (2, two), (3, one)):
        take(table, time_ms, packet(client))
    # Both have two packets: the older last goes.
    assert only(take(table, 4, packet(three))).initiator == two
    # One packet goes before the older last; the newcomer of one packet is itself the next victim.
    record = only(take(table, 5, packet(four)))
    assert (record.initiator, record.end_reason) == (three, EndReason.RESOURCES)
    assert only(take(table, 6, packet(five))).initiator == four


def test_equal_victims_lowest_way():
    table = table_of()
    one, two, three = clients(3, set_of=1)
    take(table, 0, packet(one))
    take(table, 0, packet(two))
    assert only(take(table, 0, packet(three))).initiator == one


def test_expired_way_before_victim_with_its_own_reason():
    table = table_of(sets=8)  # the pointer is elsewhere, so that nothing is swept meanwhile
    one, two, three = clients(3, set_of=7, sets=8)
    take(table, 0, packet(one))
    take(table, 1, packet(one))
    take(table, 90, packet(two))
    record = only(take(table, 101, packet(three)))
    assert (record.initiator, record.end_reason) == (one, EndReason.IDLE)


def test_syn_flood_does_not_evict_conversations():
    table = table_of()
    speakers = [*clients(1, set_of=0), *clients(1, set_of=1)]
    for speaker in speakers:
        take(table, 0, packet(speaker, names="SYN"))
        take(table, 0, packet(SERVER, speaker, "SYN ACK"))
    lost = [r for n in range(500) for r in take(table, 1, packet((0x0B000000 + n, n), names="SYN"))]
    assert len(lost) == 498
    assert {record.end_reason for record in lost} == {EndReason.RESOURCES}
    assert {record.initiator for record in flush(table)} >= set(speakers)


def test_sweep_visits_one_entry_an_item():
    table = table_of(sets=1, ways=4)
    for client in clients(4):
        take(table, 0, packet(client))
    # Four frames have moved the pointer once around. Everything expires, and each tick frees one.
    assert [only(tick(table, 100)).initiator for _ in range(4)] == clients(4)
    assert tick(table, 100) == []


def test_pointer_moves_when_a_packet_emitted_and_rests_in_a_flush():
    table = table_of(sets=1, ways=4)
    one, two, three = clients(3)
    for client in (one, two, three):
        take(table, 0, packet(client))
    # The pointer is at 3. This frame restarts the first entry, and the pointer moves on to 0 without a sweep.
    assert only(take(table, 100, packet(one))).initiator == one
    assert tick(table, 100) == []  # entry 0 is fresh
    assert only(tick(table, 100)).initiator == two
    # The pointer is at 2, and stays there in the flush; three frames take it to 1.
    assert [record.initiator for record in flush(table)] == [one, three]
    for client in (one, two, three):
        take(table, 100, packet(client))
    assert only(tick(table, 200)).initiator == two


def test_time_never_goes_back():
    table = table_of()
    take(table, 50, packet())
    take(table, 10, packet())
    record = only(flush(table))
    assert (record.first_ms, record.last_ms, table.now) == (50, 50, 50)


@pytest.mark.parametrize("outcome", [o for o in FrameOutcome if o is not FrameOutcome.USED])
def test_frame_of_any_outcome_moves_time_and_sweeps(outcome):
    table = table_of(sets=1, ways=1)
    take(table, 0, packet())
    records = table.item(ItemKind.FRAME, 100, outcome)
    reaches_table = outcome not in OF_THE_LINK | {FrameOutcome.NOT_READY}
    assert (len(records), table.now) == ((1, 100) if reaches_table else (0, 0))
    assert table.outcomes == {FrameOutcome.USED: 1, outcome: 1}


# Anything.


@settings(max_examples=300, deadline=None)
@given(
    stream=events(),
    shape=st.sampled_from([(2, 2), (1, 1), (1, 4), (4, 1), (None, 1)]),
    ports=st.sampled_from([frozenset({25}), None]),
    key=st.integers(0, 2**64 - 1),
)
def test_frames_are_conserved(stream, shape, ports, key):
    table = table_of(sets=shape[0], ways=shape[1], ports=ports, key=key)
    frames, in_records = 0, 0
    for event in stream:
        records = table.item(*event)
        assert len(records) <= 1 or event[0] is ItemKind.FLUSH
        frames += event[0] is ItemKind.FRAME
        in_records += sum(record.packets for record in records)
        unused = sum(count for outcome, count in table.outcomes.items() if outcome is not FrameOutcome.USED)
        assert frames == unused + in_records + table.frames_in_table
        for record in records:
            assert record.packets > 0
            assert 0 <= record.first_ms <= record.last_ms <= table.now
    in_records += sum(record.packets for record in flush(table))
    assert (table.frames_in_table, table.fill) == (0, 0)
    assert in_records == table.outcomes[FrameOutcome.USED]


@settings(max_examples=200, deadline=None)
@given(stream=events(max_size=60))
def test_a_roomy_table_gives_the_flows_of_one_without_limit(stream):
    # Without expiry and crowding only the order of the flush is different.
    long = {"idle_ms": 1 << 22, "active_ms": 1 << 30, "linger_ms": 1 << 22}
    limited, unlimited = table_of(sets=1, ways=200, **long), table_of(sets=None, **long)
    ended = [
        [record for event in stream for record in table.item(*event)] + flush(table) for table in (limited, unlimited)
    ]
    assert Counter(map(repr, ended[0])) == Counter(map(repr, ended[1]))


def test_table_without_limit_flushes_in_the_order_of_first_packets():
    table = table_of(sets=None)
    for time_ms, client in ((0, 1), (1, 2), (2, 3), (110, 1), (111, 3)):
        take(table, time_ms, packet((client, 1)))
    assert [(r.initiator.address, r.first_ms) for r in flush(table)] == [(2, 1), (1, 110), (3, 111)]


def test_table_without_timeouts_never_ends_a_flow():
    table = table_of(sets=None, idle_ms=None, active_ms=None, linger_ms=None)
    for names in ("SYN", "RST", "SYN"):
        assert take(table, 10**12, packet(names=names)) == []
    assert only(flush(table)).packets == 3


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"sets": 3}, "power of two or None, not 3"),
        ({"ways": 0}, "Ways must be at least 1, not 0"),
        ({"idle_ms": None}, "must be numbers"),
        ({"idle_ms": 1 << 24}, "below 2\\^24 ms together"),
        ({"linger_ms": 0}, "1 ms or more"),
        ({"orientation": "last"}, "not 'last'"),
        ({"accumulators": (PACKETS,)}, "must include packets and octets"),
    ],
)
def test_wrong_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        TableParameters(**TINY | parameters)
