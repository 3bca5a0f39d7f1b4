"""``training label``: the labels that another program gave the same flows, in every way a log may be written."""

import csv
import gzip
import random
import re

import pytest

from sim.capture import read_capture
from tests.sim.capture_files import pcap
from tests.training.cases import MAILLAB, run_training
from tests.training.maillog.logs import (
    CAPTURE,
    MAIL_LOG,
    SERVER,
    SPAMD_LOG,
    exim_log,
    expected_labels,
    judgements,
    label,
    labels_in,
    mail_lines,
    moved,
    sessions_of,
    spamd_lines,
    without_ports,
)

SYSLOG, SPAMD = moved(mail_lines(), 0), moved(spamd_lines(), 0, "ctime")


def differing(directory) -> dict:
    found = labels_in(directory / "l.csv")
    assert found.keys() == expected_labels().keys()
    return {flow: label for flow, label in found.items() if label != expected_labels()[flow]}


def test_labels_of_the_slice(tmp_path, capsys):
    assert label(tmp_path, MAIL_LOG, SPAMD_LOG) == 0
    assert differing(tmp_path) == {}
    said = capsys.readouterr()
    assert said.err == ""
    assert "UTC+00:00, inferred" in said.out
    assert re.search(r"lines of test.mail.log.gz that cannot be read +│ +0 │", said.out)
    with (tmp_path / "l.csv").open(newline="") as file:
        several = sum(" " in row["queue_ids"] for row in csv.DictReader(file))
    assert several > 0
    assert re.search(rf"connections with several mails, one label each +│ +{several} │", said.out)


def test_labels_without_client_ports(tmp_path, capsys):
    assert label(tmp_path, without_ports(SYSLOG), SPAMD) == 0
    assert differing(tmp_path) == {}
    assert "the log has no client ports" in capsys.readouterr().out


@pytest.mark.parametrize("run", ["main", "skew"])
@pytest.mark.parametrize("ports", [True, False])
@pytest.mark.skipif(not MAILLAB.is_dir(), reason="needs maillab in ../shared/data")
def test_labels_of_maillab(tmp_path, run, ports):
    directory = MAILLAB.parent / run
    log = directory / "mail.log.gz"
    if not ports:
        log = tmp_path / "mail.log"
        log.write_text(without_ports(gzip.decompress((directory / "mail.log.gz").read_bytes()).decode()))
    files = ("--maillog", log, "--spamd", directory / "spamd_result.log.gz", "--server", SERVER)
    assert run_training("label", directory / "headers.pcap.gz", *files, "-o", tmp_path / "l.csv") == 0
    assert labels_in(tmp_path / "l.csv") == labels_in(directory / "labels.csv.gz")


@pytest.mark.parametrize(
    ("seconds", "spamd_seconds", "arguments", "said"),
    [
        (3600, 3600, (), ["UTC+01:00, inferred", "+0.0"]),
        (-5 * 3600 + 4, -5 * 3600 + 4, (), ["UTC-05:00, inferred", "+4.0"]),
        (5.5 * 3600 - 3, 0, (), ["UTC+05:30, inferred", "-2.9", "-5.5 h"]),
        (3600, 3600, ("--timezone", "Europe/Warsaw"), ["as given", "+0.0"]),
        (3602, 3602, ("--timezone", "+01:00", "--year", "2026"), ["as given", "+2.0"]),
    ],
)
def test_clocks_apart(tmp_path, capsys, seconds, spamd_seconds, arguments, said):
    mail, spamd = moved(mail_lines(), seconds), moved(spamd_lines(), spamd_seconds, "ctime")
    assert label(tmp_path, mail, spamd, arguments=arguments) == 0
    assert differing(tmp_path) == {}
    out = capsys.readouterr().out
    assert [text for text in said if text not in out] == []


def test_times_with_a_zone(tmp_path, capsys):
    assert label(tmp_path, moved(mail_lines(), 0, "iso"), moved(spamd_lines(), 0, "iso")) == 0
    assert differing(tmp_path) == {}
    assert "told by its lines" in capsys.readouterr().out


@pytest.mark.parametrize(("ports", "pids"), [(True, True), (True, False), (False, True)])
def test_exim(tmp_path, ports, pids):
    """Exim tells its refusals apart like Postfix, and its verdicts itself."""
    assert label(tmp_path, exim_log(ports=ports, pids=pids)) == 0
    # Of the mails of six flows spamd told no Message-ID, so that the test had no verdict to write.
    different = differing(tmp_path)
    assert set(different.values()) <= {("other", "accepted_no_verdict")}
    assert len(different) == 6
    assert {expected_labels()[flow][0] for flow in different} == {"spam", "ham"}


@pytest.mark.parametrize("kind", ["amavis", "rspamd", "amavis in the mail log"])
def test_other_spam_filters(tmp_path, kind):
    lines = []
    for session in sessions_of().sessions.sessions:
        for mail in session.mails:
            is_spam = judgements().get(mail.message_id)
            if is_spam is None:
                continue
            if kind == "rspamd":
                action = "add header" if is_spam else "no action"
                lines.append(
                    f"2026-11-23 15:05:00 #3259(normal) <819930>; task; rspamd_task_write_log: "
                    f"id: <{mail.message_id}>, qid: <{mail.queue_id}>, ip: 192.0.2.1, from: <s@d1.test>, "
                    f"(default: {'FT'[is_spam]} ({action}): "
                    "[1.70/15.00] [X(5.00){},...]), len: 2170, time: 1197.543ms, dns req: 23\n"
                )
            else:
                lines.append(
                    f"Nov 23 15:05:00 mx amavis[8087]: (08087-01) Passed {'SPAMMY' if is_spam else 'CLEAN'} "
                    f"{{RelayedX}}, [192.0.2.1]:51234 [192.0.2.1] <s@d.test> -> <u@x.test>, Queue-ID: {mail.queue_id}, "
                    "mail_id: OpMT4LEfxTHM, Hits: 14.664, size: 3047, queued_as: 250 2.0.0 Ok, 200 ms\n"
                )
    logs = (SYSLOG + "".join(lines),) if kind.endswith("log") else (SYSLOG, "".join(lines))
    assert label(tmp_path, *logs) == 0
    different = differing(tmp_path)
    assert set(different.values()) == {("other", "accepted_no_verdict")}
    assert len(different) == 6


def test_zone_file_in_place_of_reject_lines(tmp_path, capsys):
    """A server that asks no blacklist: the same clients are dnsbl by the zone file."""
    log = "".join(line for line in SYSLOG.splitlines(keepends=True) if "blocked using" not in line)
    refused = {ip for (ip, _, _), (name, _) in expected_labels().items() if name == "dnsbl"}
    zone = tmp_path / "zone"
    zone.write_text("$SOA 3600 ns.x. h.x. 0 600 300 86400 300\n:127.0.0.2:Listed\n" + "\n".join(sorted(refused)) + "\n")
    assert label(tmp_path, log, SPAMD, arguments=("--dnsbl", zone)) == 0
    different = differing(tmp_path)
    refusals = {found for flow, found in different.items() if expected_labels()[flow][0] == "dnsbl"}
    assert refusals == {("dnsbl", "listed")}
    # What else a listed client did without a mail is dnsbl too; judged mails are not.
    assert {expected_labels()[flow][0] for flow in different} <= {"dnsbl", "other"}
    assert f"{len(different)} │" in capsys.readouterr().out


def test_lines_that_are_none(tmp_path, capsys):
    """Damaged lines are counted and shown; whatever they hold, nothing ends."""
    generator = random.Random(7)
    lines = SYSLOG.splitlines(keepends=True)
    junk = ["\x00\x01binary\n", "no time at all\n", "Nov 31 15:00:00 mx postfix/smtpd[1]: connect from x[1.2.3.4]:5\n"]
    for bad in junk * 20:
        lines.insert(generator.randrange(len(lines)), bad)
    assert label(tmp_path, "".join(lines), SPAMD) == 0
    assert differing(tmp_path) == {}
    said = capsys.readouterr().out
    assert re.search(r"lines of log0 that cannot be read +│ +60 │", said)
    assert said.count("cannot be read: ") == 3


def test_a_capture_from_behind_a_proxy(tmp_path, capsys):
    """All its flows come from one address, and the log knows many others."""
    proxy = bytes([198, 18, 1, 60])
    frames = [
        (frame.time_ns, frame.data, frame.wire_length)
        for frame in read_capture(CAPTURE)
        if proxy in (frame.data[26:30], frame.data[30:34])
    ]
    capture, log = tmp_path / "proxy.pcap", tmp_path / "mail.log"
    capture.write_bytes(pcap(frames))
    log.write_text(SYSLOG.replace("[198.18.1.60]", "[192.0.2.60]"))
    files = ("--maillog", log, "--server", SERVER, "-o", tmp_path / "l.csv")
    assert run_training("label", capture, *files) == 2
    assert "come from one address and the log knows many clients, it was taken behind" in capsys.readouterr().err


def test_mails_that_nobody_judged(tmp_path, capsys):
    assert label(tmp_path, SYSLOG, moved(spamd_lines(), -20 * 86400, "ctime")) == 0
    assert re.search(r"warning: none of \d+ mails was judged", capsys.readouterr().err)


def test_other_programs_in_the_log(tmp_path):
    """A line that Exim could have written does not make a log of Postfix one of Exim."""
    others = "Nov 23 15:00:00 mx dovecot[1]: auth failed for u0 [198.18.1.60]:40721\n"
    assert label(tmp_path, others + SYSLOG, SPAMD) == 0
    assert differing(tmp_path) == {}


def test_queue_ids_that_come_again(tmp_path):
    """Postfix names mails by the inodes of their files: an id is free again when its mail is removed."""
    given, free, told, most = {}, [], [], 0
    for line in SYSLOG.splitlines():
        queue_id = re.search(r"\]: ([0-9A-F]{10,12}): ", line)
        if queue_id and "client=" in line:
            most += not free
            given[queue_id[1]] = free.pop() if free else f"{most:010X}"
        old = queue_id[1] if queue_id else ""
        told.append(line.replace(f" {old}: ", f" {given[old]}: ") if old in given else line)
        if old in given and line.endswith(": removed"):
            free.append(given.pop(old))
    assert most < 400  # of 496 mails
    assert label(tmp_path, "\n".join(told) + "\n", SPAMD) == 0
    assert differing(tmp_path) == {}


def test_syslog_of_rfc5424(tmp_path):
    lines = re.sub(r" (\S+)\[(\d+)\]: ", r" \1 \2 - - ", moved(mail_lines(), 0, "iso"))
    log = "".join(f"<22>1 {line}\n" for line in lines.splitlines())
    assert label(tmp_path, log, SPAMD) == 0
    assert differing(tmp_path) == {}


def test_mixed_time_zones_are_counted(tmp_path, capsys):
    half = len(mail_lines()) // 2
    mixed = moved(mail_lines()[:half], 0) + moved(mail_lines()[half:], 3600)
    assert label(tmp_path, mixed, SPAMD) == 0
    assert re.search(r"warning: log0: mixed time zones, \d+ sessions fit [+-]1 h away", capsys.readouterr().err)


def test_zones_that_lines_tell_may_be_mixed(tmp_path, capsys):
    half = len(mail_lines()) // 2
    mixed = moved(mail_lines()[:half], 0, "iso") + moved(mail_lines()[half:], 3600, "iso").replace("+02:00", "+03:00")
    assert label(tmp_path, mixed, SPAMD) == 0
    assert differing(tmp_path) == {}
    assert "mixed time zones, +02:00 in " in capsys.readouterr().err


def test_a_part_of_the_log(tmp_path, capsys):
    """Flows before and behind it get no label, rather than a wrong one."""
    assert label(tmp_path, moved(mail_lines()[2000:4000], 0), SPAMD) == 0
    found = labels_in(tmp_path / "l.csv")
    sure = {flow: label for flow, label in found.items() if label[0] not in ("other", "outgoing")}
    assert 100 < len(sure) < len(expected_labels()) / 2
    assert sure.items() <= expected_labels().items()
    assert "flows before or behind the log, left out" in capsys.readouterr().out


ONE_CLIENT = re.compile(r"(connect from |client=|from )\S+?\[198\.18\.[0-9.]+\]")


def of_other_clients(log):
    """The log of a server with the same clients that came at other times: each has the sessions of another one."""
    clients = sorted(set(re.findall(r"198\.18\.[0-9.]+", log)))
    other = dict(zip(clients, [*clients[7:], *clients[:7]], strict=True))
    return re.sub(r"198\.18\.[0-9.]+", lambda found: other[found[0]], log)


@pytest.mark.parametrize(
    ("mail", "spamd", "arguments", "message"),
    [
        ("", SPAMD, (), r"log0: no line of 0 begins with a time"),
        ("nothing\n", SPAMD, (), r"log0: no line of 1 begins with a time"),
        ("Nov 23 15:00:07 mx sshd[1]: hello\n", SPAMD, (), r"log0: none of 1 lines is of Postfix or Exim"),
        (SYSLOG, "Nov 23 15:00:07 mx sshd[1]: hello\n", (), r"log1: none of 1 lines is a judgement of spamd, amavis"),
        (SYSLOG, SPAMD, ("--year", "2025"), r"log0: is of 2025-11-23 .*, the capture of 2026-11-23 .* \(--year\)"),
        (moved(mail_lines(), -366 * 86400, "iso"), SPAMD, (), r"log0: is of 2025-.*no time in common"),
        (moved(mail_lines(), 40 * 86400), SPAMD, (), r"log0: is of 2027-01-02 .*no time in common"),
        (SYSLOG, SPAMD, ("--timezone", "Mars/Phobos"), r"--timezone: must be a name such as"),
        (SYSLOG, SPAMD, ("--year", "99999"), r"--year: must be from 1970"),
        (
            of_other_clients(without_ports(SYSLOG)),
            SPAMD,
            ("--timezone", "UTC"),
            r"log0: only \d+ of \d+ sessions fit one of \d+ incoming flows of that time",
        ),
        (SYSLOG, SPAMD, ("--ports", "26"), r"no TCP flow of --ports 26 in \d+ frames"),
        (SYSLOG, SPAMD, ("--dnsbl", MAIL_LOG), r"test.mail.log.gz: lists no address in \d+ lines"),
        (
            ONE_CLIENT.sub(r"\1proxy.test[192.0.2.9]", SYSLOG),
            SPAMD,
            (),
            r"log0: no session belongs to a flow of the capture: .* one address, a proxy hides the clients",
        ),
    ],
)
def test_wrong_input(tmp_path, capsys, mail, spamd, arguments, message):
    assert label(tmp_path, mail, spamd, arguments=arguments) == 2
    complaint = capsys.readouterr().err
    assert re.search(message, complaint), complaint
    assert complaint.count("\n") == 1
    assert not (tmp_path / "l.csv").exists()


def test_a_server_that_is_not_there(tmp_path, capsys):
    files = ("--maillog", MAIL_LOG, "--server", "192.0.2.1", "-o", tmp_path / "l.csv")
    assert run_training("label", CAPTURE, *files) == 2
    assert capsys.readouterr().err == "error: --server: no flow of the capture goes to 192.0.2.1\n"


def test_flows_takes_the_labels(tmp_path, capsys):
    assert label(tmp_path, MAIL_LOG, SPAMD_LOG) == 0
    labels = ("--labels", tmp_path / "l.csv", "--ports", "25,587")
    assert run_training("flows", CAPTURE, *labels, "-o", tmp_path / "flows.csv") == 0
    assert "886 flows from 26961 of 26961 frames, 886 of them labelled" in capsys.readouterr().out
