"""What commands that learn say of flows that come twice, lack a feature, or hold what is no number."""

import csv

import numpy as np
import pytest

from compiler.forest import Forest
from tests.training.cases import run_training, table_of
from training.flow_file import FLOW_COLUMNS
from training.flow_set import read_flow_set

PORTS = frozenset({25, 587})
SMALL = ("--ports", "25,587", "--trees", 2)


def write(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, FLOW_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def rows(flow_files):
    return table_of(flow_files[0])


def test_flows_that_come_twice_count_once(flow_files, rows, tmp_path, capsys):
    out, plain = tmp_path / "forest.json", tmp_path / "plain.json"
    assert run_training("fit", flow_files[0], *SMALL, "-o", plain) == 0
    assert "came more than once" not in capsys.readouterr().err
    # The same time in other digits, and another label: it is the same flow, and its first label counts.
    again = [rows[at] | {"t_start": rows[at]["t_start"] + "0", "label": "other"} for at in range(7)]
    twice = write(tmp_path / "twice.csv", [*rows, *again])
    assert run_training("fit", twice, *SMALL, "-o", out) == 0
    said = capsys.readouterr().err
    assert said == f"warning: {twice}: 7 flows came more than once, by endpoints and start, and count once\n"
    assert Forest.from_json(out).id == Forest.from_json(plain).id
    # In two files, as two taps of one network give them: one warning in all.
    parts = [write(tmp_path / name, part) for name, part in (("a.csv", rows[:300]), ("b.csv", rows[280:]))]
    assert run_training("fit", *parts, *SMALL, "-o", out) == 0
    said = capsys.readouterr().err
    assert said.startswith(f"warning: {parts[0]}, {parts[1]}: 20 flows came more than once")
    assert said.count("\n") == 1
    learnt = [Forest.from_json(path).provenance["learning"] for path in (out, plain)]
    assert learnt[0] == learnt[1]


def test_endpoints_that_meet_again_are_another_flow(rows, tmp_path):
    later = rows[0] | {"t_start": str(float(rows[0]["t_start"]) + 1)}
    other_port = rows[0] | {"client_port": str(int(rows[0]["client_port"]) - 1)}
    path = write(tmp_path / "flows.csv", [rows[0], later, other_port, rows[0]])
    flows = read_flow_set([path], ("sp",), PORTS)
    assert flows.is_first.tolist() == [True, True, True, False]


def test_evaluate_counts_what_two_sources_have_in_common(rows, tmp_path, capsys):
    spam = [row for row in rows if row["label"] in ("dnsbl", "spam")]
    ham = [row for row in rows if row["label"] in ("ham", "outgoing")]
    one = write(tmp_path / "one.csv", [*spam[:150], *ham[:150], *spam[:3]])
    other = write(tmp_path / "other.csv", [*spam[120:], *ham[140:]])
    assert run_training("evaluate", one, other, *SMALL, "--repeats", 1) == 0
    said = capsys.readouterr().err
    assert f"warning: {one}: 3 flows came more than once" in said
    assert "warning: 40 flows are in both one and other" in said
    assert "addresses send in both one and other" in said


@pytest.mark.parametrize("command", ["fit", "evaluate"])
@pytest.mark.parametrize(
    ("value", "message"),
    [("", "maxpl is absent from this flow"), ("nan", "maxpl must be an integer from 0 to 65535, not 'nan'")],
)
def test_missing_and_no_numbers(rows, tmp_path, capsys, command, value, message):
    changed = [*rows[:4], rows[4] | {"maxpl": value}, *rows[5:]]
    path = write(tmp_path / "flows.csv", changed)
    out = ("-o", tmp_path / "forest.json") if command == "fit" else ()
    assert run_training(command, path, *SMALL, *out) == 2
    assert capsys.readouterr().err == f"error: {path}: line 6: {message}\n"
    assert not (tmp_path / "forest.json").exists()


def test_parquet_says_the_same(rows, flow_files, tmp_path, capsys):
    polars = pytest.importorskip("polars", reason="needs the optional polars")
    path, out = tmp_path / "flows.parquet", tmp_path / "forest.json"
    numbers = [column for column in FLOW_COLUMNS if column not in ("t_start", "label", "sublabel")]
    numbers = [column for column in numbers if not column.endswith("_ip") and column != "sender"]
    frame = polars.DataFrame(rows).with_columns(polars.col(numbers).cast(polars.Int64))
    frame.write_parquet(path)
    names = ("spl2", "maxpl", "spps")
    parquet, text = (read_flow_set([file], names, PORTS, "forward") for file in (path, flow_files[0]))
    assert np.array_equal(parquet.X, text.X)
    assert np.array_equal(parquet.identity, text.identity)
    values = frame["maxpl"].to_list()
    for value, kind, message in (
        # Of a column of floats the first row is refused.
        (float("nan"), polars.Float64, f"row 1: maxpl must be an integer from 0 to 65535, not {values[0]}.0"),
        (None, polars.Int64, "row 5: maxpl is absent from this flow"),
    ):
        changed = polars.Series("maxpl", [*values[:4], value, *values[5:]], kind)
        frame.with_columns(changed).write_parquet(path)
        assert run_training("fit", path, *SMALL, "-o", out) == 2
        assert capsys.readouterr().err == f"error: {path}: {message}\n"
    assert not out.exists()


def test_times_that_are_none(rows, tmp_path, capsys):
    path = write(tmp_path / "flows.csv", [rows[0], rows[1] | {"t_start": "eggs"}])
    assert run_training("fit", path, *SMALL, "-o", tmp_path / "forest.json") == 2
    assert capsys.readouterr().err == f"error: {path}: line 3: t_start must be seconds, not 'eggs'\n"


def test_evaluate_refuses_one_class_and_one_sender(rows, tmp_path, capsys):
    ham = write(tmp_path / "ham.csv", [row for row in rows if row["label"] == "ham"])
    assert run_training("evaluate", ham, *SMALL) == 2
    assert "must have complete flows of both classes, not 0 of spam" in capsys.readouterr().err
    alone = [row | ({"sender": "192.0.2.1"} if row["label"] in ("spam", "dnsbl") else {}) for row in rows]
    one = write(tmp_path / "one.csv", alone)
    assert run_training("evaluate", one, *SMALL) == 2
    assert "all spam flows are of one sender, so nothing can be said of others" in capsys.readouterr().err
