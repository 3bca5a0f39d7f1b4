"""What ``training spammers`` reads: records in every form, flows that it judges by a forest, and wrong ones."""

import re

import numpy as np
import pytest

from compiler.features import CATALOGUE
from compiler.forest import Forest
from hdl.cobs import cobs_encode
from sim.export_records import ExportedRecord, ExportStream
from tests.forests import grown_forest
from tests.training.cases import SLICE, exported_messages, run_training, table_of
from tests.training.senders.records import HEADER, ROW, SERVER, figure, spammers, table, write_records
from training.feature_choice import REDUCED
from training.senders.ranking import wilson_lower

pytest.importorskip("duckdb", reason="needs the optional duckdb")


def test_flows_judged_by_a_forest(tmp_path, capsys):
    """The same as the forest says row by row, and what the list would have stopped by the labels."""
    flows, path = tmp_path / "flows.csv", tmp_path / "forest.json"
    labels = ("--labels", SLICE / "test.labels.csv.gz", "--ports", "25,587", "--server", "198.19.0.10")
    assert run_training("flows", SLICE / "test.pcap.gz", *labels, "-o", flows) == 0
    learnt = tmp_path / "learn.csv"
    labels = ("--labels", SLICE / "learn.labels.csv.gz", "--ports", "25,587")
    assert run_training("flows", SLICE / "learn.pcap.gz", *labels, "-o", learnt) == 0
    assert run_training("fit", learnt, "--trees", 8, "--ports", "25,587", "-o", path) == 0
    capsys.readouterr()
    assert spammers(flows, "--forest", path, "--server", "198.19.0.10") == 0
    said = capsys.readouterr().out
    forest, rows = Forest.from_json(path), table_of(flows)
    X = np.array([[int(row[name]) for name in forest.feature_names] for row in rows])
    verdicts = np.sign(forest.score(X) - forest.operating_point["list"]["score"])
    incoming = [at for at, row in enumerate(rows) if row["client_ip"] != "198.19.0.10"]
    spam: dict[str, list[int]] = {}
    for at in incoming:
        whole = rows[at]["syn_seen"] == "1" and rows[at]["sp"] != "0" and rows[at]["rsp"] != "0"
        spam.setdefault(rows[at]["client_ip"], []).append(int(verdicts[at]) if whole else 0)
    counts = {sender: found.count(1) for sender, found in spam.items()}
    assert figure(said, "SPAM records").split(",")[0] == str(sum(counts.values()))
    assert figure(said, "senders with 10 SPAM records or more") == str(sum(count >= 10 for count in counts.values()))
    senders = {
        sender
        for sender, found in spam.items()
        if counts[sender] >= 10
        and found.count(-1) < max(2, 0.1 * len(found))
        and wilson_lower(counts[sender], len(found)) >= 0.5
    }
    assert figure(said, "listed") == str(len(senders))
    stopped = sum(row["label"] in ("dnsbl", "spam") for row in rows if row["client_ip"] in senders)
    assert re.search(rf"spam \(dnsbl, spam\) +│ +523 │ +{stopped}, ", said)


def test_reduced_records(tmp_path, capsys):
    """Sizes of packets and flags that occurred are enough columns."""
    forest = grown_forest(names=REDUCED)
    forest.to_json(tmp_path / "forest.json")
    generator = np.random.default_rng(5)
    X = np.array([[generator.integers(1 << CATALOGUE[name].bits) for name in REDUCED] for _ in range(300)])
    X[:, REDUCED.index("syn")] = 1
    lines = ["t_start,client_ip,client_port,server_ip,server_port," + ",".join(REDUCED)]
    lines += [f"{1e9 + at},198.51.100.{at % 9},{at},{SERVER},25,{','.join(map(str, X[at]))}" for at in range(300)]
    (tmp_path / "reduced.csv").write_text("\n".join(lines) + "\n")
    options = ("--forest", tmp_path / "forest.json", "--server", SERVER)
    assert spammers(tmp_path / "reduced.csv", "--reduced", *options) == 0
    said = capsys.readouterr().out
    assert figure(said, "SPAM records").split(",")[0] == str(int((forest.decide(X) == 1).sum()))
    grown_forest(names=("maxpl", "maxttl")).to_json(tmp_path / "forest.json")
    assert spammers(tmp_path / "reduced.csv", "--reduced", *options) == 2
    assert "a reduced record does not have maxttl" in capsys.readouterr().err


def test_ipfix_messages_are_read_as_they_are(tmp_path, capsys):
    """They give what the same records in a table give."""
    messages = exported_messages(grown_forest(names=("maxpl", "rsp", "slas")), SLICE / "test.pcap.gz")
    (tmp_path / "r.ipfix").write_bytes(b"".join(messages))
    stream = ExportStream()
    found = [entry for message in messages for entry in stream.feed(cobs_encode(message))]
    records = [entry for entry in found if isinstance(entry, ExportedRecord)]
    write_records(tmp_path / "r.csv", records)
    said = []
    for name in ("r.ipfix", "r.csv"):
        assert spammers(tmp_path / name, "--server", "198.19.0.10") == 0
        said.append(capsys.readouterr())
    assert said[0] == said[1]
    own = sum(row["client_ip"] == "198.19.0.10" for row in table(tmp_path / "r.csv"))
    assert figure(said[0].out, "records, own servers' left out") == str(len(records) - own)
    assert len(records) > 800


def test_ipfix_messages_that_are_none(tmp_path, capsys):
    path = tmp_path / "r.ipfix"
    for content, message in (
        (b"", "holds no flow records"),
        (b"eggs", "the message at byte 0 is no IPFIX"),
        (bytes((0, 10, 0, 16)) + bytes(12), "holds no flow records"),
    ):
        path.write_bytes(content)
        assert spammers(path, "--server", SERVER) == 2
        assert capsys.readouterr().err.startswith(f"error: {path}: {message}")
    assert spammers(path, "--server", SERVER, "--forest", "f.json") == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "r.csv: is empty"),
        (HEADER, "no records"),
        ("a,b\n1,2\n", "r.csv: column 'start' is missing"),
        (
            HEADER + ROW.replace("spam", "eggs"),
            "r.csv: 1 records have no verdict, or features that no flow has",
        ),
        (HEADER + ROW + ROW.replace("100,0", "x,0"), 'r.csv: line 3: Error when converting column "score".'),
        (HEADER + ROW.replace("198.51.100.7", "mail") * 1, None),
    ],
)
def test_wrong_records(tmp_path, capsys, content, message):
    (tmp_path / "r.csv").write_text(content)
    code = spammers(tmp_path / "r.csv", "--minimum", 1)
    complaint = capsys.readouterr().err
    assert code == 2
    assert complaint.count("\n") == 1
    assert (message or "client_ip of a record must be an address or a pseudonym, not 'mail'") in complaint


def test_a_record_without_a_reason_counts(tmp_path, capsys):
    (tmp_path / "r.csv").write_text(HEADER + ROW.replace("decided", ""))
    assert spammers(tmp_path / "r.csv") == 0
    assert figure(capsys.readouterr().out, "SPAM records") == "1, 100.0%"
