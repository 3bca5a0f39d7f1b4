"""Flows of whole captures by whole-array operations: what the table without limit (sim/flow_table.py) gives, faster.

Memory: one block of a file, and a row of some 500 bytes for every flow that there was, however many packets.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hdl.item import FrameOutcome

from .block_headers import decode_block
from .capture import Cut
from .capture_blocks import BLOCK_BYTES, read_blocks
from .flow_columns import FlowColumns
from .frame_block import FrameBlock
from .table_parameters import TableParameters
from .vector_flows import BlockTimes, VectorFlows

__all__ = ["Extraction", "FlowExtractor", "extract_flows"]


_LARGE_BYTES = 31 << 20
"""Just less than what glibc never keeps."""


_MOST_FRAMES = 1 << 20
"""At a time; :mod:`sim.flow_sums` takes no more than twice as many."""


class Extraction(NamedTuple):
    """What captures held.

    Attributes
    ----------
    flows:
        In the order of their first packets; of equal times those that ended earlier come first.
    outcomes:
        Frames by outcome.
    first_packets:
        The number of the first packet of every file (int64), as in ``flows.packet``.
    """

    flows: FlowColumns
    outcomes: Counter[FrameOutcome]
    first_packets: np.ndarray


class FlowExtractor:
    """Takes frames in blocks and gives their flows at the end.

    Times are the captures' own, in milliseconds since 1970.

    Parameters
    ----------
    parameters:
        Of a table without limit; with ``early``, flows are as they were at that packet, shorter ones whole.

    Attributes
    ----------
    packets:
        Frames so far.
    outcomes:
        The same by outcome.
    """

    def __init__(self, parameters: TableParameters):
        self.packets = 0
        self.outcomes: Counter[FrameOutcome] = Counter()
        self._ports = parameters.ports
        self._flows = {version: VectorFlows(version, parameters) for version in (4, 6)}
        self._now_ms = 0

    def take(self, block: FrameBlock) -> None:
        """The next frames."""
        for begin in range(0, len(block.starts), _MOST_FRAMES):
            self._take(block.take(slice(begin, begin + _MOST_FRAMES)))

    def _take(self, block: FrameBlock) -> None:
        outcomes, packets = decode_block(block, self._ports)
        counts = np.bincount(outcomes)
        self.outcomes.update({FrameOutcome(at): int(counts[at]) for at in np.flatnonzero(counts)})
        now_ms = np.maximum(np.maximum.accumulate(block.time_ns // 1_000_000), self._now_ms)
        times = BlockTimes(now_ms, block.time_ns, self.packets)
        for version, of_version in packets.items():
            if len(of_version.frames):
                self._flows[version].take(of_version, times)
        self._now_ms = int(now_ms[-1])
        self.packets += len(block.starts)

    def finish(self) -> FlowColumns:
        """All flows; nothing can be taken afterwards."""
        (four, four_ended), (six, six_ended) = (self._flows.pop(version).finish() for version in (4, 6))
        if not len(six):
            flows, ended_at = four, four_ended
        elif not len(four):
            flows, ended_at = six, six_ended
        else:
            flows, ended_at = four.joined(six), np.append(four_ended, six_ended)
        flows.reorder(np.lexsort((flows.packet, ended_at, flows.start_ns)))
        return flows


def extract_flows(
    paths: Iterable[str | Path],
    parameters: TableParameters,
    on_cut: Callable[[Cut], None] | None = None,
    on_progress: Callable[[int], None] | None = None,
    *,
    block_bytes: int = BLOCK_BYTES,
) -> Extraction:
    """Measure the flows of captures that follow one another; flows go on from file to file.

    Parameters and errors are those of :func:`sim.capture_blocks.read_blocks` and :class:`FlowExtractor`; progress
    counts the bytes of all files.
    """
    # glibc gives memory back to the system and asks for it again around every temporary array, which takes a quarter of
    # the time, until it has seen a large one come and go.
    np.empty(_LARGE_BYTES, np.uint8)
    extractor, first_packets, read = FlowExtractor(parameters), [], 0
    for path in paths:
        first_packets.append(extractor.packets)
        report = None if on_progress is None else lambda size, before=read: on_progress(before + size)
        for block in read_blocks(path, on_cut, report, block_bytes=block_bytes):
            extractor.take(block)
        read += Path(path).stat().st_size
    return Extraction(extractor.finish(), extractor.outcomes, np.array(first_packets, np.int64))
