"""Every capture there is through model and compiled probe: the same records and counters, no frame lost."""

import csv
import dataclasses
import ipaddress
import itertools
from pathlib import Path

import pytest

from compiler.errors import InputError
from compiler.features import CATALOGUE, REFERENCE_COLUMNS
from compiler.probe_options import ProbeOptions
from hdl.accumulator import OCTETS, PACKETS
from hdl.item import FrameOutcome
from hdl.verdict import EndReason
from sim.capture import CapturedFrame, read_capture
from sim.cxx import CxxCompiler
from sim.identity import Endpoint
from sim.made_frames import tcp_frame
from tests.forests import grown_forest
from tests.sim.capture_files import enhanced_block, interface_block, pcap, section_block
from tests.sim.probe_captures import CapturesProbe
from tests.training.cases import CAPTURES, SLICE

BOTH_FRONTS = ("icebreaker", "colorlight_5a75b")

needs_captures = pytest.mark.skipif(
    not CAPTURES.is_dir(), reason="needs the captures in ../shared/data, which are not all free to copy"
)

UNREADABLE = {
    "zeek__llc.pcap": "not 10",  # FDDI
    "zeek__nflog-bad-tlv-len.pcap": "not 239",  # netfilter's log
    "zeek__wlanmon.pcap": "not 105",  # IEEE 802.11
}
"""Captures of link types that do not reach a probe, and how they are refused."""

DAMAGED = {"suricata-verify__smtp-to-comma_10.7.29.101_49898-178.63.41.150_25.pcap": 18}
"""Captures that make no sense from some packet on, and how many come before."""

SEEN = {
    "mail": {FrameOutcome.TUNNEL, FrameOutcome.NOT_TCP, FrameOutcome.NOT_IP},
    "parser": set(FrameOutcome)
    # What a link says, a checksum that this probe does not look at, and what no frame of them is.
    - {FrameOutcome.NOT_READY, FrameOutcome.OVERRUN, FrameOutcome.BAD_FCS, FrameOutcome.BAD_CHECKSUM}
    - {FrameOutcome.ENCAPSULATED, FrameOutcome.USED, FrameOutcome.UNTRACKED},
    "bulk": {FrameOutcome.NOT_IP, FrameOutcome.NOT_TCP},
}
"""Outcomes beside used and untracked."""


@pytest.fixture(scope="module", params=[(board, ports) for board in BOTH_FRONTS for ports in (None, (25,))], ids=str)
def probe(request):
    """A probe that keeps all there is to keep, of port 25, or of all TCP with records of single packets too."""
    try:
        CxxCompiler()
    except InputError as error:
        pytest.skip(str(error))
    board, ports = request.param
    options = ProbeOptions(short_records=ports is None)
    made = CapturesProbe(grown_forest(names=tuple(CATALOGUE), ports=ports), board, options)
    made.ports = ports
    return made


def frames_of(path: Path) -> list[CapturedFrame]:
    """The frames of a capture; where it is damaged, those before."""
    cuts = []
    frames = list(read_capture(path, cuts.append))
    assert [cut.packets for cut in cuts] == ([DAMAGED[path.name]] if path.name in DAMAGED else [])
    return frames


@needs_captures
@pytest.mark.parametrize("folder", ["mail", "parser", "bulk"])
def test_captures_of_others(probe, folder):
    probe.outcomes.clear()
    refused, sent = {}, 0
    for path in sorted((CAPTURES / folder).glob("*.pcap*")):
        try:
            frames = frames_of(path)
        except InputError as error:
            refused[path.name] = str(error)
            continue
        probe.send(frames, headers_only=folder != "parser")
        sent += 1
    expected = UNREADABLE if folder == "parser" else {}
    assert refused.keys() == expected.keys()
    assert all(refused[name].endswith(reason) for name, reason in expected.items())
    assert sent == {"mail": 63, "parser": 130, "bulk": 2}[folder]
    outcomes = set(probe.outcomes)
    if probe.ports is None:
        assert FrameOutcome.USED in outcomes
    else:
        assert FrameOutcome.UNTRACKED in outcomes
        assert (FrameOutcome.USED in outcomes) == (folder == "mail")
    assert outcomes - {FrameOutcome.USED, FrameOutcome.UNTRACKED} == SEEN[folder]


@needs_captures
def test_accumulators_of_the_reference(probe):
    """The statistics of the mail flows that two other programs agree on; forward is the way of the first packet."""
    if probe.ports is not None:
        pytest.skip("some flows of the reference are of another port")
    with (CAPTURES / "reference_features.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) == 72
    for name, of_capture in itertools.groupby(rows, key=lambda row: row["file"]):
        records = probe.send(frames_of(CAPTURES / "mail" / name), headers_only=True)
        for row in of_capture:
            ends = [
                Endpoint(int(ipaddress.ip_address(row[a])), int(row[p]))
                for a, p in (("src", "sport"), ("dst", "dport"))
            ]
            pieces = [record for record in records if {record.initiator, record.responder} == set(ends)]
            for at, prefix in enumerate(("", "r")):
                sides = [(r.forward, r.response)[(r.initiator != ends[0]) ^ at] for r in pieces]
                measured = {prefix + column: whole(a, sides) for column, a in REFERENCE_COLUMNS.items()}
                assert measured == {column: int(row[column]) for column in measured}, (name, ends)


def whole(accumulator, sides):
    """An accumulator of a flow that timeouts have cut into pieces."""
    values = [side[accumulator] for side in sides if side[PACKETS]]
    return {"add": sum, "min": min, "max": max}[accumulator.operation](values or [0])


def test_a_capture_of_the_project(probe):
    assert len(probe.send(frames_of(SLICE / "test.pcap.gz"), headers_only=True)) > 800


# Captures as other programs and worse days make them.


def some_frames():
    """The first flows of the sample, whole frames of which only headers were kept."""
    return list(itertools.islice(read_capture(SLICE / "test.pcap.gz"), 600))


def flows_of(records):
    """The records, whatever made the table give them: a flow that has ended is swept sooner or later."""
    return [dataclasses.replace(record, end_reason=EndReason.END) for record in records]


def raw(frames):
    return [(frame.time_ns, frame.data, frame.wire_length) for frame in frames]


def cooked(frame, version):
    """The same packet as Linux captures it on any interface."""
    addresses = bytes(6)
    header = b"\0\0\0\1\0\6" + addresses + b"\0\0" if version == 1 else b"\0\0\0\0\0\2\0\1\0\6" + addresses + b"\0\0"
    kind, packet = frame.data[12:14], frame.data[14:]
    data = header + kind + packet if version == 1 else kind + header + packet
    return frame.time_ns, data, frame.wire_length + len(data) - len(frame.data)


def several_interfaces(frames):
    """A pcapng file of two sections, whose interfaces count time in nanoseconds, microseconds and from elsewhere."""
    out = b""
    for order, part in (("<", frames[:300]), (">", frames[300:])):
        out += section_block(order=order)
        out += interface_block(order=order, options={9: b"\x09"}) + interface_block(order=order)
        seconds = (1000).to_bytes(8, "little" if order == "<" else "big", signed=True)
        out += interface_block(order=order, options={9: b"\x06", 14: seconds})
        for number, (time_ns, data, wire) in enumerate(part):
            interface = number % 3
            ticks = (time_ns, time_ns // 1000, time_ns // 1000 - 10**9)[interface]
            out += enhanced_block(ticks, data, wire, interface=interface, order=order)
    return out


FORMATS = {
    "nanoseconds.pcap": lambda frames: pcap(raw(frames), nanoseconds=True),
    "big_endian.pcap": lambda frames: pcap(raw(frames), order=">"),
    "big_endian_nanoseconds.pcap": lambda frames: pcap(raw(frames), order=">", nanoseconds=True),
    "several_interfaces.pcapng": lambda frames: several_interfaces(raw(frames)),
    "cooked_1.pcap": lambda frames: pcap([cooked(frame, 1) for frame in frames], link=113),
    "cooked_2.pcap": lambda frames: pcap([cooked(frame, 2) for frame in frames], link=276),
}


def test_formats_give_the_same_records(probe, tmp_path):
    frames = some_frames()
    expected = flows_of(probe.send(frames))
    assert len(expected) > 5
    for name, written in FORMATS.items():
        (tmp_path / name).write_bytes(written(frames))
        assert flows_of(probe.send(read_capture(tmp_path / name))) == expected, name


def test_rotated_files_are_one_capture(probe, tmp_path):
    frames = some_frames()
    parts = frames[:251], frames[251:252], frames[252:]
    for number, part in enumerate(parts):
        (tmp_path / f"mail.pcap{number}").write_bytes(pcap(raw(part)))
    read = itertools.chain.from_iterable(read_capture(tmp_path / f"mail.pcap{number}") for number in range(3))
    assert flows_of(probe.send(read)) == flows_of(probe.send(frames))


def test_time_that_runs_backwards(probe):
    frames = some_frames()
    latest = frames[0].time_ns
    backwards = [
        frame._replace(time_ns=frame.time_ns - (number % 7) * 40_000_000) for number, frame in enumerate(frames)
    ]
    held = []
    for frame in backwards:
        latest = max(latest, frame.time_ns)
        held.append(frame._replace(time_ns=latest))
    assert any(one.time_ns < before.time_ns for before, one in itertools.pairwise(backwards))
    start = [frames[0]]
    assert flows_of(probe.send(start + backwards)) == flows_of(probe.send(start + held))


def test_packets_twice_count_twice(probe):
    frames = some_frames()
    once = probe.send(frames)
    twice = probe.send(frame for frame in frames for _ in range(2))
    assert sum(record.packets for record in twice) >= 2 * sum(record.packets for record in once) > 0


def talk(client_port, server_port, *, gap_ms=1, payload=0, flags=(0x02, 0x12, 0x10, 0x18, 0x18, 0x11, 0x11)):
    """A flow of two hosts; they take turns."""
    made = []
    for number, flag in enumerate(flags):
        ends = [(bytes([10, 0, 0, 1]), client_port), (bytes([10, 0, 0, 9]), server_port)]
        (source, source_port), (destination, destination_port) = ends if number % 2 == 0 else reversed(ends)
        data, wire = tcp_frame(
            source=source,
            destination=destination,
            source_port=source_port,
            destination_port=destination_port,
            flags=flag,
            payload=payload if flag == 0x18 else 0,
        )
        made.append(CapturedFrame(1_700_000_000_000_000_000 + number * gap_ms * 1_000_000, wire, data))
    return made


def test_merged_segments_keep_their_length(probe):
    (record,) = probe.send(talk(40000, 25, payload=65535 - 40))
    sides = (record.forward, record.response)
    assert sorted(side[OCTETS] for side in sides) == [2 * 40 + 65535, 3 * 40 + 65535]
    # A card may give none at all: longer than the field can say.
    frame = talk(40000, 25)[0]
    longest = frame._replace(data=frame.data[:16] + b"\0\0" + frame.data[18:], wire_length=100_000)
    before = probe.outcomes[FrameOutcome.MALFORMED]
    assert probe.send([longest]) == []
    assert probe.outcomes[FrameOutcome.MALFORMED] == before + 1


def test_port_25_talks_to_port_25(probe):
    (record,) = probe.send(talk(25, 25))
    assert (record.initiator.port, record.responder.port) == (25, 25)
    assert record.initiator.address == 0x0A000001
    assert (record.forward[PACKETS], record.response[PACKETS], record.biflow_direction) == (4, 3, 1)
    # Without a SYN nobody can tell: the first sender.
    (record,) = probe.send(talk(25, 25)[3:])
    assert (record.initiator.address, record.biflow_direction) == (0x0A000009, 0)
    # Of one host with itself every packet is forward.
    (frame, *_) = talk(25, 25)
    alone = frame._replace(data=frame.data[:30] + frame.data[26:30] + frame.data[34:])
    (record,) = probe.send([alone] * 3)
    assert (record.forward[PACKETS], record.response[PACKETS]) == (3, 0)


def test_labels_with_something_else_behind_them(probe):
    """Ethernet in MPLS, which no capture here has."""
    frame = CapturedFrame(0, 60, bytes(12) + b"\x88\x47\0\1\1\x40" + bytes(42))
    before = probe.outcomes[FrameOutcome.ENCAPSULATED]
    assert probe.send([frame]) == []
    assert probe.outcomes[FrameOutcome.ENCAPSULATED] == before + 1
