"""What SpamAssassin's spamd, amavis and rspamd say about mails, by the lines of their logs."""

import re
from typing import NamedTuple

__all__ = ["Judgement", "is_filter_line", "judgement_of"]

_SPAMD = re.compile(r"spamd: result: (\S)\s+-?\d+ - .*?(?:,size=(\d+).*)?,mid=(<[^>]*>|\([^)]*\)|[^,]*)")
# Its line of all fields; the shorter one of the same mail, without an address in brackets, says no more.
_AMAVIS = re.compile(r"amavis\S*\[\d+\]: \(\S+\) (?:Passed|Blocked) ([A-Z-]+) \{[^}]*\},(.*)")
_RSPAMD = re.compile(r"rspamd_task_write_log: id: <([^>]*)>,(?: qid: <([^>]*)>,)?.*?\(default: ([TF]) \(([a-z ]+)\)")
_AMAVIS_SPAM = frozenset({"SPAM", "SPAMMY"})
_AMAVIS_CLEAN = frozenset({"CLEAN"})
_RSPAMD_SPAM = frozenset({"reject", "add header", "rewrite subject", "quarantine"})
_FILTER = re.compile(r"\bspamd\b|\bamavis|\brspamd|; task; |#\d+\(")


class Judgement(NamedTuple):
    """What a filter said about a mail.

    Attributes
    ----------
    queue_id, message_id: of the mail, empty when the filter does not tell
    size_bytes: 0 when the filter does not tell
    """

    time_s: float
    is_spam: bool
    queue_id: str
    message_id: str
    size_bytes: int


def judgement_of(time_s: float, text: str) -> Judgement | None:
    """What a line, behind its time, says about a mail; None when it says nothing."""
    if found := _SPAMD.search(text):
        message_id = found[3]
        named = message_id[1:-1] if message_id[:1] == "<" else "" if message_id[:1] == "(" else message_id
        return Judgement(time_s, found[1] == "Y", "", named, int(found[2] or 0))
    if found := _AMAVIS.search(text):
        # What is infected, banned or of bad syntax was not judged as spam or no spam.
        if found[1] not in _AMAVIS_SPAM | _AMAVIS_CLEAN:
            return None
        queue_id, message_id = re.search(r"Queue-ID: (\w+)", found[2]), re.search(r"Message-ID: <([^>]*)>", found[2])
        size = re.search(r"\bsize: (\d+)", found[2])
        return Judgement(
            time_s,
            found[1] in _AMAVIS_SPAM,
            queue_id[1] if queue_id else "",
            message_id[1] if message_id else "",
            int(size[1]) if size else 0,
        )
    if found := _RSPAMD.search(text):
        size = re.search(r"\blen: (\d+)", text)
        message_id = "" if found[1] == "undef" else found[1]
        is_spam = found[4] in _RSPAMD_SPAM
        return Judgement(time_s, is_spam, found[2] or "", message_id, int(size[1]) if size else 0)
    return None


def is_filter_line(text: str) -> bool:
    """Whether a line is one of a spam filter's, even when it says nothing about a mail."""
    return _FILTER.search(text) is not None
