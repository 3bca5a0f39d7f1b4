"""Flows of captures, measured without limit: every flow whole, in the order of the first packets."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hdl.item import FrameOutcome
from sim.capture import Cut
from sim.extraction import extract_flows
from sim.flow_columns import FlowColumns
from sim.identity import address_text
from sim.table_parameters import TableParameters

__all__ = ["MeasuredCapture", "addresses_of", "measure_captures"]


@dataclass(frozen=True)
class MeasuredCapture:
    """What one capture held, in one file or several. ``outcomes`` counts its frames; only the USED ones are in flows.

    Attributes
    ----------
    names:
        Of its files.
    first_packets:
        The number of the first packet in each of them.
    """

    names: tuple[str, ...]
    first_packets: np.ndarray
    flows: FlowColumns
    outcomes: Counter[FrameOutcome]

    def files_of(self, flows: FlowColumns) -> list[str]:
        """The names of the files that these flows began in."""
        return [self.names[at] for at in np.searchsorted(self.first_packets, flows.packet, "right") - 1]


def measure_captures(
    paths: Sequence[Path],
    parameters: TableParameters,
    on_cut: Callable[[Cut], None] | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> MeasuredCapture:
    """Measure all flows of a capture, however long it is; of several files, as if they were one.

    Times are the capture's own, in milliseconds since 1970. ``on_progress`` is told how many bytes were read.
    """
    flows, outcomes, first_packets = extract_flows(paths, parameters, on_cut, on_progress)
    return MeasuredCapture(tuple(path.name for path in paths), first_packets, flows, outcomes)


def addresses_of(capture: MeasuredCapture) -> set[str]:
    """The addresses at either end of its flows."""
    flows, found = capture.flows, set()
    for side in (flows.initiator_address, flows.responder_address):
        for version in (4, 6):
            different = np.unique(side[flows.version == version], axis=0).tolist()
            found |= {address_text(version, high << 64 | low) for high, low in different}
    return found
