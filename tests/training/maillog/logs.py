"""The slice's own logs for tests: read, moved in time, without ports, and told as Exim, amavis and rspamd would."""

import calendar
import csv
import gzip
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from tests.training.cases import SLICE, run_training
from training.maillog.log_times import LogClock
from training.maillog.reading import MailLog, read_mail_log
from training.maillog.sessions import Refusal

__all__ = [
    *("CAPTURE", "MAIL_LOG", "SERVER", "SPAMD_LOG", "exim_log", "expected_labels", "judgements", "label", "labels_in"),
    *("mail_lines", "moved", "sessions_of", "spamd_lines", "without_ports"),
]

CAPTURE, MAIL_LOG, SPAMD_LOG = (
    SLICE / name for name in ("test.pcap.gz", "test.mail.log.gz", "test.spamd_result.log.gz")
)
SERVER = "198.19.0.10"
_MONTHS = list(calendar.month_abbr)
_REJECTION = {
    Refusal.DNSBL: "rejected RCPT <u@inbox.test>: {ip} is listed at dnsbl.test: Listed",
    Refusal.UNKNOWN_USER: "rejected RCPT <no@inbox.test>: Unrouteable address",
    Refusal.GREYLIST: "temporarily rejected RCPT <u@grey.inbox.test>: greylisted, try later",
    Refusal.RELAY: "rejected RCPT <c@elsewhere.example>: relay not permitted",
    Refusal.OTHER: "rejected RCPT <u@inbox.test>: no",
}


@cache
def mail_lines() -> tuple[str, ...]:
    return tuple(gzip.decompress(MAIL_LOG.read_bytes()).decode().splitlines())


@cache
def spamd_lines() -> tuple[str, ...]:
    return tuple(gzip.decompress(SPAMD_LOG.read_bytes()).decode().splitlines())


@cache
def expected_labels() -> dict[tuple[str, str, str], tuple[str, str]]:
    return labels_in(SLICE / "test.labels.csv.gz")


def labels_in(path: Path) -> dict[tuple[str, str, str], tuple[str, str]]:
    """Label and sublabel by client and start."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", newline="") as file:
        return {
            (row["client_ip"], row["client_port"], row["t_start"]): (row["label"], row["sublabel"])
            for row in csv.DictReader(file)
        }


def label(directory: Path, mail: str | Path, *spamd: str | Path, arguments: tuple = ()) -> int:
    """Run the command; logs are files or their content."""
    paths = []
    for number, log in enumerate((mail, *spamd)):
        path = log if isinstance(log, Path) else directory / f"log{number}"
        if not isinstance(log, Path):
            path.write_text(log)
        paths.append(path)
    options = [option for path in paths[1:] for option in ("--spamd", path)]
    return run_training(
        "label", CAPTURE, "--maillog", paths[0], *options, "--server", SERVER, *arguments, "-o", directory / "l.csv"
    )


def moved(lines: tuple[str, ...], seconds: float, style: str = "syslog") -> str:
    """A log whose clock is so much ahead; ``style`` is how it writes times: syslog, iso (with zone +02:00) or ctime."""
    clock, told = LogClock(2026), []
    for line in lines:
        time_s, text = clock.read(line)
        time = datetime.fromtimestamp(time_s + seconds, UTC)
        if style == "syslog":
            stamp = f"{_MONTHS[time.month]} {time.day:2} {time:%H:%M:%S}"
        elif style == "ctime":
            stamp = f"{time:%a} {_MONTHS[time.month]} {time.day:2} {time:%H:%M:%S %Y}"
        else:
            stamp = datetime.fromtimestamp(time_s + seconds + 7200, UTC).strftime("%Y-%m-%dT%H:%M:%S.000000+02:00")
        told.append(f"{stamp} {text}\n")
    return "".join(told)


def without_ports(log: str) -> str:
    return re.sub(r"(\[[0-9.]+\]):\d+", r"\1", log)


@cache
def sessions_of() -> MailLog:
    return read_mail_log(MAIL_LOG, lambda session: True, (1795446000, 1795447000))


@cache
def judgements() -> dict[str, bool]:
    """What spamd says, by Message-ID."""
    found = (re.search(r"result: (\S) .*,mid=<([^>]*)>,", line) for line in spamd_lines())
    return {match[2]: match[1] == "Y" for match in found if match}


def exim_log(*, ports: bool = True, pids: bool = True) -> str:
    """The same sessions as Exim writes them, with fractions of seconds it rounds to."""
    told = []
    whole = [session for session in sessions_of().sessions.sessions if session.start_s and session.end_s]
    for number, session in enumerate(whole):
        ip = str(_address(session.address))
        client = f"[{ip}]" + (f":{session.port}" if ports else "") + f" I=[{SERVER}]:{session.server_port}"
        pid = f"[{number + 100}] " if pids else ""

        def say(time_s: float, text: str, pid: str = pid) -> None:
            told.append((time_s, f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%d %H:%M:%S.500} {pid}{text}\n"))

        say(session.start_s, f"SMTP connection from {client} (TCP/IP connection count = 1)", "[99] " if pids else "")
        for refusal in session.refusals:
            say(session.first_s, f"H=(x) {client} F=<a@b.test> {_REJECTION[refusal].format(ip=ip)}")
        for at, mail in enumerate(session.mails):
            login = " A=plain:u0" if mail.submitted else ""
            queue_id = f"1x{number:04x}-{at:06x}-0L"
            time_s = session.end_s
            say(
                time_s,
                f"{queue_id} <= s@d.test H=x (y) {client} P=esmtp{login} S=1 id={mail.message_id} for u@x.test",
            )
            if (is_spam := judgements().get(mail.message_id)) is not None and not mail.submitted:
                say(time_s, f"{queue_id} spamcheck H={client} score=1.0 verdict={'spam' if is_spam else 'ham'}")
        if session.ending:
            say(session.end_s, f"unexpected disconnection while reading SMTP command from (x) {client} D=0.7s")
        elif not session.mails and not session.refusals:
            say(session.end_s, f"no MAIL in SMTP connection from x (y) {client} D=0.2s C=EHLO,QUIT")
        else:
            say(session.end_s, f"SMTP connection from x (y) {client} closed by QUIT")
    return "".join(line for _, line in sorted(told, key=lambda entry: entry[0]))


def _address(number: int) -> str:
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))
