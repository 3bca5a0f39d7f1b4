"""``training split``: parts that share no sender and lose no flow."""

import csv

from tests.training.cases import run_training, table_of


def write(path, senders):
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([("t_start", "sender"), *enumerate(senders)])
    return path


def test_parts(tmp_path, capsys):
    senders = [f"198.51.100.{number % 50}" for number in range(400)]
    flows = write(tmp_path / "flows.csv", senders)
    parts = [tmp_path / f"{name}.csv" for name in "abc"]
    outs = [argument for path in parts for argument in ("-o", path)]
    assert run_training("split", flows, *outs) == 0
    rows = [table_of(path) for path in parts]
    found = [{row["sender"] for row in part} for part in rows]
    assert all(found)
    assert sum(map(len, found)) == len(set().union(*found)) == 50
    assert sorted((row for part in rows for row in part), key=lambda row: int(row["t_start"])) == table_of(flows)
    # In another file a sender is in the same part; with another seed not all are.
    other = write(tmp_path / "other.csv", sorted(set(senders)))
    assert run_training("split", other, *outs) == 0
    assert [{row["sender"] for row in table_of(path)} for path in parts] == found
    assert run_training("split", other, *outs, "--seed", 2) == 0
    assert [{row["sender"] for row in table_of(path)} for path in parts] != found


def test_wrong_parts(tmp_path, capsys):
    flows = write(tmp_path / "flows.csv", ["x"] * 9)
    for arguments, message in (
        (["-o", "a.csv"], "--out: must name two files or more, each once"),
        (["-o", tmp_path / "a.csv", "-o", tmp_path / "a.csv"], "--out: must name two files or more, each once"),
        (["-o", tmp_path / "a.csv", "-o", tmp_path / "b.csv"], "flows.csv: has too few senders, none falls into part "),
        (["-o", tmp_path / "a.csv", "-o", flows], "flows.csv: is read, and would be written over"),
        (["-o", tmp_path / "a.txt", "-o", tmp_path / "b.csv"], "a.txt: name must end in .csv or .parquet"),
    ):
        assert run_training("split", flows, *arguments) == 2
        assert message in capsys.readouterr().err
    assert [entry.name for entry in tmp_path.iterdir()] == ["flows.csv"]
