"""``training spammers``: counts against plain Python, the rule and each of its safeguards, lists, wrong input."""

import re
import shutil
import subprocess

import numpy as np
import pytest

from tests.training.senders.records import HEADER, ROW, SERVER, figure, many, record, spammers, table, write_records

pytest.importorskip("duckdb", reason="needs the optional duckdb")

BOT, MIXED, HONEST = "198.51.100.7", "198.51.100.8", "198.51.100.9"


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
    assert figure(said.out, "records, own servers' left out") == "15"
    assert figure(said.out, "SPAM records").startswith("15,")


def test_a_file_that_comes_twice_changes_nothing(tmp_path, capsys):
    records = many(BOT, [1] * 12) + many(MIXED, [1]) + many(HONEST, [-1] * 3)
    once, again = (write_records(tmp_path / name, records) for name in ("a.csv", "b.csv"))
    said = []
    for paths in ([once], [once, again]):
        assert spammers(*paths, "--server", SERVER) == 0
        said.append(capsys.readouterr())
    assert said[1].out == said[0].out
    assert "warning: 16 records came more than once and count once" in said[1].err


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--block-list", "list"], "--server: must name the own servers"),
        (["r.txt"], "r.txt: name must end in .csv, .csv.gz, .parquet or .ipfix"),
        (["--write"], "--write: needs a --block-list"),
        (["--server", SERVER, "--write", "--block-list", "no/list"], "no/list: the directory "),
        (["--reduced"], "--reduced: needs a --forest"),
        (["--by-band"], "--by-band: needs a --forest, and no --score"),
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
