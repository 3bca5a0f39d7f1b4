"""Readers of log lines: real lines of the programs, and lines that are anything."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.maillog.dnsbl_zone import DnsblZone
from training.maillog.exim import EximReader
from training.maillog.log_times import LogClock, parse_zone
from training.maillog.postfix import PostfixReader
from training.maillog.session_log import SessionLog
from training.maillog.sessions import Mail, Refusal, Session, label_of, number_of
from training.maillog.spam_filters import judgement_of

HERE = Path(__file__).parent
"""Has logs without times: their lines come a second apart."""


def sessions_in(reader_class, name: str, lead: str) -> SessionLog:
    log = SessionLog(lambda session: True)
    reader = reader_class(log)
    for second, line in enumerate((HERE / name).read_text().splitlines()):
        assert reader.take(float(second), lead.format(100 + second) + line) is not None
    return log


def told(session: Session) -> tuple:
    return session.address, session.port, session.server_port, session.start_s, session.end_s, label_of(session)


def test_exim():
    log = sessions_in(EximReader, "exim.log", "[{}] ")
    address = number_of("198.18.1.77")
    assert told(log.sessions[0]) == (address, 31829, 25, 0.0, 3.0, ("spam", ""))
    assert told(log.sessions[1])[3:] == (5.0, 5.0, ("other", "refused_busy"))
    # Logged in and let through by the second server asked: a mail counts for more than a refusal.
    assert told(log.sessions[2])[2:] == (587, 6.0, 9.0, ("submission", ""))
    assert told(log.sessions[3])[3:] == (None, None, ("other", "greylist"))
    assert told(log.sessions[4])[3:] == (None, None, ("other", "relay"))
    assert len(log.sessions) == 5
    assert log.mails["1xVVm2-0008AI-0L"] == Mail("1xVVm2-0008AI-0L", False, "5.0@d176.test", 4.0, 2106, True)


def test_postfix():
    log = sessions_in(PostfixReader, "postfix.log", "mx ")
    mail, passed, screened = log.sessions
    assert log.unknown_clients == 1
    assert told(mail) == (number_of("2001:db8::7"), 28357, 25, 1.0, 5.0, ("spam", "refused"))
    assert mail.refusals == [Refusal.CONTENT]
    assert told(passed)[3:] == (10.0, None, ("other", "greylist"))
    assert told(screened) == (number_of("198.18.1.5"), 4000, 25, 6.0, 13.0, ("dnsbl", ""))


@pytest.mark.parametrize(
    ("line", "judgement"),
    [
        (
            (
                "[6854] info: spamd: result: Y  5 - BAYES_50,RDNS_DYNAMIC scantime=0.7,size=1972,user=mail,uid=107,"
                "required_score=5.0,rhost=localhost,raddr=127.0.0.1,mid=<20130701.18.0@d186.test>,bayes=0.4"
            ),
            (True, "", "20130701.18.0@d186.test", 1972),
        ),
        (
            (
                "[9427] info: spamd: result: . 15 - X scantime=0.6,size=828,user=mail,uid=107,required_score=5.0,"
                "rhost=localhost,raddr=127.0.0.1,rport=46882,mid=(unknown),bayes=1.000000,autolearn=disabled"
            ),
            (False, "", "", 828),
        ),
        ("[6854] info: spamd: identified spam (5.7/5.0) for mail:107 in 0.7 seconds, 1972 bytes.", None),
        (
            (
                "#3259(normal) <819930>; task; rspamd_task_write_log: id: <test.easy-ham@d1.test>, qid: <4A1B2C3D4E>, "
                "ip: 192.0.2.7, from: <s@d1.test>, (default: T (add header): [11.70/15.00] [X(5.00){},...]), len: 2170"
            ),
            (True, "4A1B2C3D4E", "test.easy-ham@d1.test", 2170),
        ),
        (
            (
                "mx.inbox.test /usr/sbin/amavisd[8087]: (08087-01) Passed SPAMMY {RelayedTaggedInbound}, "
                "[198.18.1.77]:51234 [198.18.1.77] <s0@d1.test> -> <u1@inbox.test>, Queue-ID: 4A1B2C3D40E, "
                "Message-ID: <am0@d1.test>, mail_id: OpMT4LEfxTHM, Hits: 14.664, size: 3047, queued_as: 250 2.0.0 Ok"
            ),
            (True, "4A1B2C3D40E", "am0@d1.test", 3047),
        ),
        (
            (
                "mx.inbox.test /usr/sbin/amavisd[8087]: (08087-01) Passed SPAMMY, <s0@d1.test> -> <u1@inbox.test>, "
                "Hits: 14.664, tag=-99, tag2=5, kill=9999, fwd: 250 2.0.0 Ok, L/Y/Y/0"
            ),
            None,
        ),
        ("mx amavis[1]: (1-2) Blocked INFECTED {DiscardedInbound}, [192.0.2.1] <a@b> -> <c@d>, Queue-ID: 1A", None),
    ],
)
def test_spam_filters(line, judgement):
    assert judgement_of(9.0, line) == (None if judgement is None else (9.0, *judgement))


@pytest.mark.parametrize(
    ("stamp", "time_s"),
    [
        ("Nov 23 15:00:18 ", 1795446018),
        ("Nov  3 15:00:18 ", 1795446018 - 20 * 86400),
        ("<22>Nov 23 15:00:18 ", 1795446018),
        ("Mon Nov 23 15:01:39 2026 ", 1795446099),
        ("2026-11-23 15:16:04.989 ", 1795446964.989),
        ("2026-11-23 15:16:04.5 +0130 ", 1795446964.5 - 5400),
        ("2026-11-23T15:16:04.989123Z ", 1795446964.989123),
        ("<22>1 2026-11-23T15:16:04-08:00 ", 1795446964 + 8 * 3600),
        ("Nov 31 15:00:18 ", None),
        ("Nov 23 25:00:18 ", None),
        ("Foo 23 15:00:18 ", None),
        ("2026-02-30 15:00:18 ", None),
        ("", None),
    ],
)
def test_times(stamp, time_s):
    stamped = LogClock(2026).read(stamp + "mx text\n")
    if time_s is None:
        assert stamped is None
    else:
        assert stamped.time_s == time_s
        assert stamped.text == "mx text"


def test_year_turns():
    clock = LogClock(2026)
    days = [clock.read(f"{day} 00:00:00 x").time_s / 86400 for day in ("Dec 31", "Jan  1", "Dec 31", "Jan  2")]
    assert [day - days[0] for day in days] == [0, 1, 0, 2]


def test_zone_with_summer_time():
    clock = LogClock(2026, parse_zone("Europe/Warsaw"))
    winter, summer = (clock.read(f"{day} 12:00:00 x").time_s for day in ("Mar 28", "Mar 29"))
    assert summer - winter == 86400 - 3600


@given(st.text(), st.sampled_from([PostfixReader, EximReader]))
def test_any_line_is_survived(text, reader_class):
    line = text.replace("\n", " ")
    assert judgement_of(0.0, line) is None or "result" in line or "log" in line or "amavis" in line
    for start in ("", "mx postfix/smtpd[1]: ", "mx postfix/cleanup[1]: ", "1xVVm2-0008AI-0L <= ", "H=x [1.2.3.4]:5 "):
        reader_class(SessionLog(lambda session: True)).take(0.0, start + line)
    LogClock(2026).read(line)


def listed(path, text: str) -> set[str]:
    path.write_text(text)
    zone = DnsblZone(path)
    tried = ("127.0.0.2", "198.18.1.2", "198.18.1.3", "198.18.2.9", "198.18.2.10", "198.18.3.1", "2001:db8::1")
    return {address for address in tried if (6 if ":" in address else 4, number_of(address)) in zone}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "$SOA 3600 ns.x h.x 0 600 300 86400 300\n:127.0.0.2:Listed\n127.0.0.2\n198.18.1.2\n",
            {"127.0.0.2", "198.18.1.2"},
        ),
        ("198.18.1.0/24\n!198.18.1.3\n", {"198.18.1.2"}),
        ("198.18.2.9-10\n198.18.3.1 :127.0.0.3:why\n", {"198.18.2.9", "198.18.2.10", "198.18.3.1"}),
        (
            '@ IN SOA ns h 1 2 3 4 5\n3.1.18.198 IN A 127.0.0.2\n2.1.18.198.x.test. 300 IN TXT "no"\n',
            {"198.18.1.3", "198.18.1.2"},
        ),
        ("# list\n2001:db8::/32\n198.18.2.9\n", {"2001:db8::1", "198.18.2.9"}),
    ],
)
def test_zone_files(tmp_path, text, expected):
    assert listed(tmp_path / "zone", text) == expected


def test_judgements_of_mails_that_never_came_are_let_go():
    log = SessionLog(lambda session: True)
    for number in range(20_000):
        log.judge(str(number), True)
    assert len(log.judged) == 10_000
    mail = Mail("19999", False)
    log.accept(log.begin(Session(0.0, 0.0, 1, 2, 25)), mail)
    assert mail.is_spam
    log.judge("19999", False)
    assert not mail.is_spam
