"""Postfix: the lines of smtpd, postscreen, cleanup, qmgr and the delivery agents about a session and its mails."""

import re

from .session_log import SessionLog
from .sessions import Mail, Session, number_of, refusal_of

__all__ = ["PostfixReader"]

_PROGRAM = re.compile(r"\S+ ([\w-]*postfix[\w.-]*(?:/[\w-]+)*)/([\w-]+)(?:\[(\d+)\]:| (\d+) \S+ \S+) (.*)", re.S)
_CLIENT = r"\S+?\[([0-9A-Za-z.:%]+)\](?::(\d+|unknown))?"
_CONNECT = re.compile(rf"connect from {_CLIENT}")
_ACCEPTED = re.compile(rf"(\w+): client={_CLIENT}(.*)")
_REFUSED = re.compile(rf"(?:\w+): (?:milter-)?reject: \S+ from {_CLIENT}: (.*)")
_SIZE = re.compile(r"(\w+): from=<[^>]*>, size=(\d+)")
_DELIVERED = re.compile(r"(\w+): to=<[^>]*>,.* status=sent")
_SCREENED = re.compile(r"(CONNECT from|PASS (?:NEW|OLD)|DISCONNECT|HANGUP after \S+ from) \[([0-9A-Fa-f.:]+)\]:(\d+)")
_DELIVERY = frozenset({"pipe", "smtp", "lmtp", "virtual", "local", "error"})


class PostfixReader:
    """Takes the lines of a log behind their times, and puts the sessions that they tell of into ``log``.

    An smtpd serves one session at a time, so its process id says whose a line is.
    """

    def __init__(self, log: SessionLog):
        self._log = log
        self._live: dict[tuple[str, str], Session] = {}
        self._screened: dict[tuple[int, int], Session] = {}

    def take(self, time_s: float, text: str) -> bool | None:
        """Whether a line was used; None when it is not of Postfix."""
        found = _PROGRAM.match(text)
        if found is None:
            return None
        service, daemon, in_brackets, of_rfc5424, said = found.groups()
        process = in_brackets or of_rfc5424
        if daemon == "smtpd":
            return self._smtpd(time_s, (service, process), said)
        if daemon == "postscreen":
            return self._postscreen(time_s, said)
        queue_id, _, rest = said.partition(": ")
        mail = self._log.mails.get(queue_id)
        if mail is None:
            return False
        if daemon == "cleanup":
            if rest.startswith("message-id="):
                mail.message_id = rest[len("message-id=") :].strip().strip("<>")
                return True
            if rest.startswith("milter-reject") and self._log.take_back(mail, refusal_of(rest)):
                return True
        elif daemon == "qmgr" and (size := _SIZE.match(said)):
            mail.size_bytes = int(size[2])
            return True
        elif daemon in _DELIVERY and _DELIVERED.match(said):
            mail.delivered_s = time_s
            return True
        return False

    def _smtpd(self, time_s: float, process: tuple[str, str], said: str) -> bool:
        if said.startswith("connect from "):
            self._live.pop(process, None)
            found = _CONNECT.match(said)
            session = self._session(time_s, time_s, process, found)
            if session is None:
                # "unknown[unknown]": the client had gone before it was looked at.
                self._log.unknown_clients += 1
            return session is not None
        session = self._live.get(process)
        if said.startswith("disconnect from "):
            self._live.pop(process, None)
            if session is not None:
                session.end_s = time_s
            return session is not None
        if found := _ACCEPTED.match(said):
            session = session or self._session(None, time_s, process, re.search(_CLIENT, said))
            if session is not None:
                self._log.accept(session, Mail(found[1], "sasl_" in found[4]))
            return session is not None
        if found := _REFUSED.match(said):
            session = session or self._session(None, time_s, process, re.search(rf"from {_CLIENT}", said))
            if session is not None:
                session.refusals.append(refusal_of(found[3]))
            return session is not None
        if session is not None and said.startswith(("lost connection", "timeout", "too many errors")):
            session.ending = said.split(" after ")[0].replace(" ", "_")
            return True
        return False

    def _session(
        self, start_s: float | None, first_s: float, process: tuple[str, str], found: re.Match | None
    ) -> Session | None:
        """A session that begins, or of which the log tells no beginning."""
        address = number_of(found[1]) if found else None
        if address is None:
            return None
        port = int(found[2]) if found[2] and found[2] != "unknown" else None
        # Services are named freely; those of master.cf as it comes are told apart.
        name = process[0].rpartition("/")[2]
        server_port = 587 if name in ("submission", "submissions", "smtps") else 25
        session = self._log.begin(Session(start_s, first_s, address, port, server_port))
        self._live[process] = session
        return session

    def _postscreen(self, time_s: float, said: str) -> bool:
        """Sessions that postscreen ends itself; those that pass go on in an smtpd, which tells of them again."""
        if found := _SCREENED.match(said):
            what, address, port = found[1], number_of(found[2]), int(found[3])
            if address is None:
                return False
            if what.startswith("CONNECT"):
                self._screened[address, port] = Session(time_s, time_s, address, port, 25)
            elif what.startswith("PASS"):
                self._screened.pop((address, port), None)
            elif session := self._screened.pop((address, port), None):
                session.end_s = time_s
                session.ending = "" if what == "DISCONNECT" else "lost_connection"
                self._log.begin(session)
            return True
        if found := re.match(r"(?:\w+): reject: \S+ from \[([0-9A-Fa-f.:]+)\]:(\d+): (.*)", said):
            session = self._screened.get((number_of(found[1]), int(found[2])))
            if session is not None:
                session.refusals.append(refusal_of(found[3]))
            return session is not None
        return False
