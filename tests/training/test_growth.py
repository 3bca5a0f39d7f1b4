"""``training add`` and ``training sizes``."""

import numpy as np

from compiler.forest import Forest
from tests.training.cases import run_training
from training.flow_set import read_flow_set, split_senders

PORTS = frozenset({25, 587})


def test_add(flow_files, tmp_path, capsys):
    learn, test = flow_files
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    assert run_training("fit", learn, "--ports", "25,587", "--trees", 9, "-o", old) == 0
    assert run_training("add", old, test, "--trees", 6, "--cap", 11, "-o", new) == 0
    before, after = Forest.from_json(old), Forest.from_json(new)
    assert len(after.trees) == 11
    assert "old trees and" in capsys.readouterr().out
    assert after.provenance["added_to"] == before.id
    assert after.ports == before.ports
    # Every weight is the share of the weighing senders' flows that the tree says right.
    flows = read_flow_set([test], after.feature_names, PORTS, "forward")
    weigh = split_senders(flows, (2, 1), 1)[1].teaching
    for tree in after.trees:
        alone = Forest(name="a", columns=after.columns, trees=(tree._replace(weight=1),), directions="forward")
        assert tree.weight == round(float(np.mean(alone.score(weigh.X) == weigh.target)) * after.validation_rows)


def test_add_refuses(flow_files, tmp_path, capsys):
    learn, test = flow_files
    classes, out = tmp_path / "classes.json", tmp_path / "out.json"
    options = ("--ports", "25,587", "--trees", 2, "--folds", 3, "--most", 4)
    assert run_training("subclasses", learn, *options, "-o", classes) == 0
    assert run_training("add", classes, test, "-o", out) == 2
    assert "must be one of verdicts, not of" in capsys.readouterr().err
    assert not out.exists()


def test_sizes(flow_files, tmp_path, capsys):
    out = tmp_path / "sizes.png"
    options = ("--ports", "25,587", "--trees", 3, "--leaves", "3,6", "--thresholds", "4,0", "-o", out)
    assert run_training("sizes", flow_files[0], *options) == 0
    said = capsys.readouterr().out
    assert "4 sizes, seed 1" in said
    assert out.read_bytes().startswith(b"\x89PNG")
    rows = [line.split("│")[1:-1] for line in said.splitlines() if line.startswith("│")]
    tested = {(row[0].strip(), row[1].strip()): int(row[2]) for row in rows}
    assert set(tested) == {("3", "4"), ("3", "any"), ("6", "4"), ("6", "any")}
    assert tested["6", "4"] <= 3 * 4
    assert any(row[-1].strip() == "*" for row in rows)
    assert run_training("sizes", flow_files[0], "--ports", "25,587", "--leaves", "1") == 2
    assert capsys.readouterr().err == "error: --leaves: must be numbers of at least 2 with commas, not '1'\n"
    assert run_training("sizes", flow_files[0], "--board", "toaster") == 2
