"""Packing: a routed design into the bitstream that a device takes."""

from pathlib import Path

from .device import Family
from .toolchain import run_tool

__all__ = ["pack_bitstream"]


def pack_bitstream(directory: str | Path, family: Family) -> Path:
    """Make a bitstream of what routing has left in a directory."""
    variable, *arguments = family.packing
    run_tool(variable, arguments, directory)
    return Path(directory) / family.bitstream
