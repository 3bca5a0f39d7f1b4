"""``training spammers``: counts against plain Python, the rule and each of its safeguards, lists, wrong input."""

import re
import shutil
import subprocess
from datetime import datetime

import numpy as np
import pytest

from compiler.features import CATALOGUE
from compiler.forest import Forest
from hdl.cobs import cobs_encode
from sim.export_records import ExportedRecord, ExportStream
from tests.forests import grown_forest
from tests.training.cases import SLICE, exported_messages, run_training, table_of
from tests.training.senders.records import SERVER, record, table, write_records
from training.feature_choice import REDUCED
from training.senders.ranking import wilson_lower

pytest.importorskip("duckdb", reason="needs the optional duckdb")

BOT, MIXED, HONEST = "198.51.100.7", "198.51.100.8", "198.51.100.9"


@pytest.fixture(autouse=True)
def _day_of_the_records(monkeypatch):
    monkeypatch.setattr("training.commands.spammers._now", lambda: datetime(2026, 11, 24, 15, 0, 10))


def spammers(*arguments) -> int:
    return run_training("spammers", *arguments)


def many(client: str, verdicts: list[int], second: float = 0, **changes) -> list:
    return [record(client, verdict, second + at, port=1000 + at, **changes) for at, verdict in enumerate(verdicts)]


def figure(said: str, name: str) -> str:
    return re.search(rf"│ {re.escape(name)} +│ +(\S.*?) │", said)[1]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_counts(tmp_path, capsys, suffix):
    if suffix == "parquet":
        pytest.importorskip("polars", reason="needs the optional polars")
    generator = np.random.default_rng(3)
    senders = [f"198.51.100.{number}" for number in range(40)]
    records = [
        record(senders[min(int(generator.geometric(0.1)), 39)], int(generator.integers(-1, 2)), at, port=at)
        for at in range(1500)
    ]
    records += many(SERVER, [1] * 5, server=HONEST)
    assert spammers(write_records(tmp_path / f"r.{suffix}", records), "--server", SERVER, "--top", 3) == 0
    spam = dict.fromkeys(senders, 0)
    for each in records[:1500]:
        spam["198.51.100." + str(each.initiator.address & 255)] += int(each.verdict == 1)
    counts = sorted(spam.values(), reverse=True)
    said = capsys.readouterr().out
    assert figure(said, "records, own servers' left out") == "1500"
    assert figure(said, "SPAM records").split(",")[0] == str(sum(counts))
    assert figure(said, "senders with exactly one").split(",")[0] == str(counts.count(1))
    many_spam = [count for count in counts if count >= 10]
    assert figure(said, "senders with 10 SPAM records or more") == str(len(many_spam))
    assert figure(said, "SPAM records that the top 7 sent") == f"{sum(counts[:7]) / sum(counts):.1%}"
    assert figure(said, "records of own servers, left out") == "5"
    best = max(spam, key=lambda sender: (spam[sender], sender))
    assert re.search(rf"│ {best} +│ +{counts[0]} │", said)


def listed(tmp_path, capsys, records, *arguments) -> tuple[set[str], str]:
    """The senders that a dry run would list, and what it said."""
    path = write_records(tmp_path / "r.csv", records)
    assert spammers(path, "--server", SERVER, "--block-list", tmp_path / "list", *arguments) == 0
    assert sorted(entry.name for entry in tmp_path.iterdir() if entry.name.startswith("list")) == []
    said = capsys.readouterr().out
    lines = said[said.index("# ") :].splitlines()[:-1]
    return {line for line in lines if not line.startswith("#")}, said


def test_the_rule(tmp_path, capsys):
    records = [
        *many(BOT, [1] * 10),
        *many("198.51.100.1", [1] * 9),
        # 10 of 13 have a lower bound of .497, 10 of 12 one of .552.
        *many("198.51.100.2", [1] * 10 + [0] * 3),
        *many("198.51.100.3", [1] * 10 + [0] * 2),
    ]
    found, said = listed(tmp_path, capsys, records)
    assert found == {BOT, "198.51.100.3"}
    assert figure(said, "not listed: too little of it is SPAM") == "1"
    assert "dry run: " in said
    assert listed(tmp_path, capsys, records, "--minimum", 9)[0] == found | {"198.51.100.1"}


def test_window(tmp_path, capsys):
    records = [*many(BOT, [1] * 10), *many(MIXED, [1] * 10, 7200), record(HONEST, -1, 7300)]
    assert listed(tmp_path, capsys, records, "--window", 1)[0] == {MIXED}
    found, said = listed(tmp_path, capsys, records, "--window", 1, "--until", "2026-11-23T15:30:00Z")
    assert found == {BOT}
    assert "Records from 2026-11-23 14:30:00 to 2026-11-23 15:30:00 UTC" in said
    assert figure(said, "records outside the window, left out") == "11"
    assert "expires 2026-11-30T15:30:00Z" in said


def test_allow_list(tmp_path, capsys):
    allow = tmp_path / "allow"
    allow.write_text("# partners\n198.51.100.0/29 # all of these\n2001:db8:1:2::25\n")
    records = [*many(BOT, [1] * 10), *many(MIXED, [1] * 10), *many("2001:db8:1:2::99", [1] * 10)]
    found, said = listed(tmp_path, capsys, records, "--allow", allow)
    assert found == {MIXED}
    assert figure(said, "not listed: allow list") == "2"


def test_shared_addresses(tmp_path, capsys):
    records = [*many("100.64.3.4", [1] * 12), *many(MIXED, [1] * 20 + [-1] * 3), *many(BOT, [1] * 20 + [-1])]
    assert listed(tmp_path, capsys, records)[0] == {BOT}
    found, said = listed(tmp_path, capsys, records, "--list-shared")
    assert found == {BOT, MIXED, "100.64.3.4"}
    assert said.count("; shared address") == 2


def test_ipv6_by_its_64(tmp_path, capsys):
    records = [record(f"2001:db8:0:7:{at:x}::1", 1, at) for at in range(10)] + many("2001:db8:0:8::1", [1] * 9)
    assert listed(tmp_path, capsys, records)[0] == {"2001:db8:0:7::/64"}


def test_early_records_count_once(tmp_path, capsys):
    from hdl.verdict import VerdictReason

    records = [
        each
        for at in range(10)
        for each in (
            record(BOT, 1, at, early=True),
            record(BOT, 0, at, reason=VerdictReason.EARLY),
        )
    ]
    found, said = listed(tmp_path, capsys, records)
    assert found == {BOT}
    assert figure(said, "records, own servers' left out") == "10"


def test_repeated_records_count_once(tmp_path, capsys):
    records = many(BOT, [1] * 5) * 2 + many(MIXED, [1] * 10)
    path = write_records(tmp_path / "r.csv", records)
    assert spammers(path, "--server", SERVER, "--block-list", tmp_path / "list") == 0
    said = capsys.readouterr()
    assert "warning: 5 records came more than once and count once" in said.err
    assert MIXED in said.out[said.out.index("# ") :]
    assert BOT not in said.out[said.out.index("# ") :]


@pytest.mark.parametrize("form", ["plain", "nftables", "postfix"])
def test_lists(tmp_path, capsys, form):
    records = [*many(BOT, [1] * 10 + [0]), *many("2001:db8::5", [1] * 11), *many(HONEST, [-1] * 3)]
    path, out = write_records(tmp_path / "r.csv", records), tmp_path / "spammers"
    options = ("--server", SERVER, "--block-list", out, "--format", form, "--write", "--expires", 2)
    assert spammers(path, *options) == 0
    content = [line.strip() for line in out.read_text().splitlines()]
    assert sum("; expires 2026-11-25T" in line for line in content) == (1 if form == "nftables" else 3)
    entries = [line for line in content if re.match(r"[0-9a-f.:]+[./:]", line)]
    assert (
        entries
        == {
            "plain": ["2001:db8::/64", BOT],
            "postfix": ["2001:db8::/64 REJECT spam sender", f"{BOT} REJECT spam sender"],
            "nftables": [f"{BOT} timeout 86400s,", "2001:db8::/64 timeout 86400s,"],
        }[form]
    )
    assert any("10 SPAM of 11 records, lower bound 0.62" in line for line in content)
    # The flows that put them there, all of them.
    evidence = table(tmp_path / "spammers.flows.csv")
    assert [row["verdict"] for row in evidence if row["sender"] == BOT] == ["spam"] * 10 + ["uncertain"]
    assert {row["client_ip"] for row in evidence} == {BOT, "2001:db8::5"}
    alone = ["unshare", "-rn"]
    if form == "nftables" and shutil.which("nft") and subprocess.run([*alone, "true"]).returncode == 0:
        subprocess.run([*alone, "nft", "-f", out], check=True)


def test_old_records_make_no_list(tmp_path, capsys):
    """Entries end so many days after the records they are for, not after somebody looks at those."""
    path, out = write_records(tmp_path / "r.csv", many(BOT, [1] * 11)), tmp_path / "spammers"
    options = ("--server", SERVER, "--block-list", out, "--expires", 0.5)
    assert spammers(path, *options) == 0
    assert "warning: entries expired at 2026-11-24 03:00:10 UTC, the records are old" in capsys.readouterr().err
    assert spammers(path, *options, "--write") == 2
    assert capsys.readouterr().err.endswith("spammers: is not written, its entries have expired; see --expires\n")
    assert [entry.name for entry in tmp_path.iterdir()] == ["r.csv"]


@pytest.mark.parametrize("client", ["127.0.0.1", "::1", "::ffff:198.51.100.7", "fe80::7", "0.1.2.3", "255.255.255.255"])
def test_no_address_of_a_host(tmp_path, capsys, client):
    """Whoever would be blocked by ``::/64`` is this machine itself, and all IPv4 there is."""
    path = tmp_path / "r.csv"
    path.write_text(
        HEADER + "".join(ROW.replace("198.51.100.7,4000", f"{client},{port}") for port in range(4000, 4012))
    )
    assert spammers(path, "--server", SERVER, "--block-list", tmp_path / "list", "--list-shared") == 0
    said = capsys.readouterr().out
    assert figure(said, "not listed: no address of a host on the Internet") == "1"
    assert "would hold 0 senders" in said


def test_a_record_without_a_reason_counts(tmp_path, capsys):
    (tmp_path / "r.csv").write_text(HEADER + ROW.replace("decided", ""))
    assert spammers(tmp_path / "r.csv") == 0
    assert figure(capsys.readouterr().out, "SPAM records") == "1, 100.0%"


def test_pseudonyms_are_known_with_the_key_alone(tmp_path, capsys):
    from sim.identity import pseudonym_of
    from training.maillog.sessions import number_of

    secret = 0x0011223344556677

    def hidden(address: str) -> str:
        return f"{pseudonym_of(6 if ':' in address else 4, number_of(address), secret):016x}"

    records = [*many(hidden(BOT), [1] * 10), *many(hidden("2001:db8::5"), [1] * 10), *many(hidden(SERVER), [1] * 3)]
    key, wrong, addresses = (tmp_path / name for name in ("key", "wrong", "addresses"))
    key.write_text(f"{secret:016x}\n")
    wrong.write_text(f"{secret + 1:016x}\n")
    addresses.write_text("198.51.0.0/16\n2001:db8::/120\n")
    found, said = listed(tmp_path, capsys, records)
    assert found == set()
    assert figure(said, "not listed: pseudonym") == "2"
    found, said = listed(tmp_path, capsys, records, "--key", key, "--addresses", addresses)
    assert found == {BOT, "2001:db8::/64"}
    assert "3 of 3 pseudonyms resolved" in said
    assert figure(said, "records of own servers, left out") == "3"
    path = tmp_path / "r.csv"
    assert spammers(path, "--server", SERVER, "--key", wrong, "--addresses", addresses) == 2
    assert capsys.readouterr().err == (
        f"error: {wrong}: none of 3 pseudonyms is that of one of --addresses under this key\n"
    )


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
    verdicts = forest.decide(np.array([[int(row[name]) for name in forest.feature_names] for row in rows]))
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


HEADER = (
    "start,end,client_ip,client_port,server_ip,server_port,packets,octets,response_packets,response_octets,end_reason,"
    "biflow_direction,verdict,reason,score,forest_id,build_id,monitor_only,anonymised,early\n"
)
ROW = (
    "2026-11-23T15:00:00.000Z,2026-11-23T15:00:00.500Z,198.51.100.7,4000,192.0.2.25,25,5,500,5,500,end,1,spam,decided,"
    "100,00000001,00000002,0,0,0\n"
)


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--block-list", "list"], "--server: must name the own servers"),
        (["r.txt"], "r.txt: name must end in .csv, .csv.gz, .parquet or .ipfix"),
        (["--write"], "--write: needs a --block-list"),
        (["--server", SERVER, "--write", "--block-list", "no/list"], "no/list: the directory "),
        (["--reduced"], "--reduced: needs a --forest"),
        (["--key", "key"], "--key: resolves pseudonyms among --addresses"),
        (["--window", "0"], "--window: must be hours above 0, not 0"),
        (["--until", "noon"], "--until: must be a time such as"),
        (["--until", "2020-01-01"], "no record of 13 lies in the window"),
        (["--expires", "-1"], "--expires: must be days above 0"),
        (["--allow", "r.csv"], "r.csv: line 1: must be an address or a network, not 'start,end"),
        (["--server", "mail"], "--server: must be an IP address"),
        (["--server", BOT], f"--server: {BOT} is an own server and would be listed, 12 of its 12 records are SPAM"),
        (["--forest", "r.csv"], "r.csv"),
        (["--labels", "r.csv"], "r.csv: column 't_start' is missing"),
    ],
)
def test_wrong_arguments(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    write_records(tmp_path / "r.csv", [*many(BOT, [1] * 12), record(HONEST, -1)])
    assert spammers("r.csv", *arguments) == 2
    complaint = capsys.readouterr().err
    assert message in complaint
    assert complaint.count("\n") == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["r.csv"]


def test_monitor_only_is_not_acted_on(tmp_path, capsys):
    path = write_records(tmp_path / "r.csv", many(BOT, [1] * 12, monitor_only=True))
    options = ("--server", SERVER, "--block-list", tmp_path / "list")
    assert spammers(path, *options) == 0
    assert "monitor only" in capsys.readouterr().err
    assert spammers(path, *options, "--write") == 2
    assert "list: is not written, records are of a forest that is marked monitor only" in capsys.readouterr().err
    assert [entry.name for entry in tmp_path.iterdir()] == ["r.csv"]


def test_without_duckdb(tmp_path, monkeypatch, capsys):
    import sys

    monkeypatch.setitem(sys.modules, "duckdb", None)
    path = write_records(tmp_path / "r.csv", many(BOT, [1]))
    assert spammers(path) == 2
    assert "needs the package duckdb, which is not installed: pip install -e '.[senders]'" in capsys.readouterr().err
