"""Damage: every kind of it is there, the same for the same seed."""

from collections import Counter

from hdl.item import FrameOutcome
from hdl.verdict import VerdictReason
from sim.capture import read_capture
from sim.damage import damaged
from sim.headers import decode_frame
from sim.items import epoch_of, items_of
from sim.probe import SoftwareProbe
from sim.probe_check import CHECK_CAPTURE, flows_with_fewest_frames
from tests.forests import grown_forest

FRAMES = flows_with_fewest_frames(list(read_capture(CHECK_CAPTURE)), 30)


def test_all_kinds_of_damage():
    frames = list(damaged(FRAMES, later_ns=5, seed=1))
    assert {frame.time_ns - 5 for frame in frames} <= {frame.time_ns for frame in FRAMES}
    outcomes = Counter(decode_frame(frame.data, frame.wire_length, None)[0] for frame in frames)
    assert outcomes[FrameOutcome.USED] > sum(outcomes.values()) / 2
    assert {FrameOutcome.TRUNCATED, FrameOutcome.MALFORMED} <= set(outcomes)
    probe = SoftwareProbe(grown_forest(), sets=64)
    items = items_of(frames, epoch_ms=epoch_of(frames[0]), headers_only=True, name="damaged")
    reasons = Counter(record.reason for record in probe.run(items))
    assert {VerdictReason.MIDFLOW, VerdictReason.ONE_SIDED} <= set(reasons)


def test_the_seed_decides():
    assert list(damaged(FRAMES, later_ns=5, seed=1)) == list(damaged(FRAMES, later_ns=5, seed=1))
    assert list(damaged(FRAMES, later_ns=5, seed=1)) != list(damaged(FRAMES, later_ns=5, seed=2))
