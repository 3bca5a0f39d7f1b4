"""The score that lists are made by: against plain Python, and in the command."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.forests import grown_forest
from tests.training.senders.records import SERVER, figure, many, record, spammers, write_records
from training.flow_set import FlowSet
from training.senders.list_score import ListScore, choose_list_score, would_list
from training.senders.ranking import wilson_lower


def flows_of(labels, senders):
    labels = np.array(labels)
    return FlowSet("made", ("maxpl",), np.zeros((len(labels), 1)), np.array(senders), labels, np.full(len(labels), ""))


def listed_plainly(scores, senders, score, minimum=10, share=0.5):
    counts = defaultdict(lambda: [0, 0, 0])
    for one, sender in zip(scores, senders, strict=True):
        for place, holds in enumerate((True, one > score, one < score)):
            counts[sender][place] += holds
    return {
        sender
        for sender, (records, spam, background) in counts.items()
        if spam >= minimum and wilson_lower(spam, records) >= share and background < max(2, records / 10)
    }


FLOWS = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from(["spam", "spam", "ham", "other"]), st.integers(-9, 9)),
    min_size=1,
    max_size=150,
)


@given(FLOWS)
def test_equals_the_rule_in_plain_python(rows):
    # The senders of low numbers send much, and all of one kind.
    rows = [(sender, "spam" if sender < 3 else label, score) for sender, label, score in rows for _ in range(4)]
    senders, labels, scores = (list(column) for column in zip(*rows, strict=True))
    flows = flows_of(labels, [str(sender) for sender in senders])
    best = ListScore(max(scores), 0.0)
    for score in sorted(set(scores), reverse=True):
        strictly = listed_plainly(scores, senders, score, 5, 0.25)
        if any(sender in strictly and label == "ham" for sender, label, _ in rows):
            break
        listed = listed_plainly(scores, senders, score)
        assert would_list(np.array(scores), np.array(senders), score).tolist() == [one in listed for one in senders]
        of_spam = [sender in listed for sender, label, _ in rows if label == "spam"]
        if of_spam and np.mean(of_spam) > best.spam_listed:
            best = ListScore(score, float(np.mean(of_spam)))
    assert choose_list_score(np.array(scores), flows) == best


def test_a_legitimate_sender_that_comes_near_keeps_the_score_up():
    spam = [("bot", "spam", 50)] * 20 + [("slow bot", "spam", 10)] * 20
    # Half the records and half the share that would list it.
    for above, chosen in ((5, ListScore(10, 0.5)), (4, ListScore(-90, 1.0))):
        flows = [*spam, *[("shop", "ham", 10)] * above, *[("shop", "ham", -90)] * 3]
        senders, labels, scores = zip(*flows, strict=True)
        assert choose_list_score(np.array(scores), flows_of(labels, senders)) == chosen


BOT, OTHER = "198.51.100.7", "198.51.100.8"


@pytest.mark.parametrize(("score", "senders"), [(None, 1), (-101, 2), (50, 1), (100, 0)])
def test_records_are_spam_above_the_score(tmp_path, capsys, score, senders):
    pytest.importorskip("duckdb", reason="needs the optional duckdb")
    records = [*many(BOT, [1] * 12), *many(OTHER, [-1] * 12), record(SERVER, 0, server=BOT)]
    options = () if score is None else ("--score", score)
    assert spammers(write_records(tmp_path / "r.csv", records), "--server", SERVER, *options) == 0
    said = capsys.readouterr().out
    assert figure(said, "senders with 10 SPAM records or more") == str(senders)
    assert (f"records are SPAM above score {score}" in said) == (score is not None)


def test_flows_are_judged_by_the_score_that_was_chosen_for_lists(tmp_path, capsys):
    pytest.importorskip("duckdb", reason="needs the optional duckdb")
    forest = grown_forest(names=("maxpl",))
    flows = ["t_start,client_ip,client_port,server_ip,server_port,syn_seen,sp,rsp,maxpl"]
    flows += [f"{1e9 + at},{BOT},{at},{SERVER},25,1,5,5,{40 + at}" for at in range(40)]
    (tmp_path / "flows.csv").write_text("\n".join(flows) + "\n")
    said = []
    for chosen in ({"score": forest.score_range[0] - 1}, {"score": forest.score_range[1]}, {}, "?"):
        replace(forest, operating_point={"list": chosen}).to_json(tmp_path / "forest.json")
        options = ("--forest", tmp_path / "forest.json", "--server", SERVER)
        assert spammers(tmp_path / "flows.csv", *options) == 0
        said.append(figure(capsys.readouterr().out, "SPAM records").split(",")[0])
    assert spammers(tmp_path / "flows.csv", *options[:2], "--score", forest.score_range[1] + 1) == 2
    assert "--score: must be from " in capsys.readouterr().err
    replace(forest, operating_point={"list": {"score": -(1 << 40)}}).to_json(tmp_path / "forest.json")
    assert spammers(tmp_path / "flows.csv", *options) == 2
    assert "forest.json: score for lists: must be from " in capsys.readouterr().err
    assert spammers(tmp_path / "flows.csv", *options, "--by-band") == 0
    said.append(figure(capsys.readouterr().out, "SPAM records").split(",")[0])
    of_the_band = str(int((forest.decide(np.arange(40, 80)[:, None]) == 1).sum()))
    assert said == ["40", "0", *[of_the_band] * 3]


def test_an_own_server_with_some_spam_is_told_of(tmp_path, capsys):
    pytest.importorskip("duckdb", reason="needs the optional duckdb")
    records = [*many(SERVER, [1] * 12 + [0] * 30, server=BOT), *many(BOT, [1] * 12)]
    assert spammers(write_records(tmp_path / "r.csv", records), "--server", SERVER) == 0
    said = capsys.readouterr()
    assert f"{SERVER} is an own server and 12 of its 42 records are SPAM; it is not listed" in said.err
    assert figure(said.out, "listed") == "1"
