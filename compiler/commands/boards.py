"""``compiler boards``."""

from boards import TARGETS, Board

from ..design import FLASHABLE, TOPS
from .output import AsJson, print_table

__all__ = ["boards_command"]


def boards_command(as_json: AsJson = False) -> None:
    """List the boards, and the devices that take the forest alone.

    Example:

        python -m compiler boards --json
    """
    rows = [
        {
            "name": target.name,
            "device": target.device.name,
            "logic_cells": target.device.logic_cells,
            "clock_mhz": target.clock_hz / 1e6,
            "table_entries": target.table_entries if isinstance(target, Board) else None,
            "tops": [top for top in TOPS if top not in FLASHABLE or isinstance(target, Board)],
        }
        for target in TARGETS.values()
    ]
    print_table(rows, as_json)
