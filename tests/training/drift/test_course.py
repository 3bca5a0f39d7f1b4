"""``training drift``: periods in time, three forests beside each other, attacks, and wrong input."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from compiler.errors import InputError
from tests.training.cases import SLICE, run_training
from training.detection import Interval, detection_at
from training.drift.course import KEPT, RETRAINED, WAYS, course
from training.drift.periods import cut, draw_senders, first_only
from training.fitting import FitParameters, fit_forest
from training.flow_set import FlowSet, read_flow_set
from training.growth import add_trees

PORTS = frozenset({25, 587})
FEATURES = ("spl2", "maxpl", "spps")
PARAMETERS = FitParameters(trees=3, ports=PORTS)
CAPTURE = (SLICE / "learn.pcap.gz", "--labels", SLICE / "learn.labels.csv.gz", "--server", "198.19.0.10")


@pytest.fixture(scope="module")
def flows(flow_files):
    return read_flow_set([flow_files[0]], FEATURES, PORTS, "forward")


@pytest.fixture(scope="module")
def periods(flows):
    return cut("learn", flows, 3)[0]


def test_periods_are_cut_by_time(flows, periods):
    assert [period.name for period in periods] == ["learn 1", "learn 2", "learn 3"]
    sizes = [len(period.flows) for period in periods]
    assert sum(sizes) == len(flows)
    assert max(sizes) - min(sizes) <= 1
    for earlier, later in pairwise(periods):
        assert earlier.flows.start_s.max() < later.flows.start_s.min()


def test_too_many_periods(flows):
    with pytest.raises(InputError, match=r"made: has too few flows.*for 2 periods"):
        cut("made", replace(flows, start_s=np.zeros(len(flows))), 2)


@pytest.mark.parametrize("last_only", [False, True])
def test_no_forest_has_learnt_from_what_it_judges(periods, last_only):
    steps = list(course(periods, PARAMETERS, new_trees=2, cap=4, last_only=last_only))
    assert [step.period.name for step in steps] == ["learn 2", "learn 3"]
    first = fit_forest(periods[0].flows, PARAMETERS).forest
    assert [steps[0].forests[way].id for way in WAYS] == [first.id] * 3
    learnt = [periods[1].flows] if last_only else [period.flows for period in periods[:2]]
    kept, retrained, added = (steps[1].forests[way].id for way in WAYS)
    assert kept == first.id
    assert retrained == fit_forest(FlowSet.joined(learnt), PARAMETERS).forest.id
    more = FitParameters(trees=2, ports=PORTS)
    assert added == add_trees(first, periods[1].flows, more, 4).fit.forest.id
    before = set(periods[0].flows.sender.tolist()) | set(periods[1].flows.sender.tolist())
    assert steps[1].seen.tolist() == [sender in before for sender in periods[2].flows.sender.tolist()]


def test_hold_out_leaves_half_of_the_senders_to_be_judged(periods):
    plain, held = (
        list(course(periods, PARAMETERS, new_trees=2, cap=4, last_only=False, hold_out=hold_out))
        for hold_out in (False, True)
    )
    for one, other in zip(plain, held, strict=True):
        assert set(other.known.tolist()) < set(one.known.tolist())
        assert 0.3 < np.mean(other.seen) < 0.7
        assert other.of_new_senders("kept").false_alarms.flows > one.of_new_senders("kept").false_alarms.flows


def test_detection_and_gain_are_of_new_senders(periods):
    (step,) = course(periods[:2], PARAMETERS, new_trees=2, cap=4, last_only=False, hold_out=True)
    forests = {KEPT: step.forests[KEPT], RETRAINED: fit_forest(step.period.flows, PARAMETERS).forest}
    step = replace(step, forests=forests)
    flows = step.period.flows.select(~np.isin(step.period.flows.sender, step.known))
    caught = {}
    for way, forest in forests.items():
        scores = forest.score(flows.columns(forest.feature_names))
        caught[way] = detection_at(scores[flows.is_spam], scores[flows.is_legitimate], 500)
        found = step.detection(way, 500)
        assert found.value == caught[way]
        assert found.low < found.value < found.high
    assert step.gain(RETRAINED, 500).value == caught[RETRAINED] - caught[KEPT]
    assert step.gain(KEPT, 500) == Interval(0, 0, 0)
    nobody_new = replace(step, known=np.unique(step.period.flows.sender))
    assert np.isnan(nobody_new.detection(KEPT, 500).value)


def test_attackers_are_drawn_among_senders_of_spam_alone(flows):
    drawn = draw_senders(flows, {"pad": 0.3, "slow": 0.3}, 1)
    assert not drawn["pad"] & drawn["slow"]
    for senders in drawn.values():
        assert senders
        assert flows.is_spam[np.isin(flows.sender, sorted(senders))].all()


def test_flows_of_two_periods_count_in_the_first(periods):
    both = FlowSet.joined([periods[0].flows, periods[1].flows])
    found, repeated = first_only([periods[0], replace(periods[1], flows=both)])
    assert repeated == len(periods[0].flows)
    assert np.array_equal(found[1].flows.X, periods[1].flows.X)
    with pytest.raises(InputError, match="learn 1: all of its flows are in an earlier period"):
        first_only([periods[0], periods[0]])


def test_drift_of_flow_files(flow_files, tmp_path, capsys):
    out = tmp_path / "drift.png"
    options = ("--ports", "25,587", "--trees", 3, "--new-trees", 2, "--cap", 4)
    assert run_training("drift", *flow_files, *options, "--periods", 2, "--hold-out", "-o", out) == 0
    said = capsys.readouterr().out
    for words in (
        "learn 2",
        "test 1",
        "test 2",
        *WAYS,
        "of seen senders",
        "seed 1",
        "simulated drift",
        "at 100 false alarms",
        f"{out}: 3 periods",
    ):
        assert words in said
    assert out.read_bytes().startswith(b"\x89PNG")


def test_drift_with_attacks(capsys):
    options = ("--ports", "25,587", "--trees", 3, "--new-trees", 2, "--periods", 2)
    assert run_training("drift", *CAPTURE, *options, "--attack", "short:0.3", "--attack", "flood:0.2") == 0
    said = capsys.readouterr().out
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in said.splitlines() if line.startswith("│")]
    attacked = [row for row in rows if len(row) == 9]
    assert {row[0] for row in attacked} == {"short", "flood", ""}
    for row in attacked:
        flows, *verdicts, as_captured, before = map(int, row[3:])
        assert flows == sum(verdicts) == before > 0
        assert as_captured <= before


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("FLOWS",), "drift needs two periods: give several sources, or --periods"),
        (("FLOWS", "--periods", 2, "--attack", "pad:0.5"), "FLOWS: --attack changes packets, so it needs a capture"),
        (("a.pcap", "--periods", 2), "a.pcap: is no file of flows (.csv, .parquet), and a capture needs its --labels"),
        (("FLOWS", "--labels", "x.csv", "--periods", 2), "--labels: x.csv is of no capture"),
        (("FLOWS", "--attack", "eggs:0.5"), "--attack: must name each of pad, slow, short, flood, stack at most once"),
        (("FLOWS", "--attack", "pad:2"), "--attack: share of pad must be above 0 and at most 1, not '2'"),
        (("FLOWS", "--attack", "pad"), "--attack: share of pad must be above 0 and at most 1, not ''"),
        (("FLOWS", "--attack", "pad:.6", "--attack", "slow:.6"), "--attack: shares must not be above 1 together"),
        (("FLOWS", "FLOWS"), "FLOWS: another source is called 'learn' too"),
        (("FLOWS", "b=FLOWS", "--out", "no/where.png"), "no/where.png: the directory"),
    ],
)
def test_wrong_input(flow_files, capsys, given, message):
    path = str(flow_files[0])
    arguments = [str(text).replace("FLOWS", path) for text in given]
    assert run_training("drift", *arguments, "--ports", "25,587") == 2
    assert capsys.readouterr().err.startswith(f"error: {message.replace('FLOWS', path)}")
