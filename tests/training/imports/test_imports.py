"""``training import``: what other tools say about the flows of the slice equals what is measured here.

nfdump.csv and nfdump.json are what nfdump 1.7.1 says about records of a replay. No Zeek was here: its rows are made
by the rules of its documentation.
"""

import csv
import json
from pathlib import Path

import pytest

from compiler.features import CATALOGUE
from tests.training.cases import SLICE, run_training, table_of
from training.flow_file import FLOW_COLUMNS

HERE = Path(__file__).parent
LABELS = ("--labels", SLICE / "test.labels.csv.gz", "--ports", "25,587")


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> dict[tuple, dict[str, str]]:
    out = tmp_path_factory.mktemp("measured") / "flows.csv"
    assert run_training("flows", SLICE / "test.pcap.gz", *LABELS, "-o", out) == 0
    return {(row["client_ip"], row["client_port"], row["t_start"][:-3]): row for row in table_of(out)}


def imported(path: Path, tool: str, out: Path, *arguments) -> list[dict[str, str]]:
    assert run_training("import", path, "--from", tool, *LABELS, *arguments, "-o", out) == 0
    return table_of(out)


def told(rows: list[dict[str, str]]) -> set[str]:
    return {name for name in CATALOGUE if rows[0][name] != ""}


def compare(rows, measured, names) -> None:
    """Starts are the same to the millisecond."""
    for row in rows:
        same = measured[row["client_ip"], row["client_port"], row["t_start"][:-3]]
        for name in ("server_ip", "server_port", "sender", "label", "sublabel", "packets", *names):
            assert row[name] == same[name], (name, row)


def test_nfstream(tmp_path, measured):
    nfstream = pytest.importorskip("nfstream", reason="needs the package nfstream, of the extra test")
    import gzip

    capture = tmp_path / "test.pcap"
    capture.write_bytes(gzip.decompress((SLICE / "test.pcap.gz").read_bytes()))
    streamer = nfstream.NFStreamer(
        source=str(capture), accounting_mode=1, statistical_analysis=True, n_dissections=0, n_meters=1, idle_timeout=120
    )
    streamer.to_csv(str(tmp_path / "nfstream.csv"))
    rows = imported(tmp_path / "nfstream.csv", "nfstream", tmp_path / "flows.csv")
    assert len(rows) == len(measured)
    flags = ("fin", "syn", "rst", "psh", "ack", "urg")
    one_way = {"sp", "spl", "minpl", "maxpl", "spas", "spps", *flags}
    assert told(rows) == {*one_way, *("r" + name for name in one_way), "duration"}
    compare(rows, measured, told(rows) - {"duration"} | {"syn_seen"})


@pytest.mark.parametrize("name", ["nfdump.csv", "nfdump.json"])
def test_nfdump(tmp_path, capsys, measured, name):
    rows = imported(HERE / name, "nfdump", tmp_path / "flows.csv")
    assert len(rows) == 12
    assert told(rows) == {"sp", "spl", "rsp", "rspl", "duration"}
    assert {row["syn_seen"] for row in rows} == {""}
    by_end = {(row["client_ip"], row["client_port"]): row for row in measured.values()}
    for row in rows:
        same = by_end[row["client_ip"], row["client_port"]]
        assert [row[name] for name in ("label", "sender", "sp", "spl", "rsp", "rspl")] == [
            same[name] for name in ("label", "sender", "sp", "spl", "rsp", "rspl")
        ]
        assert abs(int(row["duration"]) - int(same["duration"])) <= 1
    assert "of 12 flows it is not told whether they began with a SYN" in capsys.readouterr().err
    assert {row["syn_seen"] for row in imported(HERE / name, "nfdump", tmp_path / "flows.csv", "--whole")} == {"1"}


def test_nfdump_with_a_record_a_direction(tmp_path, measured):
    """Both become one flow, and each direction has its flags."""
    with (HERE / "nfdump.csv").open(newline="") as file:
        header, *rows = list(csv.reader(file))
    lines = [header]
    for row in rows:
        if row[0].startswith("Summary"):
            break
        forward = [*row[:8], ".A.AP.SF".replace("A", ".", 1), *row[9:13], "0", "0", *row[15:]]
        response = [*row[:3], row[4], row[3], row[6], row[5], row[7], "...AP.S.", *row[9:11], *row[13:15], "0", "0"]
        lines += [forward, [*response, *row[15:]]]
    path = tmp_path / "one_way.csv"
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)
    flows = imported(path, "nfdump", tmp_path / "flows.csv")
    whole = imported(HERE / "nfdump.csv", "nfdump", tmp_path / "whole.csv")
    counts = ("client_ip", "client_port", "label", "sp", "spl", "rsp", "rspl", "duration")
    assert [[row[name] for name in counts] for row in flows] == [[row[name] for name in counts] for row in whole]
    assert {(row["fin"], row["rfin"], row["syn_seen"], row["rst"]) for row in flows} == {("1", "0", "1", "0")}


ZEEK = ("ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "service", "duration", "orig_bytes")
ZEEK += ("resp_bytes", "conn_state", "history", "orig_pkts", "orig_ip_bytes", "resp_pkts", "resp_ip_bytes")


def zeek_row(row: dict[str, str]) -> list[str]:
    def octets(prefix: str) -> int:
        # The least sum that gives this mean, which is in quarters of a byte, rounded down.
        return -(-int(row[prefix + "spl"]) * int(row[prefix + "sp"]) // 4)

    history = "".join(
        letter for letter, name in zip("SFRfr", ("syn", "fin", "rst", "rfin", "rrst")) if row[name] == "1"
    )
    history += "h" if row["rsyn"] == "1" else ""
    counts = (row["sp"], octets(""), row["rsp"], octets("r"))
    ends = (row["client_ip"], row["client_port"], row["server_ip"], row["server_port"])
    values = [row["t_start"], "C1", *ends, "tcp", "smtp", int(row["duration"]) / 1000, "-", "-", "SF", history, *counts]
    return [str(value) for value in values]


@pytest.mark.parametrize("form", ["tabs", "json"])
def test_zeek(tmp_path, measured, form):
    path, rows = tmp_path / "conn.log", [zeek_row(row) for row in measured.values()]
    if form == "tabs":
        lines = ["#separator \\x09", "#fields\t" + "\t".join(ZEEK), *map("\t".join, rows), "#close\t2026"]
    else:
        lines = [json.dumps({name: value for name, value in zip(ZEEK, row) if value != "-"}) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    flows = imported(path, "zeek", tmp_path / "flows.csv")
    assert len(flows) == len(measured)
    assert told(flows) == {"sp", "spl", "rsp", "rspl", "syn", "fin", "rst", "rsyn", "rfin", "rrst", "duration"}
    compare(flows, measured, told(flows))


def test_parquet_and_fit(tmp_path, capsys):
    """Absent features are null in Parquet; a forest of those that are there can be trained, of others not."""
    pytest.importorskip("polars", reason="needs the optional polars")
    pytest.importorskip("nfstream", reason="needs the package nfstream, of the extra test")
    import polars

    for name in ("flows.csv", "flows.parquet"):
        out = tmp_path / name
        assert run_training("import", HERE / "nfdump.csv", "--from", "nfdump", *LABELS, "--whole", "-o", out) == 0
    rows = polars.read_parquet(tmp_path / "flows.parquet").rows(named=True)
    as_text = [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
    assert as_text == table_of(tmp_path / "flows.csv")
    assert list(as_text[0]) == list(FLOW_COLUMNS)
    for name in ("flows.csv", "flows.parquet"):
        capsys.readouterr()
        options = ("--ports", "25,587", "--features", "sp,maxpl", "-o", tmp_path / "forest.json")
        assert run_training("fit", tmp_path / name, *options) == 2
        complaint = capsys.readouterr().err
        assert complaint.startswith(f"error: {tmp_path / name}: ")
        assert complaint.endswith(" is absent from this flow\n")


def test_repeated_flows_count_once(tmp_path, capsys):
    out = tmp_path / "flows.csv"
    path = HERE / "nfdump.csv"
    assert run_training("import", path, path, "--from", "nfdump", *LABELS, "-o", out) == 0
    assert len(table_of(out)) == 12
    assert "warning: 12 flows came more than once and count once" in capsys.readouterr().err


NFDUMP = "ts,te,td,sa,da,sp,dp,pr,flg,ipkt,ibyt,opkt,obyt\n"
ROW = "2026-11-23 15:01:36,2026-11-23 15:01:37,0.991,192.0.2.1,192.0.2.2,40721,25,TCP,...AP.SF,17,1782,17,4395\n"


@pytest.mark.parametrize(
    ("tool", "content", "message"),
    [
        ("nfdump", "", "column 'ts' is missing"),
        ("nfdump", NFDUMP, "no TCP flow of --ports 25 among 0 flows"),
        ("nfdump", NFDUMP + ROW.replace("TCP", "UDP"), "no TCP flow of --ports 25 among 0 flows"),
        ("nfdump", NFDUMP + ROW.replace(",25,", ",80,"), "no TCP flow of --ports 25 among 1 flows"),
        ("nfdump", NFDUMP + ROW + ROW.replace(",17,", ",x,", 1), "line 3: ipkt must be a number, not 'x'"),
        ("nfdump", NFDUMP + ROW.replace(",17,", ",nan,", 1), "line 2: ipkt must be a number, not 'nan'"),
        ("nfdump", NFDUMP + ROW.replace(",17,", ",-17,", 1), "line 2: ipkt must be an integer from 0, not '-17'"),
        ("nfdump", NFDUMP + ROW.replace("192.0.2.1", "x"), "flow 1: must be between addresses, not 'x'"),
        ("nfdump", NFDUMP + ROW.replace("15:01:36", "noon", 1), "line 2: ts must be a time, not '2026-11-23 noon'"),
        ("nfdump", NFDUMP + "1,2\n", "line 2: must have 13 fields, not 2"),
        ("nfdump", '[{"proto": 6}', "record 1: 'src6_addr' is missing"),
        ("nfdump", '[{"proto": 6', "is not readable JSON behind record 0"),
        ("nfstream", NFDUMP + ROW, "column 'src_ip' is missing"),
        ("zeek", NFDUMP + ROW, "line 1: must come behind a line #fields"),
        ("zeek", "#fields\tts\tuid\n", "column 'id.orig_h' is missing"),
        ("tcpdump", "", "--from: must be one of nfdump, nfstream, zeek, not 'tcpdump'"),
    ],
)
def test_wrong_files(tmp_path, capsys, tool, content, message):
    path = tmp_path / "flows.txt"
    path.write_text(content)
    assert run_training("import", path, "--from", tool, "-o", tmp_path / "out.csv") == 2
    complaint = capsys.readouterr().err
    assert message in complaint
    assert complaint.count("\n") == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["flows.txt"]


def test_too_long_flows_are_left_out(tmp_path, capsys):
    path = tmp_path / "flows.txt"
    path.write_text(NFDUMP + ROW + ROW.replace(",17,", ",99999,", 1).replace("40721", "40722"))
    assert run_training("import", path, "--from", "nfdump", "-o", tmp_path / "out.csv") == 0
    assert "warning: 1 flows have more packets or octets than a probe counts" in capsys.readouterr().err
    assert [row["client_port"] for row in table_of(tmp_path / "out.csv")] == ["40721"]


def test_the_server_s_side_first(tmp_path):
    """A tool that saw the server first: the client is who talks to the port."""
    path, out = tmp_path / "flows.txt", tmp_path / "out.csv"
    row = "2026-11-23 15:01:36,2026-11-23 15:01:37,0.991,192.0.2.2,192.0.2.1,25,40721,TCP,........,17,1782,18,4395\n"
    path.write_text(NFDUMP + row)
    assert run_training("import", path, "--from", "nfdump", "-o", out) == 0
    (flow,) = table_of(out)
    assert (flow["client_ip"], flow["server_port"], flow["sp"], flow["rsp"]) == ("192.0.2.1", "25", "18", "17")
