"""sim.extraction against the event-exact model: flows, their order, outcomes, cuts and complaints are the same."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.errors import InputError
from compiler.features import CATALOGUE, accumulators_of
from hdl.accumulator import PACKETS
from hdl.verdict import EndReason
from sim.capture import read_capture
from sim.capture_source import CapturedFrame
from sim.extraction import FlowExtractor, extract_flows
from sim.flow_index import hash_keys
from sim.frame_block import block_of_frames
from sim.made_frames import tcp_frame
from sim.record_chain import MAX_CAPTURED
from sim.table_parameters import TableParameters
from tests.sim.capture_files import pcap
from tests.sim.event_flows import captured_flows, event_flows, extracted_flows
from tests.sim.packets import flags

REPOSITORY = Path(__file__).parents[2]
SLICE = REPOSITORY / "training" / "data"
SHARED = REPOSITORY.parent / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data, which is not all free to copy")

ALL = accumulators_of(tuple(CATALOGUE))
TINY = {"idle_ms": 100, "active_ms": 400, "linger_ms": 20}
SMALLEST = 16 + MAX_CAPTURED


def parameters_of(**changed):
    return TableParameters(**{"accumulators": ALL} | changed)


def extracted(frames, sizes, parameters):
    """Flows of frames that come in blocks of these sizes, the rest in one more."""
    extractor = FlowExtractor(parameters)
    for begin, end in pairwise([0, *np.minimum(np.cumsum(sizes, dtype=int), len(frames)).tolist(), len(frames)]):
        extractor.take(block_of_frames(frames[begin:end], "frames", begin))
    flows = extractor.finish()
    return list(zip(flows.start_ns.tolist(), flows.records(), strict=True)), extractor.outcomes


def frame(time_ms, sender, receiver, names="ACK", **fields):
    """A frame between hosts of one byte; ``sender`` and ``receiver`` are host and port."""
    (source, source_port), (destination, destination_port) = sender, receiver
    size = fields.pop("size", 4)
    data, wire = tcp_frame(
        source=source.to_bytes(size, "big"),
        destination=destination.to_bytes(size, "big"),
        source_port=source_port,
        destination_port=destination_port,
        flags=flags(names),
        **fields,
    )
    return CapturedFrame(time_ms * 1_000_000, wire, data)


CLIENT, SERVER = (1, 40000), (9, 25)


def same(frames, sizes=(), **changed):
    """The flows, after checking that blocks of these sizes give those of the model."""
    parameters = parameters_of(**TINY | changed)
    expected = event_flows(frames, parameters)
    assert extracted(frames, list(sizes), parameters) == expected
    return [record for _, record in expected[0]]


# Anything.

_ENDPOINT = st.tuples(st.integers(1, 3), st.sampled_from([25, 1000, 2000]))
_NAMES = st.sampled_from(["SYN", "SYN ACK", "ACK", "ACK", "PSH ACK", "FIN ACK", "FIN ACK", "RST", "URG", "", "SYN RST"])
_USED = st.builds(
    frame,
    st.just(0),
    _ENDPOINT,
    _ENDPOINT,
    _NAMES,
    size=st.sampled_from([4, 4, 16]),
    window=st.integers(0, 65535),
    ttl=st.integers(0, 255),
    payload=st.integers(0, 1400),
)
_OTHER = st.builds(CapturedFrame, st.just(0), st.integers(0, 99), st.binary(max_size=60))
_STEP = st.sampled_from([0, 0, 0, 1, 5, 10, 19, 20, 50, 100, 300, 400, -20])


@st.composite
def streams(draw):
    time_ms, made = 500, []
    for step, of_kind in draw(st.lists(st.tuples(_STEP, st.one_of(_USED, _USED, _USED, _OTHER)), max_size=80)):
        time_ms = max(0, time_ms + step)
        made.append(of_kind._replace(time_ns=time_ms * 1_000_000 + 7))
    return made


@settings(max_examples=400, deadline=None)
@given(
    frames=streams(),
    sizes=st.lists(st.integers(0, 30), max_size=6),
    ports=st.sampled_from([frozenset({25}), frozenset({25, 1000}), None]),
    orientation=st.sampled_from(["initiator", "initiator", "first"]),
    timeouts=st.fixed_dictionaries({name: st.sampled_from([ms, ms, ms, None]) for name, ms in TINY.items()}),
    full=st.sampled_from([3, 5, 65535]),
    early=st.sampled_from([0, 0, 2, 3, 7, 255]),
)
def test_any_frames_in_any_blocks(frames, sizes, ports, orientation, timeouts, full, early):
    with pytest.MonkeyPatch.context() as patch:
        # A counter that is full after few packets.
        patch.setattr("sim.flow_table._FULL_COUNT", full)
        patch.setattr("sim.flow_pieces.FULL_COUNT", full)
        same(frames, sizes, ports=ports, orientation=orientation, early=early, **timeouts)


@settings(max_examples=30, deadline=None)
@given(frames=streams(), sizes=st.lists(st.integers(0, 30), max_size=3))
def test_hashes_that_agree_change_nothing(frames, sizes):
    with pytest.MonkeyPatch.context() as patch:
        for module in ("vector_flows", "flow_index"):
            patch.setattr(f"sim.{module}.hash_keys", lambda keys: hash_keys(keys) & np.uint64(1))
        same(frames, sizes, ports=None)


# Rules that random frames seldom meet.


@pytest.mark.parametrize("sizes", [(), (65534,), (65535,), (65536,), (30_000, 30_000, 30_000)])
def test_full_packet_counter(sizes):
    frames = [frame(n // 1000, SERVER, CLIENT) for n in range(65535)]
    frames += [frame(70, CLIENT, SERVER), frame(70, SERVER, CLIENT, "RST"), frame(71, CLIENT, SERVER, "SYN")]
    first, *others = same(frames, sizes)
    assert (first.end_reason, first.response[PACKETS]) == (EndReason.ACTIVE, 65535)
    assert [record.packets for record in others] == [2, 1]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_every_packet_its_own_end(size):
    """SYN and RST by turns: each SYN restarts a closing flow."""
    frames = [frame(n, CLIENT, SERVER, "RST" if n % 2 else "SYN") for n in range(200)]
    assert len(same(frames, [size] * (200 // size))) == 100


def test_largest_sums():
    long = {"payload": 65535 - 40, "window": 65535, "ttl": 255}
    (record,) = same([frame(0, CLIENT, SERVER, "PSH ACK", **long)] * 60_000, [50_000])
    assert record.forward[PACKETS] == 60_000


def test_flows_of_equal_times_come_in_the_order_of_their_ends():
    frames = [frame(0, (host, 1000), SERVER, "SYN", size=size) for host in (3, 1, 2) for size in (16, 4)]
    frames += [frame(50, (host, 1000), SERVER, names) for host in (2, 3) for names in ("RST", "SYN")]
    assert len(same(frames, [4, 4])) == 8


def test_full_flow_comes_behind_one_that_ended_earlier(monkeypatch):
    for module in ("flow_table._FULL_COUNT", "flow_pieces.FULL_COUNT"):
        monkeypatch.setattr(f"sim.{module}", 3)
    one, two = (1, 1000), (2, 1000)
    frames = [frame(0, one, SERVER), frame(0, two, SERVER), frame(0, two, SERVER, "RST"), frame(1, two, SERVER, "SYN")]
    records = same([*frames, frame(2, one, SERVER), frame(2, one, SERVER)], [2])
    assert [(record.initiator.address, record.packets) for record in records] == [
        (0x02, 2),
        (0x01, 3),
        (0x02, 1),
    ]


def test_blocks_of_any_length_are_taken(monkeypatch):
    monkeypatch.setattr("sim.extraction._MOST_FRAMES", 7)
    assert len(same([frame(n, CLIENT, SERVER, "RST" if n % 2 else "SYN") for n in range(200)])) == 100


def test_time_of_a_linger_that_began_in_the_block_before():
    # Closed at 10; 29 is within the linger of 20 ms, 30 is not.
    closing = [frame(0, CLIENT, SERVER, "SYN"), frame(10, CLIENT, SERVER, "RST"), frame(12, SERVER, CLIENT)]
    for sizes in ((), (1,), (2,), (3,), (1, 1, 1)):
        assert len(same([*closing, frame(29, SERVER, CLIENT)], sizes)) == 1
        assert len(same([*closing, frame(30, SERVER, CLIENT)], sizes)) == 2


def test_idle_to_the_millisecond_within_and_between_blocks():
    for sizes in ((), (1,)):
        assert len(same([frame(0, CLIENT, SERVER), frame(99, CLIENT, SERVER)], sizes)) == 1
        assert len(same([frame(0, CLIENT, SERVER), frame(100, CLIENT, SERVER)], sizes)) == 2


def test_fin_of_the_block_before_closes_a_flow_that_is_cut_later():
    fins = [frame(0, CLIENT, SERVER, "FIN ACK"), frame(1, SERVER, CLIENT, "FIN ACK")]
    for sizes in ((), (1,), (2,)):
        assert len(same([*fins, frame(2, CLIENT, SERVER, "SYN"), frame(3, CLIENT, SERVER)], sizes)) == 2


def test_no_frames():
    assert extracted([], [], parameters_of()) == ([], {})


def test_limited_tables_are_not_extracted():
    with pytest.raises(ValueError, match="Table must be without limit, not of 4 sets"):
        FlowExtractor(parameters_of(sets=4))


# Captures.


def compare(paths, parameters, block_bytes=SMALLEST):
    """Both ways through captures; false if they are refused, with the same words."""
    cuts, complaints, found = ([], []), [], []
    for way in (
        lambda: captured_flows(paths, parameters, cuts[0]),
        lambda: extracted_flows(extract_flows(paths, parameters, cuts[1].append, block_bytes=block_bytes)),
    ):
        try:
            found.append(way())
        except InputError as error:
            complaints.append(str(error))
    assert cuts[0] == cuts[1]
    assert complaints in ([], complaints[:1] * 2)
    assert found in ([], found[:1] * 2)
    return bool(found)


@pytest.mark.parametrize(
    "changed",
    [
        {"ports": frozenset({25, 587})},
        {"ports": frozenset({25, 587}), "early": 7},
        {"ports": None, **TINY, "orientation": "first"},
    ],
)
def test_slice(changed):
    assert compare([SLICE / "test.pcap.gz"], parameters_of(**changed))


def test_flows_go_on_in_the_next_file(tmp_path):
    frames = [(f.time_ns, f.data, f.wire_length) for f in read_capture(SLICE / "test.pcap.gz")]
    paths = [tmp_path / f"{n}.pcap" for n in range(3)]
    for path, part in zip(paths, (frames[:5000], frames[5000:5001], frames[5001:9000]), strict=True):
        path.write_bytes(pcap(part))
    assert compare(paths, parameters_of())
    told = []
    extraction = extract_flows(paths, parameters_of(), on_progress=told.append)
    assert extraction.first_packets.tolist() == [0, 5000, 5001]
    assert told[-1] == sum(path.stat().st_size for path in paths)
    assert (extraction.flows.packet < 5000).any()
    assert (np.diff(extraction.flows.start_ns) >= 0).all()


@needs_shared
@pytest.mark.parametrize("changed", [{"ports": None}, {"ports": None, **TINY}])
def test_reference_captures(changed):
    paths = sorted(path for path in (SHARED / "captures").rglob("*cap*") if path.is_file() and "cap" in path.suffix)
    assert sum(compare([path], parameters_of(**changed)) for path in paths) > 180


@needs_shared
@pytest.mark.parametrize("name", ["main", "skew"])
def test_maillab(name):
    path = SHARED / "maillab" / name / "headers.pcap.gz"
    assert compare([path], parameters_of(ports=frozenset({25, 587})), block_bytes=1 << 20)
