"""The labels of flows, as a mail server's logs give them, and their join with measured flows."""

import ipaddress
import math
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from compiler.errors import InputError
from sim.flow_columns import FlowColumns
from sim.identity import Endpoint

from .csv_file import read_rows

__all__ = ["LABELS", "FlowLabel", "LabelTable", "read_labels"]

LABELS = ("dnsbl", "spam", "ham", "outgoing", "submission", "other")
"""What a label may be. ``other``: neither a mail that was judged nor a client on a blacklist."""

_REQUIRED = ("t_start", "client_ip", "client_port", "server_ip", "server_port", "label")
_SLACK_S = 1.0
"""How far the clocks of capture and log may be apart."""


class FlowLabel(NamedTuple):
    """The label of the flow between two endpoints that began at ``start_s`` and lasted ``duration_s``."""

    start_s: float
    duration_s: float
    client: Endpoint
    server: Endpoint
    label: str
    sublabel: str


class LabelTable:
    """Finds the label of a flow by both endpoints, whichever is called client, and by time."""

    def __init__(self, labels: Iterable[FlowLabel]):
        self._labels: dict[frozenset[Endpoint], list[FlowLabel]] = defaultdict(list)
        for label in labels:
            self._labels[frozenset((label.client, label.server))].append(label)
        for same_endpoints in self._labels.values():
            same_endpoints.sort(key=lambda label: label.start_s)

    def endpoints(self, label: str) -> set[frozenset[Endpoint]]:
        """The pairs of endpoints that have a flow of this label."""
        return {ends for ends, labels in self._labels.items() if any(found.label == label for found in labels)}

    def find(self, initiator: Endpoint, responder: Endpoint, start_s: float) -> FlowLabel | None:
        """The latest label of a flow whose time, give or take a second, holds the start of the flow."""
        found = None
        for label in self._labels.get(frozenset((initiator, responder)), ()):
            if label.start_s - _SLACK_S <= start_s <= label.start_s + label.duration_s + _SLACK_S:
                found = label
        return found

    def join(self, flows: FlowColumns) -> list[FlowLabel | None]:
        """The label of each flow."""
        starts = flows.start_ns.tolist()
        return [self.find(*ends, start / 1e9) for ends, start in zip(flows.endpoints(), starts, strict=True)]


def read_labels(path: str | Path) -> LabelTable:
    """Read a table of labels: CSV, plain or gzipped, with at least the columns of the join and ``label``."""
    rows = read_rows(path, _REQUIRED)
    labels = [_label(place, row) for place, row in rows]
    if not labels:
        raise InputError(f"{path}: holds no labels")
    return LabelTable(labels)


def _label(place: str, row: dict[str, str]) -> FlowLabel:
    if row["label"] not in LABELS:
        raise InputError(f"{place}: label must be one of {', '.join(LABELS)}, not {row['label']!r}")
    return FlowLabel(
        _seconds(place, "t_start", row["t_start"]),
        _seconds(place, "duration", row.get("duration") or "0"),
        _endpoint(place, "client", row),
        _endpoint(place, "server", row),
        row["label"],
        row.get("sublabel", ""),
    )


def _seconds(place: str, name: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise InputError(f"{place}: {name} must be seconds, not {text!r}")
    return seconds


def _endpoint(place: str, side: str, row: dict[str, str]) -> Endpoint:
    address, port = row[f"{side}_ip"], row[f"{side}_port"]
    try:
        number = int(ipaddress.ip_address(address))
    except ValueError:
        raise InputError(f"{place}: {side}_ip must be an IP address, not {address!r}") from None
    if not (port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise InputError(f"{place}: {side}_port must be a port, not {port!r}")
    return Endpoint(number, int(port))
