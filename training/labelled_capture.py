"""A capture with its labels, measured as often as is needed: whole, early, or as another tap would have seen it."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compiler.errors import InputError
from compiler.features import CATALOGUE, accumulators_of
from sim.table_parameters import TableParameters

from .flow_file import flow_columns, flow_rows, write_rows
from .flow_set import FlowSet, read_flow_set
from .labels import LabelTable
from .packet_log import PacketLog, measured_logs

__all__ = ["LabelledCapture"]

_IDLE_MS, _ACTIVE_MS, _LINGER_MS = 120_000, 1_800_000, 2_000


@dataclass(frozen=True)
class LabelledCapture:
    """Packets, and what is known of their flows.

    Attributes
    ----------
    servers:
        Own ones: flows they open are put down to the other side.
    """

    name: str
    logs: list[PacketLog]
    labels: LabelTable
    servers: frozenset[str]
    ports: frozenset[int] | None

    def flows(
        self,
        features: tuple[str, ...],
        directions: str,
        *,
        prefix: int = 0,
        seen_by: Callable[[PacketLog], PacketLog] | None = None,
        judge_all: bool = False,
    ) -> FlowSet | None:
        """The labelled, complete flows; None where there are none.

        Parameters
        ----------
        prefix:
            Flows as they are at this packet; 0 for whole ones.
        seen_by:
            What a tap has seen of the packets.
        judge_all:
            Take flows whose SYN was not seen for complete too.
        """
        logs = self.logs if seen_by is None else [seen_by(log) for log in self.logs]
        parameters = TableParameters(
            idle_ms=_IDLE_MS,
            active_ms=_ACTIVE_MS,
            linger_ms=_LINGER_MS,
            ports=self.ports,
            accumulators=accumulators_of(tuple(CATALOGUE)),
            early=prefix,
        )
        measured = measured_logs(self.name, logs, parameters)
        rows = flow_rows(measured, self.labels.join(measured.flows), self.servers, prefix)
        columns = flow_columns(prefix)
        if judge_all:
            at = columns.index("syn_seen")
            rows = ((*row[:at], 1, *row[at + 1 :]) for row in rows)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{self.name}.csv"
            write_rows(path, columns, rows)
            try:
                return read_flow_set([path], features, self.ports, directions)
            except InputError:
                if not np.any([len(log) for log in logs]) or seen_by is not None:
                    return None
                raise
