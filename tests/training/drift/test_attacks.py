"""Simulated attacks change the packets that their rule names, of the senders that were drawn, and nothing else."""

import numpy as np
import pytest

from hdl.accumulator import FLAG_BITS, OCTETS, PACKETS, Accumulator
from tests.training.cases import PARAMETERS, PORTS, SLICE
from training.attacks import ATTACKS, ham_lengths, mixed_in
from training.conversations import conversations, empty_lengths, goes_inward, has_address, place_within
from training.labels import read_labels
from training.packet_log import read_packets

SENDERS = frozenset({"198.18.1.111", "198.18.1.47", "198.18.1.127"})


@pytest.fixture(scope="module")
def log():
    (log,) = read_packets(SLICE / "test.pcap.gz", PORTS)
    return log


@pytest.fixture(scope="module")
def hams(log):
    return ham_lengths([log], read_labels(SLICE / "test.labels.csv.gz"))


@pytest.fixture(scope="module")
def before(log):
    return log.take(has_address(log, SENDERS)).flows(PARAMETERS)


def after(log, hams, name):
    """The flows of the senders, and the packets of the others as they were and as they are."""
    changed = mixed_in({name: SENDERS}, hams, 7)(log)
    ours, theirs = has_address(log, SENDERS), has_address(changed, SENDERS)
    assert 0 < ours.sum() < len(log)
    for kept in ("length", "window", "ttl", "flags"):
        old, new = getattr(log.packets, kept)[~ours], getattr(changed.packets, kept)[~theirs]
        assert np.array_equal(old, new)
    assert np.array_equal(log.time_ns[~ours], changed.time_ns[~theirs])
    return changed.take(theirs).flows(PARAMETERS)


def test_pad_makes_packets_with_data_longer(log, hams, before):
    flows = after(log, hams, "pad")
    assert np.array_equal(flows.sums[:, 1], before.sums[:, 1]), "the server's packets stay"
    assert np.array_equal(flows.forward[PACKETS], before.forward[PACKETS])
    assert (flows.forward[OCTETS] >= before.forward[OCTETS]).all()
    assert flows.forward[OCTETS].sum() > before.forward[OCTETS].sum()
    longest = Accumulator("max", "length")
    allowed = max(int(lengths.max()) for lengths in hams)
    assert (flows.forward[longest] <= np.maximum(before.forward[longest], allowed)).all()


def test_ham_lengths_are_those_of_the_ham_flows(log, hams):
    flows = log.flows(PARAMETERS)
    labels = read_labels(SLICE / "test.labels.csv.gz").join(flows)
    ham = np.array([label is not None and label.label == "ham" for label in labels])
    assert len(hams) == ham.sum()
    longest = flows.forward[Accumulator("max", "length")][ham]
    assert sorted(int(lengths.max()) for lengths in hams) == sorted(longest.tolist())


def test_slow_stretches_gaps_alone(log, hams, before):
    # Without timeouts, which cut what is stretched.
    flows = after(log, hams, "slow")
    pairs = {packet: at for at, packet in enumerate(flows.start_ns.tolist())}
    same = [pairs[start] for start in before.start_ns.tolist()]
    whole = flows.forward[PACKETS][same] == before.forward[PACKETS]
    assert whole.mean() > 0.9
    assert np.array_equal(flows.forward[OCTETS][same][whole], before.forward[OCTETS][whole])
    stretched = flows.duration_ms[same][whole] - 10 * before.duration_ms[whole]
    assert np.abs(stretched).max() <= 10


def test_short_ends_with_a_reset(log, hams, before):
    flows = after(log, hams, "short")
    resets = Accumulator("add", "one", FLAG_BITS["RST"])
    packets = flows.sums[:, :, 0].sum(axis=1)
    cut = before.sums[:, :, 0].sum(axis=1) > 9
    assert cut.any()
    assert (packets <= 9).all()
    assert (flows.forward[resets][cut] >= 1).all()


def test_flood_leaves_the_handshake_unfinished(log, hams):
    flows = after(log, hams, "flood")
    assert (flows.forward[PACKETS] == 1).all()
    assert (flows.response[PACKETS] <= 1).all()
    assert flows.syn.all()


def test_stack_changes_ttl_and_window_of_the_client(log, hams, before):
    flows = after(log, hams, "stack")
    assert (flows.forward[Accumulator("max", "ttl")] == 237).all()
    assert np.array_equal(flows.response[Accumulator("max", "ttl")], before.response[Accumulator("max", "ttl")])
    widest = Accumulator("max", "window")
    assert np.array_equal(flows.forward[widest], np.minimum(4 * before.forward[widest], 65535))
    assert np.array_equal(flows.forward[OCTETS], before.forward[OCTETS])


def test_the_seed_decides(log, hams):
    one, same, other = (mixed_in({"pad": SENDERS}, hams, seed)(log).packets.length for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_places_and_empty_segments(log):
    number, direction = conversations(log)
    place = place_within(number)
    firsts = np.flatnonzero(place == 0)
    assert len(firsts) == number.max() + 1
    assert goes_inward(log)[firsts].all()
    side = 2 * number + direction
    empty = empty_lengths(log)
    for at in range(0, len(log), 997):
        assert empty[at] == log.packets.length[side == side[at]].min()
        assert place[at] == np.sum(number[:at] == number[at])


def test_every_attack_has_its_rule():
    assert set(ATTACKS) == {"pad", "slow", "short", "flood", "stack"}
    assert all(attack.rule for attack in ATTACKS.values())
