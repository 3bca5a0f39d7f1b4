"""Target and Board: what the compiler needs to know of where a circuit is to run."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hdl.probe_front import Pipeline

from .device import Device

__all__ = ["Board", "Target"]


@dataclass(frozen=True, kw_only=True)
class Target:
    """A device with a clock. When it is no more than that it takes the forest alone.

    Attributes
    ----------
    name, title:
        What ``--board`` takes, and what people call it.
    clock_hz:
        The clock that everything runs on.
    seed:
        The first seed of place and route.
    """

    name: str
    title: str
    device: Device
    clock_hz: int
    seed: int = 1


@dataclass(frozen=True, kw_only=True)
class Board(Target):
    """A board with its link.

    Attributes
    ----------
    table_entries:
        Flows that the table holds.
    block_rams:
        That a probe takes without its forest, whose features make it a few more or less.
    flows_per_s:
        Flows that the link can bring a second at most, if every frame is one by itself; where it listens to a wire,
        more than their records can leave.
    programmer:
        The variable of :data:`boards.toolchain.TOOLS` that stands for the program that writes a bitstream into the
        flash memory, and its arguments before the file.
    serial:
        Messages leave over a serial line, so COBS makes frames of them.
    waits:
        The link can push back, so the probe loses no record for want of room.
    pipeline:
        How many packets are under way at the same time; None: one after the other.
    build:
        Called with a probe, its build id and a directory, writes there what :mod:`boards.synthesis` builds from.
    """

    table_entries: int
    block_rams: int
    flows_per_s: int
    build: Callable[[Any, str, Path], None]
    programmer: tuple[str, ...] = ("ICEPROG",)
    serial: bool = True
    waits: bool = True
    pipeline: Pipeline | None = None
