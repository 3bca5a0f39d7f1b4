"""iCEBreaker."""

from pathlib import Path
from typing import Any

from .board import Board
from .ice40 import UP5K

__all__ = ["BOARD"]


def _build(probe: Any, build_id: str, directory: Path) -> None:
    raise AssertionError


BOARD = Board(
    name="icebreaker",
    title="iCEBreaker",
    device=UP5K,
    clock_hz=24_000_000,
    table_entries=1024,
    build=_build,
)
