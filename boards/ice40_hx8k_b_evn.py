"""iCE40HX8K-B-EVN."""

from pathlib import Path
from typing import Any

from .board import Board
from .ice40 import HX8K

__all__ = ["BOARD"]


def _build(probe: Any, build_id: str, directory: Path) -> None:
    raise AssertionError


BOARD = Board(
    name="ice40_hx8k_b_evn",
    title="iCE40HX8K-B-EVN",
    device=HX8K,
    clock_hz=12_000_000,
    table_entries=64,
    build=_build,
)
