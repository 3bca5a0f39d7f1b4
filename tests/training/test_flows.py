"""``training flows``: raw accumulators against independent references, features, label join, wrong input."""

import contextlib
import gzip
import sys

import pytest

from compiler.features import CATALOGUE
from sim.capture import read_capture
from tests.sim.capture_files import pcap
from tests.training.cases import CAPTURES, REPOSITORY, SLICE, run_training, table_of

EXPECTED = REPOSITORY / "tests" / "training" / "expected_flows.csv"
IDENTITY = ("file", "src", "sport", "dst", "dport", "first_ts")


def by_identity(rows):
    return {tuple(row[name] for name in IDENTITY): row for row in rows}


def test_raw_accumulators_of_the_slice(tmp_path):
    """Expected values: the per-flow statistics that came with maillab, made by another program."""
    out = tmp_path / "raw.csv"
    captures = [SLICE / "learn.pcap.gz", SLICE / "test.pcap.gz"]
    assert run_training("flows", *captures, "--raw", "--ports", "25,587", "--orientation", "first", "-o", out) == 0
    measured, expected = by_identity(table_of(out)), by_identity(table_of(EXPECTED))
    # One client port is used twice: without timeouts that is one flow.
    assert len(measured) == 1364 + 886 - 1
    assert len(expected) == 36
    assert {identity: measured[identity] for identity in expected} == expected


@pytest.mark.skipif(
    not CAPTURES.is_dir(), reason="needs the captures in ../shared/data, which are not all free to copy"
)
def test_raw_accumulators_of_reference_captures(tmp_path):
    with (CAPTURES / "reference_features.tsv").open() as file:
        names, *rows = (line.rstrip("\n").split("\t") for line in file)
    expected = by_identity(dict(zip(names, row, strict=True)) for row in rows)
    captures = [CAPTURES / "mail" / name for name in sorted({identity[0] for identity in expected})]
    out = tmp_path / "raw.csv"
    assert run_training("flows", *captures, "--raw", "--ports", "all", "--orientation", "first", "-o", out) == 0
    measured = by_identity(table_of(out))
    assert len(expected) == 72
    assert {identity: measured.get(identity) for identity in expected} == expected
    assert list(table_of(out)[0]) == names


def test_features_labels_and_senders(tmp_path, capsys):
    out = tmp_path / "flows.csv"
    arguments = ("--labels", SLICE / "test.labels.csv.gz", "--ports", "25,587", "-o", out)
    assert run_training("flows", SLICE / "test.pcap.gz", *arguments) == 0
    assert capsys.readouterr() == (f"{out}: 886 flows from 26961 of 26961 frames, 886 of them labelled\n", "")
    rows = table_of(out)
    with gzip.open(SLICE / "test.labels.csv.gz", "rt") as file:
        labels = [line.rstrip("\n").split(",") for line in file][1:]
    assert sorted(
        (row["t_start"], row["client_ip"], row["client_port"], row["label"], row["sublabel"]) for row in rows
    ) == sorted((label[0], label[2], label[3], label[7], label[8]) for label in labels)
    assert list(rows[0])[10:] == list(CATALOGUE)
    for row in rows:
        assert row["sender"] == row["server_ip" if row["label"] == "outgoing" else "client_ip"]
        assert int(row["sp"]) + int(row["rsp"]) == int(row["packets"])
        assert all(0 <= int(row[name]) < 1 << feature.bits for name, feature in CATALOGUE.items())
    assert [row["t_start"] for row in rows] == sorted(row["t_start"] for row in rows)


def test_own_server_without_labels(tmp_path):
    out = tmp_path / "flows.csv"
    assert run_training("flows", SLICE / "test.pcap.gz", "--server", "198.19.0.10", "-o", out) == 0
    rows = table_of(out)
    assert len(rows) == 886 - 29  # 25 submissions and 4 attempts are on port 587
    assert {row["server_port"] for row in rows} == {"25"}
    assert "198.19.0.10" not in {row["sender"] for row in rows}
    assert {row["label"] for row in rows} == {""}


def test_several_captures_are_measured_apart(tmp_path):
    one = tmp_path / "one.csv"
    two = tmp_path / "two.csv"
    assert run_training("flows", SLICE / "test.pcap.gz", "-o", one) == 0
    assert run_training("flows", SLICE / "test.pcap.gz", SLICE / "test.pcap.gz", "-o", two) == 0
    assert table_of(two) == table_of(one) * 2


def test_joined_captures_are_measured_as_one(tmp_path, capsys):
    frames = [(f.time_ns, f.data, f.wire_length) for f in read_capture(SLICE / "test.pcap.gz")]
    for name, part in (("whole", frames), ("a", frames[:9000]), ("b", frames[9000:])):
        (tmp_path / f"{name}.pcap").write_bytes(pcap(part))
    for out, captures in (("whole", ["whole"]), ("joined", ["a", "b"])):
        paths = [tmp_path / f"{name}.pcap" for name in captures]
        assert run_training("flows", *paths, "--joined", "-o", tmp_path / f"{out}.csv") == 0
        assert run_training("flows", *paths, "--joined", "--raw", "-o", tmp_path / f"{out}.raw.csv") == 0
    assert table_of(tmp_path / "joined.csv") == table_of(tmp_path / "whole.csv")
    assert "joined.csv: 857 flows from 25333 of 26961 frames" in capsys.readouterr().out
    files = [row.pop("file") for row in table_of(tmp_path / "joined.raw.csv")]
    assert files == sorted(files)
    assert set(files) == {"a.pcap", "b.pcap"}


def test_progress_on_a_terminal(tmp_path, monkeypatch):
    told = []

    @contextlib.contextmanager
    def progress(doing):
        told.append(doing)
        yield told.append

    monkeypatch.setattr("training.commands.flows.progress", progress)
    assert run_training("flows", SLICE / "test.pcap.gz", "-o", tmp_path / "f.csv") == 0
    assert told[0] == "measuring test.pcap.gz"
    assert told[-2].endswith("━" * 20 + " 100%")
    assert told[-1] == "writing f.csv"


def test_timeouts_split_flows(tmp_path):
    counts = []
    for idle in ("0.05", "1000"):
        assert run_training("flows", SLICE / "test.pcap.gz", "--raw", "--idle", idle, "-o", tmp_path / "f.csv") == 0
        counts.append(len(table_of(tmp_path / "f.csv")))
    assert counts[0] > counts[1] == 857


def test_cut_capture_is_measured_up_to_the_cut(tmp_path, capsys):
    frames = [(frame.time_ns, frame.data, frame.wire_length) for frame in read_capture(SLICE / "test.pcap.gz")][:50]
    capture = tmp_path / "cut.pcap"
    capture.write_bytes(pcap(frames)[:-1])
    assert run_training("flows", capture, "-o", tmp_path / "f.csv") == 0
    said = capsys.readouterr()
    assert "of 49 frames" in said.out
    assert said.err.startswith(f"warning: {capture}: cut off after packet 49, at byte ")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--ports", "26,27"], "no TCP flow of port 26 or 27 in 26961 frames (--ports)"),
        (["--server", "198.19.0.10", "--server", "192.0.2.1"], "--server: 192.0.2.1 is at no end of any flow"),
    ],
)
def test_captures_without_what_was_asked_for(tmp_path, capsys, arguments, message):
    assert run_training("flows", SLICE / "test.pcap.gz", *arguments, "-o", tmp_path / "f.csv") == 2
    complaint = capsys.readouterr().err
    assert message in complaint
    assert complaint.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_capture_without_frames(tmp_path, capsys):
    (tmp_path / "none.pcap").write_bytes(pcap([]))
    assert run_training("flows", tmp_path / "none.pcap", "-o", tmp_path / "f.csv") == 2
    assert capsys.readouterr().err == f"error: {tmp_path / 'none.pcap'}: no frames\n"


LABEL_HEADER = "t_start,client_ip,client_port,server_ip,server_port,label\n"


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("", "is empty"),
        (LABEL_HEADER, "holds no labels"),
        ("a,b\n1,2\n", "column 't_start' is missing"),
        (LABEL_HEADER + "1,10.0.0.1,5,10.0.0.2,25\n", "line 2: must have 6 fields"),
        (LABEL_HEADER + "x,10.0.0.1,5,10.0.0.2,25,ham\n", "line 2: t_start must be seconds, not 'x'"),
        (LABEL_HEADER + "1,10.0.0,5,10.0.0.2,25,ham\n", "line 2: client_ip must be an IP address, not '10.0.0'"),
        (LABEL_HEADER + "1,10.0.0.1,5,10.0.0.2,70000,ham\n", "line 2: server_port must be a port, not '70000'"),
        (LABEL_HEADER + "1,10.0.0.1,5,10.0.0.2,25,eggs\n", "line 2: label must be one of dnsbl, spam"),
        (LABEL_HEADER + "1,10.0.0.1,5,10.0.0.2,25,ham\n", "no label matches a flow"),
    ],
)
def test_wrong_labels(tmp_path, capsys, labels, message):
    path, out = tmp_path / "labels.csv", tmp_path / "flows.csv"
    path.write_text(labels)
    assert run_training("flows", SLICE / "test.pcap.gz", "--labels", path, "-o", out) == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith(f"error: {path}: {message}")
    assert complaint.count("\n") == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["labels.csv"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.pcap", "-o", "f.csv"], "nothing.pcap: No such file or directory"),
        (["x.pcap", "-o", "f.txt"], "f.txt: name must end in .csv or .parquet"),
        (["x.pcap", "-o", "f.csv", "--ports", "25,x"], "--ports: must be 'all' or ports"),
        (["x.pcap", "-o", "f.csv", "--idle", "0"], "--idle: must be from 0.001"),
        (["x.pcap", "-o", "f.csv", "--raw", "--labels", "l.csv"], "--labels: cannot be joined to raw accumulators"),
        (["x.pcap", "-o", "f.csv", "--server", "mail"], "--server: must be an IP address, not 'mail'"),
        (["x.pcap", "-o", "."], ".: is a directory"),
        (["x.pcap", "-o", "no/f.csv"], "no/f.csv: the directory "),
        (["x.pcap", "-o", "f.csv"], "x.pcap: is not a capture"),
    ],
)
def test_wrong_arguments(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.pcap").write_text("not a capture")
    assert run_training("flows", *arguments) == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith(f"error: {message}")
    assert complaint.count("\n") == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.pcap"]


def test_parquet_without_polars(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "polars", None)
    out = tmp_path / "flows.parquet"
    assert run_training("flows", SLICE / "test.pcap.gz", "-o", out) == 2
    assert capsys.readouterr().err.startswith(
        f"error: {out}: needs the package polars, which is not installed: pip install -e '.[parquet]'"
    )
    assert list(tmp_path.iterdir()) == []


def test_parquet_holds_what_csv_holds(tmp_path, capsys):
    polars = pytest.importorskip("polars", reason="needs the optional polars")
    for name in ("flows.csv", "flows.parquet"):
        arguments = ("--labels", SLICE / "test.labels.csv.gz", "--ports", "25,587", "-o", tmp_path / name)
        assert run_training("flows", SLICE / "test.pcap.gz", *arguments) == 0
    rows = polars.read_parquet(tmp_path / "flows.parquet").rows(named=True)
    assert [{name: str(value) for name, value in row.items()} for row in rows] == table_of(tmp_path / "flows.csv")
    for name in ("flows.csv", "flows.parquet"):
        forest = tmp_path / "forest.json"
        assert run_training("fit", tmp_path / name, "--ports", "25,587", "--trees", 2, "-o", forest) == 0
    (tmp_path / "bad.parquet").write_text("not Parquet")
    assert run_training("fit", tmp_path / "bad.parquet", "-o", forest) == 2
    assert "is not a readable Parquet file" in capsys.readouterr().err
