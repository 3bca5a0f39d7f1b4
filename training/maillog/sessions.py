"""SMTP sessions as a mail server's log tells them, and the label that each gives its flow."""

import ipaddress
import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

__all__ = ["Mail", "Refusal", "Session", "label_of", "number_of", "refusal_of"]


class Refusal(StrEnum):
    """Why a command was refused, as the sublabel says it."""

    DNSBL = "dnsbl"
    CONTENT = "content"
    UNKNOWN_USER = "unknown_user"
    GREYLIST = "greylist"
    RELAY = "relay"
    OTHER = "reject"


# The first that matches holds; words are those of Postfix, Exim, postscreen, postgrey and common policy servers.
_REFUSALS = (
    (Refusal.DNSBL, re.compile(r"blocked using|is listed (?:at|in|on)|listed in|in (?:rbl|dnsbl)|dnsbl rank", re.I)),
    (Refusal.GREYLIST, re.compile(r"grey-?list|gray-?list", re.I)),
    (
        Refusal.UNKNOWN_USER,
        re.compile(r"user unknown|unknown user|unrouteable|undeliverable|no such user|mailbox unavailable", re.I),
    ),
    (Refusal.RELAY, re.compile(r"relay access denied|relay not permitted|relaying denied", re.I)),
    (Refusal.CONTENT, re.compile(r"\bspam\b|\bspam (?:message|score)|scored [\d.]+", re.I)),
)


def refusal_of(text: str) -> Refusal:
    """What the words of a refusal mean."""
    return next((refusal for refusal, words in _REFUSALS if words.search(text)), Refusal.OTHER)


@dataclass(slots=True)
class Mail:
    """A mail that a session handed over.

    Attributes
    ----------
    submitted: the client had logged in, so it is one of our own users
    message_id: without its brackets, empty when there is none
    delivered_s: when it was last delivered, as the log has it
    size_bytes: as the server counts it, 0 when the log does not tell
    is_spam: what the spam filter said, None when it said nothing
    """

    queue_id: str
    submitted: bool
    message_id: str = ""
    delivered_s: float | None = None
    size_bytes: int = 0
    is_spam: bool | None = None


@dataclass(slots=True)
class Session:
    """A connection of a client, in the order of the log's lines.

    Attributes
    ----------
    start_s, end_s: as the log has them; None where the log begins behind the one or ends before the other
    first_s: time of the first line about it
    address: of the client, as a number
    port: of the client, None when the log does not tell
    server_port: None when the log does not tell; submission of either kind is 587
    ending: how it ended, when not well
    kept: it may belong to the capture
    """

    start_s: float | None
    first_s: float
    address: int
    port: int | None
    server_port: int | None
    end_s: float | None = None
    refusals: list[Refusal] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    ending: str = ""
    kept: bool = True


def label_of(session: Session) -> tuple[str, str]:
    """Label and sublabel of a session.

    A judged mail counts for more than a refusal, and of several mails one that is spam for more than the others.
    """
    submitted = session.server_port == 587 or any(mail.submitted for mail in session.mails)
    if session.mails and submitted:
        return "submission", ""
    verdicts = {mail.is_spam for mail in session.mails} - {None}
    if verdicts:
        return ("spam" if True in verdicts else "ham"), ("mixed" if len(verdicts) > 1 else "")
    if session.mails:
        return "other", "accepted_no_verdict"
    if Refusal.DNSBL in session.refusals:
        return "dnsbl", ""
    if Refusal.CONTENT in session.refusals:
        return "spam", "refused"
    if session.refusals:
        return "other", str(session.refusals[0])
    return "other", session.ending or "no_mail"


@lru_cache(maxsize=1 << 16)
def number_of(address: str) -> int | None:
    """An address as a number, None when it is none; IPv4 in IPv6 is IPv4, as the wire has it."""
    try:
        parsed = ipaddress.ip_address(address.removeprefix("IPv6:"))
    except ValueError:
        return None
    mapped = getattr(parsed, "ipv4_mapped", None)
    return int(mapped or parsed)
