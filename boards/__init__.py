"""One file a board, the toolchain that builds for it, and flashing."""

from . import ice40_hx8k_b_evn, icebreaker
from .board import Board

__all__ = ["BOARDS", "Board"]

BOARDS: dict[str, Board] = {board.name: board for board in (icebreaker.BOARD, ice40_hx8k_b_evn.BOARD)}
"""Every board by name."""
