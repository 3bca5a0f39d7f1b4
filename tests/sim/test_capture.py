"""sim.capture: every kind of file it reads, and what it says about those it cannot read."""

import gzip
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.errors import InputError
from sim.capture import CapturedFrame, read_capture
from sim.capture_blocks import read_blocks
from tests.sim.block_frames import frames_of, seen
from tests.sim.capture_files import (
    block,
    enhanced_block,
    interface_block,
    old_packet_block,
    pcap,
    section_block,
    simple_block,
)

FRAMES = [
    (1_700_000_000_123_456_000, b"first frame", 60),
    (1_700_000_001_000_001_000, b"", 1514),
    (5_000, b"x" * 99, 99),
]
EXPECTED = [CapturedFrame(time_ns, wire, data) for time_ns, data, wire in FRAMES]


def read(path, content):
    """The frames of a file with this content, and the lines about a cut; in blocks it has the same."""
    path.write_bytes(content)
    cuts, cuts_of_blocks = [], []
    frames = list(read_capture(path, cuts.append))
    assert [frame for block in read_blocks(path, cuts_of_blocks.append) for frame in frames_of(block)] == seen(frames)
    assert cuts_of_blocks == cuts
    return frames, [str(cut) for cut in cuts]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("nanoseconds", [False, True])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_pcap(tmp_path, order, nanoseconds, pack):
    content = pack(pcap(FRAMES, order=order, nanoseconds=nanoseconds))
    assert read(tmp_path / "a.pcap", content) == (EXPECTED, [])


def test_nanoseconds_are_kept(tmp_path):
    frames, _ = read(tmp_path / "a.pcap", pcap([(1_000_000_007, b"", 60)], nanoseconds=True))
    assert frames[0].time_ns == 1_000_000_007


def test_frame_check_sequence_is_left_out(tmp_path):
    content = pcap([(0, bytes(64), 64), (0, bytes(20), 64)], link=1 | 1 << 26 | 2 << 28)
    assert read(tmp_path / "a.pcap", content)[0] == [CapturedFrame(0, 60, bytes(60)), CapturedFrame(0, 60, bytes(20))]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("make", [enhanced_block, old_packet_block])
def test_pcapng(tmp_path, order, make):
    content = section_block(order=order) + interface_block(order=order)
    content += block(0xBAD, b"what no one knows", order=order)
    content += b"".join(make(time_ns // 1000, data, wire, order=order) for time_ns, data, wire in FRAMES)
    assert read(tmp_path / "a.pcapng", content) == (EXPECTED, [])


def test_pcapng_interfaces_have_their_own_clocks(tmp_path):
    content = section_block()
    content += interface_block(options={9: b"\x09"})
    content += interface_block(options={2: b"eth1", 9: b"\x83", 14: (100).to_bytes(8, "little"), 13: b"\x04"})
    content += enhanced_block(7, b"a", 60, interface=0) + enhanced_block(12, b"b", 64, interface=1)
    content += section_block(order=">") + interface_block(order=">") + enhanced_block(3, b"c", 62, order=">")
    assert read(tmp_path / "a.pcapng", content)[0] == [
        CapturedFrame(7, 60, b"a"),
        CapturedFrame(101_500_000_000, 60, b"b"),
        CapturedFrame(3_000, 62, b"c"),
    ]


def test_simple_packet_has_the_time_of_the_one_before(tmp_path):
    content = section_block() + interface_block() + simple_block(b"a", 1)
    content += enhanced_block(9, b"b", 60) + simple_block(b"c" * 8, 1500)
    frames, cuts = read(tmp_path / "a.pcapng", content)
    assert [(f.time_ns, f.wire_length, f.data) for f in frames] == [
        (0, 1, b"a"),
        (9000, 60, b"b"),
        (9000, 1500, b"c" * 8),
    ]
    assert cuts == []


@pytest.mark.parametrize(
    "content",
    [
        pcap(FRAMES),
        section_block() + interface_block() + b"".join(enhanced_block(t // 1000, d, w) for t, d, w in FRAMES),
    ],
    ids=["pcap", "pcapng"],
)
def test_every_cut_keeps_what_was_whole(tmp_path, content):
    path = tmp_path / "a.pcap"
    header = 24 if content[:4] == pcap([])[:4] else len(section_block())
    for size in range(4, header):
        with pytest.raises(InputError, match=r"a\.pcap: cut off in its header$"):
            read(path, content[:size])
    ends = [read(path, content[:size]) for size in range(header, len(content) + 1)]
    for size, (frames, cuts) in enumerate(ends, header):
        assert frames == EXPECTED[: len(frames)]
        if cuts:
            (line,) = cuts
            name, offset = line.rsplit(" ", 1)
            assert name == f"{path}: cut off after packet {len(frames)}, at byte"
            assert int(offset) < size
    assert [len(frames) for frames, _ in ends] == sorted(len(frames) for frames, _ in ends)
    assert ends[-1] == (EXPECTED, [])
    assert sum(not cuts for _, cuts in ends) <= 6


def test_cut_gzip(tmp_path):
    many = [(n * 1000, n.to_bytes(4, "big") * 10, 60) for n in range(5000)]
    content = gzip.compress(pcap(many))
    frames, cuts = read(tmp_path / "a.pcap.gz", content[: len(content) // 2])
    assert 0 < len(frames) < 5000
    assert frames == [CapturedFrame(t, w, d) for t, d, w in many[: len(frames)]]
    assert cuts == [f"{tmp_path / 'a.pcap.gz'}: cut off after packet {len(frames)}, at byte {24 + 56 * len(frames)}"]


@pytest.mark.parametrize("field", [8, 12])
def test_absurd_length_ends_the_capture(tmp_path, field):
    content = bytearray(pcap(FRAMES[:2]))
    second = 24 + 16 + 11
    content[second + field : second + field + 4] = b"\xff\xff\xff\x7f"
    frames, cuts = read(tmp_path / "a.pcap", bytes(content))
    assert frames == EXPECTED[:1]
    assert cuts == [f"{tmp_path / 'a.pcap'}: damaged after packet 1, at byte 51"]


def test_damaged_gzip(tmp_path):
    content = bytearray(gzip.compress(pcap([(n * 1000, random.Random(n).randbytes(40), 60) for n in range(5000)])))
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    frames, cuts = read(tmp_path / "a.pcap.gz", bytes(content))
    assert 0 < len(frames) < 5000
    assert len(cuts) == 1
    assert f"damaged after packet {len(frames)}, at byte" in cuts[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\x1f\x8b", "is not a capture"),
        (b"abc", "is not a capture"),
        (b"From: someone\n" * 10, "is not a capture"),
        (gzip.compress(b"", mtime=0), "is not a capture"),
        (
            pcap(FRAMES, link=127),
            r"link type must be Ethernet \(1\) or another that carries IP \(0, 1, 12, .*\), not 127",
        ),
        (
            section_block() + interface_block() + interface_block(link=127) + enhanced_block(0, b"a", 60, interface=1),
            r"interface 1: link type must be Ethernet \(1\) or .*, not 127",
        ),
    ],
)
def test_wrong_input_names_the_file(tmp_path, content, message):
    with pytest.raises(InputError, match=f"a.pcap: {message}"):
        read(tmp_path / "a.pcap", content)
    with pytest.raises(InputError, match=f"a.pcap: {message}"):
        list(read_blocks(tmp_path / "a.pcap"))


@pytest.mark.parametrize(
    ("link", "header", "ethertype"),
    [
        (0, "02000000", "0800"),
        (0, "00000002", "0800"),
        (0, "1e000000", "86dd"),
        (0, "07000000", "0000"),
        (108, "00000018", "86dd"),
        (101, "", "0800"),
        (228, "", "0800"),
        (113, "0000000100060200000000010000" + "86dd", "86dd"),
        (276, "0800" + 18 * "00", "0800"),
    ],
)
def test_other_link_layers_become_ethernet(tmp_path, link, header, ethertype):
    header, packet = bytes.fromhex(header), b"\x45" + bytes(range(1, 30))
    content = pcap([(0, header + packet, len(header) + 400), (0, header[:-1], 400)], link=link)
    frames, _ = read(tmp_path / "a.pcap", content)
    assert frames == [
        CapturedFrame(0, 414, bytes(12) + bytes.fromhex(ethertype) + packet),
        CapturedFrame(0, 414 - len(header), b""),
    ]


def test_raw_packets_are_told_apart_by_their_version(tmp_path):
    frames, _ = read(tmp_path / "a.pcap", pcap([(0, bytes([first]), 40) for first in (0x45, 0x60, 0x12)], link=101))
    assert [frame.data[12:14].hex() for frame in frames] == ["0800", "86dd", "0000"]


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputError, match=r"nothing\.pcap: No such file"):
        list(read_capture(tmp_path / "nothing.pcap"))
    with pytest.raises(InputError, match="Is a directory"):
        list(read_capture(tmp_path))


def test_interface_that_is_not_used_may_be_of_any_link_type(tmp_path):
    content = section_block() + interface_block() + interface_block(link=0) + enhanced_block(0, b"a", 60)
    assert len(read(tmp_path / "a.pcapng", content)[0]) == 1


SEEDS = [
    pcap(FRAMES),
    pcap(FRAMES, order=">", nanoseconds=True),
    section_block() + interface_block(options={9: b"\x06"}) + enhanced_block(1, b"abc", 60) + simple_block(b"d", 60),
    section_block(order=">") + interface_block(order=">") + old_packet_block(1, b"abc", 60, order=">"),
    gzip.compress(pcap(FRAMES), mtime=0),
]


@settings(max_examples=500, deadline=None)
@given(
    content=st.one_of(st.binary(max_size=200), st.sampled_from(SEEDS)),
    changes=st.lists(st.tuples(st.integers(0, 400), st.binary(min_size=1, max_size=4)), max_size=4),
    size=st.integers(0, 400),
)
def test_nothing_breaks_it(tmp_path_factory, content, changes, size):
    damaged = bytearray(content)
    for at, value in changes:
        damaged[at : at + len(value)] = value
    path = tmp_path_factory.getbasetemp() / "fuzz.pcap"
    path.write_bytes(bytes(damaged[:size]))
    cuts, refused, frames = [], "", []
    try:
        frames = list(read_capture(path, cuts.append))
    except InputError as error:
        refused = str(error)
    assert "\n" not in refused
    assert not refused or str(path) in refused
    assert len(cuts) <= 1
    assert all(frame.time_ns >= 0 and 0 <= frame.wire_length < 1 << 24 for frame in frames)
    cuts_of_blocks, refused_of_blocks, in_blocks = [], "", []
    try:
        in_blocks = [frame for block in read_blocks(path, cuts_of_blocks.append) for frame in frames_of(block)]
    except InputError as error:
        refused_of_blocks = str(error)
    if "2262" not in refused_of_blocks:
        assert (in_blocks, cuts_of_blocks, refused_of_blocks) == (seen(frames), cuts, refused)
