"""``training fit``: what it prints and writes on the slice, and what it says about wrong input."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import sklearn

from compiler.features import CATALOGUE, UNIVERSAL
from compiler.forest import Band, Forest
from compiler.loading import REFERENCE
from tests.training.cases import run_training, table_of
from training.drift.histograms import histograms_path
from training.ensemble import WEIGHT_STEPS
from training.feature_choice import REDUCED
from training.fit_report import assess
from training.flow_file import FLOW_COLUMNS
from training.flow_set import read_flow_set, split_senders

PORTS = frozenset({25, 587})


def test_fit(flow_files, tmp_path, capsys):
    learn, test = flow_files
    out = tmp_path / "forest.json"
    assert run_training("fit", learn, "--test", test, "--ports", "25,587", "--seed", 2, "-o", out) == 0
    said = capsys.readouterr().out
    forest = Forest.from_json(out)
    assert f"{out}: forest {forest.id}, 61 trees on 3 of 3 features, seed 2" in said
    for words in ("balanced accuracy", "per 10 000", "uncertain", "stump: SPAM when", "monitor only", "greylisted"):
        assert words in said
    assert set(forest.feature_names) == {"spl2", "maxpl", "spps"}
    assert all(forest.thresholds()), "a column that no tree tests would be measured for nothing"
    assert (forest.ports, forest.directions) == ((25, 587), "forward")
    # Few legitimate senders cannot show a low rate of false alarms.
    assert forest.monitor_only
    assert forest.operating_point["false_alarms"]["bound"] > 100
    assert max(tree.depth for tree in forest.trees) <= 8
    assert max(len(tree.nodes) for tree in forest.trees) <= 2 * 16 - 1
    assert forest.validation_rows == WEIGHT_STEPS
    assert [source["file"] for source in forest.provenance["flows"]] == ["learn.csv"]
    flows = read_flow_set([test], forest.feature_names, PORTS)
    assessed = assess(flows, forest.decide(flows.columns(forest.feature_names)))
    assert f"{assessed.balanced_accuracy:.3f}" in said
    unbanded = assess(flows, replace(forest, band=Band()).decide(flows.columns(forest.feature_names)))
    assert unbanded.balanced_accuracy > 0.75


def test_the_reference_forest_is_made_by_its_command(flow_files, tmp_path):
    reference = Forest.from_json(REFERENCE)
    if reference.provenance["scikit-learn"] != sklearn.__version__:
        pytest.skip("another scikit-learn may grow other trees")
    assert len(reference.trees) > 60
    learn, test = flow_files
    out = tmp_path / "forest.json"
    options = ("--ports", "25,587", "--features", "universal", "--directions", "both", "--leaves", 4)
    assert run_training("fit", learn, "--test", test, *options, "--name", "reference", "-o", out) == 0
    assert Forest.from_json(out).id == reference.id
    assert histograms_path(out).read_bytes() == histograms_path(REFERENCE).read_bytes()


def test_same_seed_same_file(flow_files, tmp_path):
    files = []
    for name in ("a", "b"):
        files.append(tmp_path / f"{name}.json")
        assert run_training("fit", flow_files[0], "--ports", "25,587", "--trees", 3, "-o", files[-1]) == 0
    assert files[0].read_bytes() == files[1].read_bytes()


def test_chosen_features_and_directions(flow_files, tmp_path):
    out = tmp_path / "forest.json"
    options = ("--ports", "25,587", "--trees", 5, "--depth", 2, "-o", out)
    assert run_training("fit", flow_files[0], *options, "--directions", "forward") == 0
    forest = Forest.from_json(out)
    assert forest.directions == "forward"
    assert not any(CATALOGUE[name].response for name in forest.feature_names)
    assert run_training("fit", flow_files[0], *options, "--features", "reduced", "--directions", "both") == 0
    forest = Forest.from_json(out)
    assert set(forest.feature_names) <= set(REDUCED)
    assert {"rminpl", "rmaxpl", "rspl"} & set(forest.feature_names)
    three = ("--features", "maxpl,rsp,duration", "--directions", "both", "--name", "three")
    assert run_training("fit", flow_files[0], *options, *three) == 0
    forest = Forest.from_json(out)
    assert forest.name == "three"
    assert set(forest.feature_names) <= {"maxpl", "rsp", "duration"}
    assert len(forest.trees) == 5


def test_parts_share_no_sender_and_keep_all_flows(flow_files):
    flows = read_flow_set([flow_files[0]], UNIVERSAL, PORTS)
    parts = split_senders(flows, (2, 1, 1), seed=5)
    senders = [set(part.sender.tolist()) for part in parts]
    assert not senders[0] & senders[1] | senders[0] & senders[2] | senders[1] & senders[2]
    assert sum(map(len, parts)) == len(flows)
    assert 0.4 < len(senders[0]) / flows.senders < 0.6
    for part in parts:
        assert {-1, 0, 1} == set(part.y.tolist())
    again = split_senders(flows, (2, 1, 1), seed=5)
    assert all(np.array_equal(one.X, other.X) for one, other in zip(parts, again, strict=True))
    assert set(split_senders(flows, (2, 1, 1), seed=6)[0].sender.tolist()) != senders[0]


def test_only_complete_flows_count(flow_files, tmp_path):
    rows = [row for row in table_of(flow_files[0]) if row["label"] in ("ham", "dnsbl")][:200]
    changes = {0: {"syn_seen": 0}, 1: {"sp": 0}, 2: {"rsp": 0}, 3: {"packets": 1}, 4: {"label": ""}}
    for at, change in changes.items():
        rows[at] |= change
    path = tmp_path / "flows.csv"
    write(path, rows)
    assert len(read_flow_set([path], UNIVERSAL, PORTS)) == 195
    assert len(read_flow_set([path], ("sp",), PORTS, "forward")) == 196


def test_greylisted_flows_are_legitimate_but_not_of_the_accuracy(flow_files):
    flows = read_flow_set([flow_files[1]], UNIVERSAL, PORTS)
    greylisted = flows.select(flows.sublabel == "greylist")
    assert len(greylisted) == 14
    assert greylisted.is_legitimate.all()
    assert set(greylisted.target.tolist()) == {-1}
    assert set(greylisted.y.tolist()) == {0}
    assert assess(flows, np.ones(len(flows), int)).false_alarms.flows == 200 + 91 + 25 + 14


def write(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, FLOW_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spl2": "12.5"}, "line 2: spl2 must be an integer from 0 to 16777215, not '12.5'"),
        ({"spl2": "1_000"}, "line 2: spl2 must be an integer from 0 to 16777215, not '1_000'"),
        ({"spl2": "16777216"}, "line 2: spl2 must be an integer from 0 to 16777215, not '16777216'"),
        ({"rsp": "-1"}, "line 2: rsp must be an integer from 0 to 65535, not '-1'"),
        ({"label": "eggs"}, "line 2: label must be one of"),
        ({"server_port": "80", "client_port": "81"}, "line 2: flow must be of a port of --ports, not 80"),
    ],
)
def test_wrong_rows(flow_files, tmp_path, capsys, change, message):
    rows = table_of(flow_files[0])
    rows[0] |= change
    path, out = tmp_path / "flows.csv", tmp_path / "forest.json"
    write(path, rows)
    assert run_training("fit", path, "--ports", "25,587", "-o", out) == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith(f"error: {path}: {message}")
    assert complaint.count("\n") == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["flows.csv"]


def test_wrong_sets(flow_files, tmp_path, capsys):
    path, out = tmp_path / "flows.csv", tmp_path / "forest.json"
    cases = {
        f"{path}: the learning senders must have complete flows of both classes": [
            r for r in table_of(flow_files[0]) if r["label"] == "ham"
        ],
        f"{path}: all spam flows are of one sender, so nothing can be said of others": [
            r | ({"sender": "192.0.2.1"} if r["label"] in ("spam", "dnsbl") else {}) for r in table_of(flow_files[0])
        ],
        "must hold labelled, complete flows, but none of 0": [],
    }
    for message, rows in cases.items():
        write(path, rows)
        assert run_training("fit", path, "--ports", "25,587", "-o", out) == 2
        assert message in capsys.readouterr().err
    assert run_training("fit", flow_files[0], flow_files[0], "--ports", "25,587", "-o", out) == 2
    assert capsys.readouterr().err == f"error: {flow_files[0]}: is given twice\n"
    path.write_text("a,b\n1,2\n")
    assert run_training("fit", path, "-o", out) == 2
    assert capsys.readouterr().err == f"error: {path}: column 'sender' is missing\n"
    for features in ("spl,eggs", "spl,spl"):
        assert run_training("fit", flow_files[0], "--features", features, "-o", out) == 2
    assert run_training("fit", flow_files[0], "--features", "rspl", "--directions", "forward", "-o", out) == 2
    assert run_training("fit", flow_files[0], "--ports", "25,587", "-o", tmp_path / "none" / "forest.json") == 2
    assert not out.exists()
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    assert run_training("fit", flow_files[0], "--ports", "25,587", "-o", tmp_path / "kept") == 2
    assert (tmp_path / "kept" / "file").exists()


def test_json_is_whole_and_plain(flow_files, tmp_path):
    out = tmp_path / "forest.json"
    assert run_training("fit", flow_files[0], "--ports", "25,587", "--trees", 2, "-o", out) == 0
    document = json.loads(out.read_text())
    assert document["orientation"] == "initiator"
    assert document["lo"] <= document["hi"]
    assert str(tmp_path) not in out.read_text()
