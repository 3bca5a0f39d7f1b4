"""``training sources``: sources side by side, with what is missing in each."""

import csv
import re
from collections import Counter

import pytest

from compiler.features import CATALOGUE
from tests.training.cases import SLICE, run_training, table_of
from training.flow_file import FLOW_COLUMNS


@pytest.fixture(scope="module")
def flows(tmp_path_factory):
    out = tmp_path_factory.mktemp("sources") / "flows.csv"
    labels = ("--labels", SLICE / "test.labels.csv.gz", "--ports", "25,587")
    assert run_training("flows", SLICE / "test.pcap.gz", *labels, "-o", out) == 0
    return out


def write(path, rows, names=FLOW_COLUMNS):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_sources_side_by_side(tmp_path, capsys, flows):
    rows = table_of(flows)
    lacking = write(tmp_path / "other.csv", [row | {"maxpl": ""} for row in rows[:200]] + rows[:3])
    assert run_training("sources", f"main={flows}", lacking) == 0
    said = capsys.readouterr()
    counts = Counter(row["label"] for row in rows)
    senders = {label: len({row["sender"] for row in rows if row["label"] == label}) for label in counts}
    few = Counter(row["label"] for row in rows[:200])
    for label in counts:
        assert re.search(rf"│ {label} +│ +{counts[label]} / {senders[label]} │ +{few[label]} / \d+ │", said.out)
    assert f"37 of {len(CATALOGUE)}" not in said.out
    assert re.search(rf"│ features +│ +{len(CATALOGUE)} of {len(CATALOGUE)} │ +{len(CATALOGUE) - 1} of", said.out)
    assert "other lacks: maxpl\n" in said.out
    common = said.out[said.out.index("features of all flows: ") :].split()[4:]
    assert common == [name for name in CATALOGUE if name != "maxpl"]
    assert "warning: other: 3 flows came more than once and count once" in said.err
    assert re.search(r"warning: main and other have \d+ senders in common", said.err)


@pytest.mark.parametrize(("label", "words"), [("spam", "background of no senders"), ("ham", "spam of no senders")])
def test_classes_that_are_empty(tmp_path, capsys, flows, label, words):
    rows = [row for row in table_of(flows) if row["label"] == label]
    assert run_training("sources", write(tmp_path / "one.csv", rows)) == 0
    assert f"warning: one: {words}\n" in capsys.readouterr().err
    alone = [row for row in rows if row["sender"] == rows[0]["sender"]]
    assert run_training("sources", write(tmp_path / "one.csv", alone)) == 0
    assert " of 1 sender\n" in capsys.readouterr().err


def test_wrong_sources(tmp_path, capsys, flows):
    rows = table_of(flows)
    cases = {
        "eggs": ([rows[0] | {"label": "eggs"}], "line 2: label must be one of dnsbl"),
        "noon": ([rows[0] | {"t_start": "noon"}], "line 2: t_start must be seconds, not 'noon'"),
        "none": ([], "holds no flows"),
    }
    for name, (found, message) in cases.items():
        path = write(tmp_path / f"{name}.csv", found)
        assert run_training("sources", path) == 2
        assert capsys.readouterr().err.startswith(f"error: {path}: {message}")
    assert run_training("sources", flows, f"flows={flows}") == 2
    assert "another source is called 'flows' too" in capsys.readouterr().err
    assert run_training("sources", write(tmp_path / "few.csv", rows, ("t_start", "label"))) == 2
    assert "column 'client_ip' is missing" in capsys.readouterr().err
