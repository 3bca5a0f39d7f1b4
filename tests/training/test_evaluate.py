"""``training evaluate`` on the two parts of the slice, as two sources."""

import re

import numpy as np
import pytest

from tests.training.cases import MAILLAB, run_training
from training.evaluation import FOREST, STUMP, cases_of, needed_features, precision
from training.fitting import FitParameters
from training.flow_set import read_flow_set
from training.leaks import LEAKS, leaks_of

PORTS = frozenset({25, 587})


def test_evaluate(flow_files, capsys):
    learn, test = flow_files
    assert run_training("evaluate", learn, test, "--ports", "25,587", "--trees", 3, "--repeats", 1) == 0
    said = capsys.readouterr()
    for words in ("learn, other senders", "learn -> test", "test -> learn", "test, other senders"):
        assert words in said.out
    for words in ("stump", "depth-2 tree", "PCA baseline", "eq. 5, universal features", "forest"):
        assert words in said.out
    for words in (
        "other: the rest",
        "TTL and window of the client",
        "lengths of the server",
        "0.5%",
        "50.0%",
        "seeds 1 to 1",
    ):
        assert words in said.out
    assert not re.search(r"…", said.out), "a table was cut"
    assert "trees remember senders" in said.err


def test_cases_compare_at_equal_false_alarms(flow_files):
    features = ("spl2", "maxpl", "spps")
    needed = needed_features(features)
    sources = {path.stem: read_flow_set([path], needed, PORTS, "forward") for path in flow_files}
    parameters = FitParameters(trees=3, ports=PORTS, budget=300)
    cases = {case.name: case for case in cases_of(sources, parameters, features, 2)}
    assert len(cases) == 4
    for case in cases.values():
        legitimate = case.flows.is_legitimate
        for name in case.scores:
            assert (case.called(name)[:, legitimate].sum(axis=1) <= 0.03 * legitimate.sum()).all()
            caught = case.detection(name)
            assert np.mean(case.called(name)[:, case.flows.is_spam]) <= caught.value + 1e-9
            assert caught.low <= caught.value <= caught.high or caught.high - caught.low < 0.2
        assert case.gain(STUMP).value == 0
        assert case.gain(FOREST).value == case.detection(FOREST).value - case.detection(STUMP).value
        assert set(np.unique(case.verdicts)) <= {-1, 0, 1}


def test_precision():
    assert precision(0.5, 100, 0.5) == 0.5 / 0.51
    assert precision(0.5, 100, 0.005) == 0.0025 / (0.0025 + 0.00995)


def test_wrong_sources(flow_files, tmp_path, capsys):
    learn, _ = flow_files
    assert run_training("evaluate", learn, learn, "--ports", "25,587") == 2
    assert capsys.readouterr().err == f"error: {learn}: another source is called 'learn' too\n"
    assert run_training("evaluate", learn, "--ports", "25,587", "--features", "eggs") == 2
    assert "'eggs' is not in the catalogue" in capsys.readouterr().err


@pytest.mark.skipif(not MAILLAB.is_dir(), reason="maillab is not beside the checkout")
def test_stacks_tell_spam_from_ham_no_better_than_chance_in_main(tmp_path):
    """Senders of both classes drew their TCP stacks from one distribution."""
    out = tmp_path / "main.csv"
    arguments = ("--labels", MAILLAB / "labels.csv.gz", "--ports", "25,587", "--server", "198.19.0.10", "-o", out)
    assert run_training("flows", MAILLAB / "headers.pcap.gz", *arguments) == 0
    flows = read_flow_set([out], needed_features(("spl2", "maxpl", "spps")), PORTS, "forward")
    stack = next(
        leak
        for leak in leaks_of("main", flows, FitParameters(trees=11, ports=PORTS), ("spl2", "maxpl", "spps"))
        if leak.task == "spam against ham" and leak.features == next(iter(LEAKS))
    )
    assert stack.chance[0] <= stack.by_sender.value <= stack.chance[1]
    assert stack.by_flow > stack.by_sender.value + 0.2
