"""The labels of a capture's flows, from the logs of the mail server that it was taken at."""

import ipaddress
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from compiler.errors import InputError
from sim.flow_columns import FlowColumns

from .captured import IncomingFlows, described
from .clocks import ClockShift, clock_shift, split_zone
from .dnsbl_zone import DnsblZone
from .joining import SeenFlow, SessionJoin, join_sessions, key_of
from .judging import Judged, MailIds, judge_mails
from .reading import FilterLog, MailLog, read_filter_log, read_mail_log
from .sessions import Session, label_of
from .spam_filters import Judgement

__all__ = ["LABEL_COLUMNS", "Labelling", "label_flows"]

LABEL_COLUMNS = (
    *("t_start", "duration", "client_ip", "client_port", "server_ip", "server_port"),
    *("packets", "label", "sublabel", "queue_ids", "join"),
)

_HOUR_S = 3600.0
_WIDE_S = 15 * _HOUR_S
_MARGIN_S = 3.0
_LAG_S = 10.0
"""The most between two clocks that is not worth a warning."""
_MOST_OF = 0.5
_LEAST_OF = 0.25
"""Of the sessions in the time of the capture, or of the flows in that of the log if they are fewer: as many as that may
fit by chance, when the log is of another time or server."""


@dataclass
class Labelling:
    """The labels, and what could not be joined.

    Attributes
    ----------
    rows: of LABEL_COLUMNS
    labels: flows by label and sublabel
    foreign: flows at whose ends none of our servers is, left out
    rests: packets behind the end of a flow, which are no flow of their own
    outside: flows before or behind the log, left out
    listed: flows that the zone file made dnsbl
    zone_s: seconds that the mail log's clock on the wall is east of UTC, None when its lines tell
    offset_s: that its clock is ahead of the capture's
    warnings: a line each
    """

    rows: list[tuple] = field(default_factory=list)
    labels: Counter[tuple[str, str]] = field(default_factory=Counter)
    foreign: int = 0
    rests: int = 0
    outside: int = 0
    listed: int = 0
    sessions: int = 0
    joined: int = 0
    ambiguous: int = 0
    by_port: bool = True
    zone_s: int | None = None
    offset_s: float = 0.0
    resolution_s: float = 0.0
    warnings: list[str] = field(default_factory=list)
    mail_log: MailLog | None = None
    filter_logs: list[FilterLog] = field(default_factory=list)
    judged: Judged | None = None

    @property
    def shift_s(self) -> float:
        """Time in the mail log minus time in the capture."""
        return self.offset_s + (self.zone_s or 0)


def label_flows(
    flows: FlowColumns,
    servers: frozenset[str],
    maillog: Path,
    filter_paths: Sequence[Path],
    *,
    dnsbl: Path | None = None,
    year: int | None = None,
    zone: tzinfo | None = None,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> Labelling:
    """Join flows with sessions of a mail log and judgements of spam filters.

    Parameters
    ----------
    flows: whole ones, in the order of their first packets, with the accumulators PACKETS and OCTETS
    servers: addresses of our own
    dnsbl: zone file; a flow of a listed client that has no better label is ``dnsbl``
    year, zone: of log lines that have none; found by themselves when None
    on_progress: told what is read, how many bytes of it and of how many
    """
    result = Labelling()
    incoming = IncomingFlows(flows, servers)
    if not incoming.flows:
        raise InputError(f"--server: no flow of the capture goes to {' or '.join(sorted(servers))}")
    listed = None if dnsbl is None else DnsblZone(dnsbl)
    clients = {flow.address for flow in incoming.flows}
    captured_s = (incoming.flows[0].start_s, max(flow.end_s for flow in incoming.flows))

    def progress_of(path: Path) -> Callable[[int], None] | None:
        size = path.stat().st_size
        return None if on_progress is None else lambda done: on_progress(path.name, done, size)

    def wanted(session: Session) -> bool:
        return session.address in clients

    log = read_mail_log(maillog, wanted, captured_s, year=year, zone=zone, on_progress=progress_of(maillog))
    result.mail_log = log
    _check_common_time(log, captured_s)
    sessions = log.sessions.sessions
    # Not those of `mails`, which holds the latest of each queue id: Postfix gives short ones again.
    ids = MailIds(mail for session in sessions for mail in session.mails)
    filter_year = datetime.fromtimestamp(log.first_s, UTC).year
    begin_s, end_s = captured_s[0] - 2 * _WIDE_S, captured_s[1] + 2 * _WIDE_S

    def concerns(judgement: Judgement) -> bool:
        return begin_s <= judgement.time_s <= end_s and ids.concerns(judgement)

    for path in filter_paths:
        result.filter_logs.append(read_filter_log(path, concerns, filter_year, zone, progress_of(path)))
    result.judged = judge_mails(
        sessions, [*log.judgements, *(found for each in result.filter_logs for found in each.judgements)]
    )
    shift = _shift_of(incoming.flows, sessions, log)
    if shift is None:
        raise InputError(f"{maillog}: no session belongs to a flow of the capture{_why(incoming, log, servers)}")
    join = _join(result, incoming.flows, sessions, log, shift)
    covered = _covered(result, log)
    _check_joined(result, incoming, sessions, log, covered, captured_s, _why(incoming, log, servers))
    _label_all(result, flows, incoming, join, covered, listed)
    _warn(result, incoming, log, servers, shift)
    return result


def _check_common_time(log: MailLog, captured_s: tuple[float, float]) -> None:
    margin_s = _WIDE_S if log.clock.needs_zone else _HOUR_S
    if log.first_s - margin_s > captured_s[1] or log.last_s + margin_s < captured_s[0]:
        of_log, of_capture = _span(log.first_s, log.last_s), _span(*captured_s)
        how = " (--year)" if log.clock.needs_year else ""
        raise InputError(f"{log.path}: is of {of_log}, the capture of {of_capture}: no time in common{how}")


def _span(first_s: float, last_s: float) -> str:
    first, last = (datetime.fromtimestamp(time_s, UTC) for time_s in (first_s, last_s))
    return f"{first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S}"


def _shift_of(flows: Sequence[SeenFlow], sessions: Sequence[Session], log: MailLog) -> ClockShift | None:
    by_port = all(session.port is not None for session in sessions)
    logged, seen = defaultdict(list), defaultdict(list)
    for session in sessions:
        logged[key_of(session, by_port)].append(session.first_s)
    for flow in flows:
        seen[key_of(flow, by_port)].append(flow.start_s)
    return clock_shift(logged, seen, _WIDE_S if log.clock.needs_zone else _HOUR_S)


def _join(
    result: Labelling, flows: Sequence[SeenFlow], sessions: Sequence[Session], log: MailLog, shift: ClockShift
) -> SessionJoin:
    """Join twice: what fits at a rough shift tells the exact one."""
    result.resolution_s = resolution_s = 0.0 if log.clock.fractions else 1.0
    rough = join_sessions(flows, sessions, shift.shift_s + resolution_s, resolution_s)
    exact_s = rough.lag_s + resolution_s
    join = join_sessions(flows, sessions, exact_s, resolution_s)
    zone_s, offset_s = split_zone(exact_s)
    result.zone_s = zone_s if log.clock.needs_zone else None
    result.offset_s = offset_s if log.clock.needs_zone else exact_s
    result.by_port = all(session.port is not None for session in sessions)
    result.sessions, result.ambiguous = len(sessions), join.ambiguous
    result.joined = sum(session is not None for session in join.sessions)
    return join


def _covered(result: Labelling, log: MailLog) -> tuple[float, float]:
    """The time of the log by the clock of the capture."""
    return log.first_s - result.shift_s - _MARGIN_S, log.last_s - result.shift_s + _MARGIN_S


def _check_joined(
    result: Labelling,
    incoming: IncomingFlows,
    sessions: Sequence[Session],
    log: MailLog,
    covered: tuple[float, float],
    captured_s: tuple[float, float],
    why: str,
) -> None:
    """Refuse a log whose sessions are not those of the capture."""
    flows = sum(covered[0] <= flow.start_s <= covered[1] for flow in incoming.flows)
    logged = sum(captured_s[0] <= session.first_s - result.shift_s <= captured_s[1] for session in sessions)
    if result.joined < _LEAST_OF * min(flows, logged):
        raise InputError(
            f"{log.path}: only {result.joined} of {logged} sessions fit one of {flows} incoming flows of that time{why}"
        )


def _label_all(
    result: Labelling,
    columns: FlowColumns,
    incoming: IncomingFlows,
    join: SessionJoin,
    covered: tuple[float, float],
    listed: DnsblZone | None,
) -> None:
    how = "ip+port+time" if result.by_port else "ip+time"
    for place, version, row in zip(incoming.place, columns.version.tolist(), described(columns), strict=True):
        if place in ("foreign", "rest"):
            result.foreign += place == "foreign"
            result.rests += place == "rest"
            continue
        label, sublabel, queue_ids, rule = "outgoing", "", "", "direction"
        if place != "outgoing":
            session, flow = join.sessions[place], incoming.flows[place]
            if session is not None:
                label, sublabel = label_of(session)
                queue_ids, rule = " ".join(mail.queue_id for mail in session.mails), how
            elif covered[0] <= flow.start_s <= covered[1]:
                label, sublabel, rule = "other", "no_session", ""
            else:
                result.outside += 1
                continue
            if listed is not None and label == "other" and (version, flow.address) in listed:
                label, sublabel = "dnsbl", "listed"
                result.listed += 1
        result.labels[label, sublabel] += 1
        result.rows.append((*row, label, sublabel, queue_ids, rule))
    if not result.rows:
        log = result.mail_log
        raise InputError(f"{log.path}: no flow of the capture lies within {_span(log.first_s, log.last_s)}")


def _why(incoming: IncomingFlows, log: MailLog, servers: frozenset[str]) -> str:
    """A reason why flows have no sessions, as far as the log shows one."""
    clients = {flow.address for flow in incoming.flows}
    own = {int(ipaddress.ip_address(server)) for server in servers} | {int(ipaddress.ip_address("127.0.0.1")), 1}
    others = log.sessions.others - own
    if len(others) == 1 and len(clients) > 1:
        return ": all other sessions of the log come from one address, a proxy hides the clients from the mail server"
    if len(clients) == 1 and len(others) > 1:
        return ": all its flows come from one address and the log knows many clients, it was taken behind a proxy"
    return ""


def _warn(result: Labelling, incoming: IncomingFlows, log: MailLog, servers: frozenset[str], shift: ClockShift) -> None:
    tell = result.warnings.append
    without = len(incoming.flows) - result.joined - result.outside
    if without > _MOST_OF * len(incoming.flows):
        tell(f"{without} of {len(incoming.flows)} incoming flows have no session{_why(incoming, log, servers)}")
    if abs(result.offset_s) > _LAG_S:
        tell(f"the clocks of {log.path.name} and the capture are {abs(result.offset_s):.1f} s apart")
    if len(log.clock.zones) > 1:
        counts = ", ".join(f"{zone} in {count} lines" for zone, count in log.clock.zones.items())
        tell(f"{log.path.name}: mixed time zones, {counts}; each line was read by its own")
    for other_s, pairs in shift.others:
        hours = (other_s - shift.shift_s) / _HOUR_S
        tell(f"{log.path.name}: mixed time zones, {pairs} sessions fit {hours:+g} h away and are not joined")
    if result.judged.shift is not None:
        for other_s, pairs in result.judged.shift.others:
            hours = (other_s - result.judged.shift.shift_s) / _HOUR_S
            tell(f"spam filter: mixed time zones, {pairs} judgements fit {hours:+g} h away")
    if result.judged.by and all(way.startswith("not") for way in result.judged.by):
        tell(
            f"none of {result.judged.by.total()} mails was judged; is the spam filter's log of the same time (--spamd)?"
        )
    counts = Counter()
    for (label, _), flows in result.labels.items():
        counts[label] += flows
    if not counts["dnsbl"] + counts["spam"]:
        tell("no flow is labelled dnsbl or spam: nothing to learn spam from")
    if not counts["ham"] + counts["outgoing"] + counts["submission"]:
        tell("no flow is labelled ham, outgoing or submission: nothing to learn background from")
