"""Exim: the lines of its main log about a session and its mails."""

import re
from collections import defaultdict, deque

from .session_log import SessionLog
from .sessions import Mail, Session, number_of, refusal_of

__all__ = ["EximReader"]

_ID = r"\w{6}-\w{6,11}-\w{2,4}"
_PROCESS = re.compile(r"(?:\S+ exim\d?\[\d+\]: )?(?:\[(\d+)\] )?")
_CLIENT = r"\[([0-9A-Fa-f.:]+)\](?::(\d+))?(?: I=\[[^\]]*\](?::(\d+))?)?"
_BEGUN = re.compile(rf"SMTP connection from {_CLIENT} \(TCP/IP connection count")
_TURNED_AWAY = re.compile(rf"Connection from (?:\S+ )?{_CLIENT} refused")
_ARRIVED = re.compile(rf"({_ID}) <= \S+ .*?H=[^\[]*{_CLIENT} (.*)")
_REFUSED = re.compile(rf"(?:{_ID} )?H=[^\[]*{_CLIENT} .*?(?:temporarily )?rejected (.*)")
_JUDGED = re.compile(rf"({_ID}) spamcheck .*?verdict=(\w+)")
_DELIVERED = re.compile(rf"({_ID}) [=-]> ")
_ENDED = re.compile(rf"(SMTP connection from|unexpected disconnection|no MAIL in|.*? failed for)\b.*?{_CLIENT}(.*)")
_MOST_BEGUN = 1000
_SUBMISSION = frozenset({"587", "465"})


class EximReader:
    """Takes the lines of a log behind their times, and puts the sessions that they tell of into ``log``.

    A line belongs to a session by the client's address and port, or, where ``incoming_port`` is not among Exim's
    log selectors, by the process id (``pid``), else by the address alone.
    """

    def __init__(self, log: SessionLog):
        self._log = log
        self._live: dict[tuple, Session] = {}
        self._begun: dict[str, deque[Session]] = defaultdict(lambda: deque(maxlen=_MOST_BEGUN))

    def take(self, time_s: float, text: str) -> bool | None:
        """Whether a line was used; None when it is not of Exim, as far as can be seen."""
        process = _PROCESS.match(text)
        pid, said = process[1], text[process.end() :]
        if found := _BEGUN.match(said):
            # The daemon logs this one, so its process id is not that of the session.
            return self._session(time_s, time_s, None, found.groups()) is not None
        if found := _TURNED_AWAY.match(said):
            session = self._session(time_s, time_s, None, found.groups())
            if session is not None:
                session.end_s, session.ending = time_s, "refused_busy"
            return session is not None
        if found := _ARRIVED.match(said):
            return self._arrived(time_s, pid, found)
        if found := _JUDGED.match(said):
            self._log.judge(found[1], found[2] == "spam")
            return True
        if found := _REFUSED.match(said):
            session = self._find(pid, found[1], found[2]) or self._session(None, time_s, pid, found.groups()[:3])
            if session is not None:
                session.refusals.append(refusal_of(found[4]))
            return session is not None
        if (found := _DELIVERED.match(said)) and (mail := self._log.mails.get(found[1])):
            mail.delivered_s = time_s
            return True
        if found := _ENDED.match(said):
            return self._ended(time_s, pid, found)
        return False if process.end() or re.match(_ID, said) else None

    def _arrived(self, time_s: float, pid: str | None, found: re.Match) -> bool:
        session = self._find(pid, found[2], found[3]) or self._session(None, time_s, pid, found.groups()[1:4])
        if session is None:
            return False
        rest = found[5]
        message_id, size = re.search(r"\bid=(\S+)", rest), re.search(r"\bS=(\d+)", rest)
        mail = Mail(found[1], " A=" in f" {rest}", message_id[1] if message_id else "", time_s)
        mail.size_bytes = int(size[1]) if size else 0
        self._log.accept(session, mail)
        return True

    def _ended(self, time_s: float, pid: str | None, found: re.Match) -> bool:
        what, address, port, _, rest = found.groups()
        session = self._find(pid, address, port)
        if session is None:
            return False
        ended = what == "unexpected disconnection" or "closed" in rest or " lost" in rest
        if ended:
            session.end_s = time_s
            self._live.pop(_key(pid, address, port), None)
        if what == "unexpected disconnection" or " lost" in rest:
            session.ending = "lost_connection"
        elif what == "no MAIL in":
            session.ending = session.ending or "no_mail"
        return True

    def _find(self, pid: str | None, address: str, port: str | None) -> Session | None:
        key = _key(pid, address, port)
        session = self._live.get(key)
        if session is None and len(key) > 2 and (begun := self._begun.get(address)):
            # The daemon's line does not tell the process id: the first to speak began first.
            session = self._live[key] = begun.popleft()
        return session

    def _session(
        self, start_s: float | None, first_s: float, pid: str | None, client: tuple[str | None, ...]
    ) -> Session | None:
        address, port, server_port = client
        number = number_of(address)
        if number is None:
            return None
        known = None if server_port is None else 587 if server_port in _SUBMISSION else int(server_port)
        session = self._log.begin(Session(start_s, first_s, number, int(port) if port else None, known))
        if start_s is not None and port is None:
            self._begun[address].append(session)
        self._live[_key(pid, address, port)] = session
        return session


def _key(pid: str | None, address: str, port: str | None) -> tuple:
    if port is not None:
        return address, port
    return (address,) if pid is None else (address, "pid", pid)
