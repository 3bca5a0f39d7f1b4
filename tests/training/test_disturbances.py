"""What other taps see: packets are left out, joined and changed as is said, and nothing else."""

import numpy as np
import pytest

from hdl.accumulator import OCTETS, PACKETS, Accumulator
from sim.capture import read_capture
from sim.extraction import extract_flows
from tests.training.cases import PARAMETERS, PORTS, SLICE, run_training
from training.data.make_slice import capture_bytes
from training.disturbances import DISTURBANCES, farther, from_packet, merged, one_way, sampled
from training.packet_log import read_packets
from training.sampling import half_handshakes

CAPTURE = SLICE / "test.pcap.gz"
MAX_TTL, MAX_LENGTH = Accumulator("max", "ttl"), Accumulator("max", "length")


@pytest.fixture(scope="module")
def log():
    (log,) = read_packets(CAPTURE, PORTS)
    return log


@pytest.fixture(scope="module")
def flows(log):
    return log.flows(PARAMETERS)


def test_undisturbed_packets_give_the_flows_of_the_capture(log, flows):
    expected, outcomes, _ = extract_flows([CAPTURE], PARAMETERS)
    assert len(log) == outcomes.total()
    assert np.array_equal(flows.sums, expected.sums)
    assert np.array_equal(flows.start_ns, expected.start_ns)
    assert np.array_equal(flows.syn, expected.syn)


def test_sampling_takes_one_packet_of_so_many(log):
    assert np.array_equal(sampled(10)(log).time_ns, log.time_ns[::10])


def test_one_way_keeps_what_goes_to_the_service(log, flows):
    seen = one_way(log).flows(PARAMETERS)
    assert seen.response[PACKETS].sum() == 0
    assert seen.forward[PACKETS].sum() + flows.response[PACKETS].sum() == len(log)
    assert seen.forward[OCTETS].sum() == flows.forward[OCTETS].sum()


@pytest.mark.parametrize("number", [1, 4, 8])
def test_late_pick_up_leaves_out_the_first_packets_of_every_conversation(log, flows, number):
    packets = flows.forward[PACKETS] + flows.response[PACKETS]
    seen = from_packet(number)(log).flows(PARAMETERS)
    # Endpoints that talk twice are one conversation.
    lost = len(log) - int(seen.forward[PACKETS].sum() + seen.response[PACKETS].sum())
    assert lost <= np.minimum(packets, number - 1).sum()
    assert lost >= 0.99 * np.minimum(packets, number - 1).sum()
    if number > 3:
        assert seen.syn.mean() < 0.01


def test_more_hops_take_from_the_ttl_of_one_side(log, flows):
    seen = farther(5)(log).flows(PARAMETERS)
    assert np.array_equal(seen.forward[MAX_TTL], flows.forward[MAX_TTL] - 5)
    assert np.array_equal(seen.response[MAX_TTL], flows.response[MAX_TTL])
    assert np.array_equal(seen.forward[OCTETS], flows.forward[OCTETS])


def test_merged_segments_keep_their_data(log, flows):
    seen = merged(log).flows(PARAMETERS)
    assert np.array_equal(seen.start_ns, flows.start_ns)
    fewer = flows.sums[:, :, 0] - seen.sums[:, :, 0]
    assert fewer.min() >= 0
    assert fewer.sum() > 0
    for before, after in ((flows.forward, seen.forward), (flows.response, seen.response)):
        least = before[Accumulator("min", "length")]
        # Every packet less saves the headers of one.
        gone = before[PACKETS] - after[PACKETS]
        assert np.array_equal(before[OCTETS] - after[OCTETS], gone * least)
        assert (after[MAX_LENGTH] >= before[MAX_LENGTH]).all()


def test_sampled_flows_are_known_by_half_handshakes(log):
    shares = {}
    for name, seen_by in DISTURBANCES.items():
        half, known = half_handshakes(seen_by(log).flows(PARAMETERS))
        shares[name] = half / known if known >= 5 else 0
    assert {name for name, share in shares.items() if share > 0.1} == {"sampled 1:2", "sampled 1:10"}


def test_robustness_and_early(tmp_path, capsys):
    labels = ("--labels", SLICE / "test.labels.csv.gz", "--ports", "25,587", "--server", "198.19.0.10", "--trees", 3)
    assert run_training("robustness", CAPTURE, *labels) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in DISTURBANCES)
    assert run_training("early", CAPTURE, *labels, "--packets", "6,12") == 0
    said = capsys.readouterr().out
    assert all(f"│ {packet} " in said for packet in ("6     ", "12    ", "whole "))
    for wrong, message in (
        ("1,6", "--packets: must be numbers from 2 to"),
        ("a", "--packets: must be numbers from 2 to"),
    ):
        assert run_training("early", CAPTURE, *labels, "--packets", wrong) == 2
        assert capsys.readouterr().err.startswith(f"error: {message}")
    assert run_training("robustness", CAPTURE, *labels, "--ports", "26") == 2
    assert "no TCP packet of port 26 (--ports)" in capsys.readouterr().err
    assert run_training("robustness", CAPTURE, *labels, "--server", "eggs") == 2
    assert "--server: must be an IP address" in capsys.readouterr().err


def test_sampled_captures_are_refused(tmp_path, capsys):
    path, out = tmp_path / "sampled.pcap", tmp_path / "flows.csv"
    path.write_bytes(capture_bytes(frame for at, frame in enumerate(read_capture(CAPTURE)) if at % 2 == 0))
    assert run_training("flows", path, "--ports", "25,587", "-o", out) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {path}: ")
    assert "packets were sampled or lost" in error
    assert not out.exists()
