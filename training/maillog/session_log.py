"""SessionLog: the sessions of a mail log that may belong to a capture."""

from collections.abc import Callable
from dataclasses import dataclass, field

from .sessions import Mail, Refusal, Session

__all__ = ["SessionLog"]

_FEW = 100
_MOST_JUDGED = 10_000


@dataclass
class SessionLog:
    """Gathers sessions while a log is read; those that ``wanted`` refuses are counted and let go, however many.

    Attributes
    ----------
    sessions: in the order of their first lines
    mails: the latest of each queue id
    judged: whether a mail that was not handed over yet is spam, by queue id, where the mail server logs it itself;
        the latest of them
    elsewhere: sessions that were let go
    others: addresses of some of those clients
    unknown_clients: connections whose client's address the server could not tell
    """

    wanted: Callable[[Session], bool]
    sessions: list[Session] = field(default_factory=list)
    mails: dict[str, Mail] = field(default_factory=dict)
    judged: dict[str, bool] = field(default_factory=dict)
    elsewhere: int = 0
    others: set[int] = field(default_factory=set)
    unknown_clients: int = 0

    def begin(self, session: Session) -> Session:
        session.kept = self.wanted(session)
        if session.kept:
            self.sessions.append(session)
        else:
            self.elsewhere += 1
            if len(self.others) < _FEW:
                self.others.add(session.address)
        return session

    def judge(self, queue_id: str, is_spam: bool) -> None:
        """The mail server says whether a mail is spam, mostly before it says that it took it."""
        if mail := self.mails.get(queue_id):
            mail.is_spam = is_spam
            return
        self.judged[queue_id] = is_spam
        if len(self.judged) > _MOST_JUDGED:
            # Mails that were refused are never handed over.
            del self.judged[next(iter(self.judged))]

    def accept(self, session: Session, mail: Mail) -> None:
        """A session has handed over a mail."""
        mail.is_spam = self.judged.pop(mail.queue_id, mail.is_spam)
        if session.kept:
            session.mails.append(mail)
            self.mails[mail.queue_id] = mail
        else:
            # Queue ids come again.
            self.mails.pop(mail.queue_id, None)

    def take_back(self, mail: Mail, refusal: Refusal) -> bool:
        """A mail was refused after it had been given a queue id. Whether its session is one of these."""
        del self.mails[mail.queue_id]
        # It was handed over last, so its session is among the latest.
        for session in reversed(self.sessions):
            if any(other is mail for other in session.mails):
                session.mails = [other for other in session.mails if other is not mail]
                session.refusals.append(refusal)
                return True
        return False
