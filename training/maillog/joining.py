"""Which session of a log is which flow of a capture: by client, its port where the log has it, and times."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from .sessions import Session, label_of

__all__ = ["SUBMISSION_PORTS", "SeenFlow", "SessionJoin", "join_sessions", "key_of"]

SUBMISSION_PORTS = frozenset({465, 587})

_SLACK_S = 3.0
"""A session begins up to so much before or behind the flow's packets, by clocks that were set right."""
_END_WEIGHT, _END_LIMIT_S = 1.0, 30.0
_SIZE_COST = 20.0
"""Of a session whose mails are larger than what the client sent."""
_NO_SESSION = 1000.0
_NEAR_COST = 1.0
"""Sessions of which one costs so little more than the other could be either."""


@dataclass(frozen=True, slots=True)
class SeenFlow:
    """A flow from a client to one of our servers.

    Attributes
    ----------
    address, port: of the client
    start_s, end_s: of the first and the last packet
    sent_bytes: that the client's packets hold, headers included
    """

    address: int
    port: int
    server_port: int
    start_s: float
    end_s: float
    sent_bytes: int


@dataclass(frozen=True)
class SessionJoin:
    """The session of each flow, None where there is none.

    Attributes
    ----------
    ambiguous: flows whose label would be another with another session that fits as well
    lag_s: from the start of a flow to the line about it, that of the fastest two in a hundred; the log's clock is
        so much ahead of the capture's, apart from its resolution
    """

    sessions: list[Session | None]
    ambiguous: int
    lag_s: float


def key_of(client: SeenFlow | Session, by_port: bool) -> Hashable:
    """What a flow and its session have in common."""
    return (client.address, client.port) if by_port else client.address


def join_sessions(
    flows: Sequence[SeenFlow], sessions: Sequence[Session], shift_s: float, resolution_s: float
) -> SessionJoin:
    """Give every flow at most one session and every session at most one flow, so that times fit best in sum.

    An assignment of least cost (LAPJVsp, Jonker and Volgenant, 1987): a flow whose session is taken by a better
    fitting one gets the next best, which matters where a log has no client ports and a client many sessions at once.

    Parameters
    ----------
    shift_s: what the sessions' times are set back by
    resolution_s: of the log's times, which are rounded down
    """
    by_port = all(session.port is not None for session in sessions)
    candidates = _by_key(sessions, by_port)
    starts = np.array([session.first_s for session in sessions]) - shift_s + resolution_s / 2
    rows, columns, costs = [], [], []
    for key, of_key in _by_key(flows, by_port).items():
        found = np.array(sorted(candidates.get(key, ()), key=starts.__getitem__), int)
        times = starts[found]
        for row in of_key:
            flow = flows[row]
            begin = np.searchsorted(times, flow.start_s - _SLACK_S)
            end = np.searchsorted(times, flow.end_s + _SLACK_S, "right")
            for column in found[begin:end].tolist():
                if not _can_be(flow, sessions[column]):
                    continue
                rows.append(row)
                columns.append(column)
                costs.append(_cost(flow, sessions[column], starts[column], shift_s, resolution_s))
    chosen = _assign(len(flows), len(sessions), rows, columns, costs)
    labels = [label_of(session) for session in sessions]
    cost_of = dict(zip(zip(rows, columns, strict=True), costs, strict=True))
    ambiguous = {
        row
        for (row, column), cost in cost_of.items()
        if chosen[row] not in (None, column)
        and labels[column] != labels[chosen[row]]
        and cost <= cost_of[row, chosen[row]] + _NEAR_COST
    }
    lags = [
        sessions[column].start_s - flows[row].start_s
        for row, column in enumerate(chosen)
        if column is not None and sessions[column].start_s is not None
    ]
    return SessionJoin(
        [None if column is None else sessions[column] for column in chosen],
        len(ambiguous),
        float(np.quantile(lags, 0.02)) if lags else shift_s,
    )


def _by_key(clients: Sequence[SeenFlow] | Sequence[Session], by_port: bool) -> dict[Hashable, list[int]]:
    of_key: dict[Hashable, list[int]] = defaultdict(list)
    for number, client in enumerate(clients):
        of_key[key_of(client, by_port)].append(number)
    return of_key


def _can_be(flow: SeenFlow, session: Session) -> bool:
    """Ports, where the log has them, are the same; those of submission are one service."""
    if session.port not in (None, flow.port):
        return False
    return session.server_port is None or (session.server_port == 587) == (flow.server_port in SUBMISSION_PORTS)


def _cost(flow: SeenFlow, session: Session, start_s: float, shift_s: float, resolution_s: float) -> float:
    """Seconds that the times of a session are off, and more when it cannot be the flow's; never 0."""
    cost = 1 + abs(start_s - flow.start_s)
    if session.end_s is not None:
        end_s = session.end_s - shift_s + resolution_s / 2
        cost += _END_WEIGHT * min(abs(end_s - flow.end_s), _END_LIMIT_S)
    if sum(mail.size_bytes for mail in session.mails) > flow.sent_bytes:
        cost += _SIZE_COST
    return cost


def _assign(flows: int, sessions: int, rows: list[int], columns: list[int], costs: list[float]) -> list[int | None]:
    """The session of each flow; a column of its own for every flow stands for none."""
    if not rows:
        return [None] * flows
    own = np.arange(flows)
    weights = np.concatenate([costs, np.full(flows, _NO_SESSION)])
    places = (np.concatenate([rows, own]), np.concatenate([columns, sessions + own]))
    graph = csr_array((weights, places), shape=(flows, sessions + flows))
    at, chosen = min_weight_full_bipartite_matching(graph)
    found: list[int | None] = [None] * flows
    for row, column in zip(at.tolist(), chosen.tolist(), strict=True):
        found[row] = column if column < sessions else None
    return found
