"""Importance of features and eq. 4."""

import numpy as np

from tests.training.cases import run_training
from training.flow_set import FlowSet
from training.universal import importance, rank_features


def made(seed, *, response_tells):
    """Lengths tell the class, forward or in the response; the same lengths again; and noise."""
    generator = np.random.default_rng(seed)
    spam = np.arange(400) % 2 == 0
    tells = np.where(spam, 100, 900) + generator.integers(0, 300, 400)
    noise = generator.integers(0, 1000, 400)
    columns = {
        "maxpl": tells,
        "rmaxpl": noise,
        "spl": tells * 2,
        "rspl": noise // 2,
        "sp": noise % 50,
        "rsp": noise % 7,
    }
    if response_tells:
        columns |= {"maxpl": noise, "rmaxpl": tells}
    X = np.column_stack(list(columns.values()))
    labels = np.where(spam, "spam", "ham")
    senders = np.array([f"s{at}" for at in range(400)])
    return FlowSet("made", tuple(columns), X, senders, labels, np.full(400, ""))


def test_a_feature_does_not_vanish_behind_one_that_is_like_it():
    points = dict(zip(made(1, response_tells=False).features, importance(made(1, response_tells=False)), strict=True))
    assert points["maxpl"] == points["spl"] == 100
    assert max(points["rmaxpl"], points["sp"], points["rsp"]) < 10


def test_eq_4_takes_the_better_direction_of_each_source():
    ranked = rank_features({"a": made(1, response_tells=False), "b": made(2, response_tells=True)})
    by_name = {entry.name: entry for entry in ranked}
    assert next(iter(by_name)) in ("maxpl", "spl")
    assert set(by_name) == {"maxpl", "spl", "sp"}
    for entry in ranked:
        assert entry.universal == np.mean([max(pair) for pair in entry.by_source.values()])
    assert by_name["maxpl"].by_source["a"][0] == by_name["maxpl"].by_source["b"][1] == 100


def test_command(flow_files, capsys):
    learn, test = flow_files
    assert run_training("universal", learn, test, "--ports", "25,587", "--trees", 3) == 0
    said = capsys.readouterr().out
    for words in (
        "importance by source",
        "learn -> test",
        "universal in the paper",
        "universal features of 15, both ways",
    ):
        assert words in said
    assert run_training("universal", learn, "--ports", "25,587") == 2
    assert "two sources at least" in capsys.readouterr().err


def test_a_source_without_spam(flow_files, tmp_path, capsys):
    learn, test = flow_files
    header, *rows = learn.read_text().splitlines(keepends=True)
    ham = tmp_path / "ham.csv"
    ham.write_text("".join([header, *(row for row in rows if ",dnsbl," not in row and ",spam," not in row)]))
    assert run_training("universal", ham, test, "--ports", "25,587", "--trees", 3) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "the learning senders must have complete flows of both classes, not 0 of spam and" in said.err
    assert str(ham) in said.err
