"""What a capture held of the flows that were measured from it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.block_headers import decode_block
from sim.capture import Cut
from sim.capture_blocks import read_blocks

__all__ = ["Captured", "captured_of"]


@dataclass(frozen=True)
class Captured:
    """Frames of the tracked flows in a capture.

    Attributes
    ----------
    wire_bytes:
        Of the whole frames, without FCS.
    header_bytes:
        That were captured of them.
    """

    frames: int
    wire_bytes: int
    header_bytes: int


def captured_of(path: Path, ports: frozenset[int] | None, on_cut: Callable[[Cut], None] | None = None) -> Captured:
    """Count the frames that become flows."""
    totals = np.zeros(3, np.int64)
    for block in read_blocks(path, on_cut):
        for packets in decode_block(block, ports)[1].values():
            chosen = packets.frames
            totals += len(chosen), block.wire[chosen].sum(), block.captured[chosen].sum()
    return Captured(*totals.tolist())
