"""One file a board, the devices that a forest alone can be built for, the toolchain that builds, and flashing."""

from . import colorlight_5a75b, ice40_hx8k_b_evn, icebreaker, icebreaker_rmii
from .board import Board, Target
from .lone_devices import LONE_DEVICES

__all__ = ["BOARDS", "TARGETS", "Board", "Target"]

_ALL = (icebreaker.BOARD, ice40_hx8k_b_evn.BOARD, icebreaker_rmii.BOARD, colorlight_5a75b.BOARD)

BOARDS: dict[str, Board] = {board.name: board for board in _ALL}
"""Every board by name."""

TARGETS: dict[str, Target] = BOARDS | {target.name: target for target in LONE_DEVICES}
"""Every board, and the devices that take the forest alone, by name."""
