"""Board: what the compiler needs to know of a board."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .ice40 import Device

__all__ = ["Board"]


@dataclass(frozen=True, kw_only=True)
class Board:
    """A board with its link.

    Attributes
    ----------
    name, title:
        What ``--board`` takes, and what people call it.
    clock_hz:
        The clock that everything runs on.
    table_entries:
        Flows that the table holds.
    build:
        Called with a probe, its build id and a directory, writes there what :mod:`boards.ice40` builds from.
    seed:
        The first seed of place and route.
    """

    name: str
    title: str
    device: Device
    clock_hz: int
    table_entries: int
    build: Callable[[Any, str, Path], None]
    seed: int = 1
