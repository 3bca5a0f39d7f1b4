"""Which mail a spam filter's judgement is about: by queue id, by Message-ID, else by time."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .clocks import ClockShift, clock_shift
from .sessions import Mail, Session
from .spam_filters import Judgement

__all__ = ["MailIds", "judge_mails", "mail_time_s"]

_NEAR_S = 1.0
"""A mail without ids was judged so shortly before it was delivered."""
_WIDE_S = 15 * 3600.0


def mail_time_s(session: Session, mail: Mail) -> float:
    """When a mail was judged, roughly."""
    times = (mail.delivered_s, session.end_s, session.first_s)
    return next(time_s for time_s in times if time_s is not None)


class MailIds:
    """The ids of mails, to keep only what a filter says about them."""

    def __init__(self, mails: Iterable[Mail]):
        self._queue, self._message = set(), set()
        for mail in mails:
            self._queue.add(mail.queue_id)
            if mail.message_id:
                self._message.add(mail.message_id)

    def concerns(self, judgement: Judgement) -> bool:
        if judgement.queue_id or judgement.message_id:
            return judgement.queue_id in self._queue or judgement.message_id in self._message
        # It may be of a mail without a Message-ID.
        return True


class Judged(NamedTuple):
    """How many mails were judged by what, and by how much the filter's log was set back."""

    by: Counter[str]
    shift: ClockShift | None


def judge_mails(sessions: Sequence[Session], judgements: Sequence[Judgement]) -> Judged:
    """Tell mails what a filter said about them.

    A message may come twice: of several judgements of a Message-ID that nearest in time is meant.
    """
    by_queue, by_message, without = defaultdict(list), defaultdict(list), []
    for judgement in judgements:
        if judgement.queue_id:
            by_queue[judgement.queue_id].append(judgement)
        if judgement.message_id:
            by_message[judgement.message_id].append(judgement)
        elif not judgement.queue_id:
            without.append(judgement)
    times = defaultdict(list)
    mails = [(mail, mail_time_s(session, mail)) for session in sessions for mail in session.mails]
    for mail, time_s in mails:
        times[mail.message_id].append(time_s)
    logged = {message_id: [judgement.time_s for judgement in found] for message_id, found in by_message.items()}
    shift = clock_shift(logged, times, _WIDE_S)
    back_s = 0.0 if shift is None else shift.median_s
    by: Counter[str] = Counter()
    for mail, time_s in mails:
        if mail.is_spam is not None:
            by["the mail server's log"] += 1
            continue
        way, found = "queue id", by_queue.get(mail.queue_id)
        if not found:
            way, found = "Message-ID", by_message.get(mail.message_id) if mail.message_id else None
        if not found and not mail.message_id:
            way = "time alone"
            found = [judgement for judgement in without if abs(judgement.time_s - back_s - time_s) <= _NEAR_S]
            if len({judgement.is_spam for judgement in found}) > 1:
                by["not judged, as there are several at that time"] += 1
                continue
        if not found:
            by["not judged"] += 1
            continue
        mail.is_spam = min(found, key=lambda judgement: abs(judgement.time_s - back_s - time_s)).is_spam
        by[way] += 1
    return Judged(by, shift)
