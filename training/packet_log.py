"""PacketLog: all packets of a capture in memory, to be changed as another tap would see them, and then measured."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hdl.item import FrameOutcome
from sim.block_headers import BlockPackets, decode_block
from sim.capture import Cut
from sim.capture_blocks import read_blocks
from sim.flow_columns import FlowColumns
from sim.table_parameters import TableParameters
from sim.vector_flows import BlockTimes, VectorFlows

from .measure import MeasuredCapture

__all__ = ["PacketLog", "measured_logs", "read_packets"]


@dataclass(frozen=True)
class PacketLog:
    """The TCP packets of one IP version, in the order of the capture.

    Attributes
    ----------
    version:
        4 or 6.
    packets:
        As of a block; ``frames`` are not used.
    time_ns:
        Of each packet (int64).
    """

    version: int
    packets: BlockPackets
    time_ns: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.time_ns)

    def take(self, chosen: NDArray) -> "PacketLog":
        """Some of the packets."""
        columns = {name: column[..., chosen] for name, column in self.packets._asdict().items()}
        return PacketLog(self.version, BlockPackets(**columns), self.time_ns[chosen])

    def with_columns(self, **columns: NDArray) -> "PacketLog":
        """The same packets with other lengths, TTLs, flags and so on."""
        return replace(self, packets=self.packets._replace(**columns))

    def joined(self, other: "PacketLog") -> "PacketLog":
        """The packets of both, in the order of their times."""
        columns = {
            name: np.concatenate([column, getattr(other.packets, name)], axis=-1)
            for name, column in self.packets._asdict().items()
        }
        times = np.concatenate([self.time_ns, other.time_ns])
        return PacketLog(self.version, BlockPackets(**columns), times).take(np.argsort(times, kind="stable"))

    def flows(self, parameters: TableParameters) -> FlowColumns:
        """Their flows, in the order of their first packets."""
        table = VectorFlows(self.version, parameters)
        if len(self):
            now_ms = np.maximum.accumulate(self.time_ns // 1_000_000)
            numbered = self.packets._replace(frames=np.arange(len(self)))
            table.take(numbered, BlockTimes(now_ms, self.time_ns, 0))
        flows, _ = table.finish()
        flows.reorder(np.lexsort((flows.packet, flows.start_ns)))
        return flows


def read_packets(
    path: Path, ports: frozenset[int] | None, on_cut: Callable[[Cut], None] | None = None
) -> list[PacketLog]:
    """The tracked packets of a capture, a log for each IP version that occurs."""
    found: dict[int, list[tuple[BlockPackets, NDArray]]] = {}
    for block in read_blocks(path, on_cut):
        _, packets = decode_block(block, ports)
        for version, of_version in packets.items():
            if len(of_version.frames):
                # The block's data is overwritten by the next one; what was decoded from it may be a view.
                copied = BlockPackets(*(np.array(column) for column in of_version))
                found.setdefault(version, []).append((copied, block.time_ns[of_version.frames].copy()))
    logs = []
    for version, parts in sorted(found.items()):
        columns = zip(*(packets for packets, _ in parts), strict=True)
        joined = BlockPackets(*(np.concatenate(column, axis=-1) for column in columns))
        logs.append(PacketLog(version, joined, np.concatenate([times for _, times in parts])))
    return logs


def measured_logs(name: str, logs: list[PacketLog], parameters: TableParameters) -> MeasuredCapture:
    """What a capture of these packets would have given."""
    flows = [log.flows(parameters) for log in logs]
    joined = flows[0] if len(flows) == 1 else flows[0].joined(flows[1])
    used = Counter({FrameOutcome.USED: sum(map(len, logs))})
    return MeasuredCapture((name,), np.zeros(1, np.int64), joined, used)
