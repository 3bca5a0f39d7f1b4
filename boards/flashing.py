"""Flashing: a bitstream into the flash memory of a board."""

from pathlib import Path

from .board import Board
from .toolchain import ToolError, ToolMissing, run_tool

__all__ = ["BoardMissing", "flash"]

_PACKAGES = {"ICEPROG": "fpga-icestorm", "OPENFPGALOADER": "openfpgaloader"}
"""Of Debian and Ubuntu."""


class BoardMissing(Exception):
    """The programmer does not see a board."""


def flash(bitstream: str | Path, board: Board) -> None:
    """Write a bitstream with the board's programmer and read it back.

    Raises :class:`~boards.toolchain.ToolMissing` without the program, :class:`BoardMissing` without a board.
    """
    bitstream = Path(bitstream)
    variable, *arguments = board.programmer
    try:
        run_tool(variable, [*arguments, bitstream.name], bitstream.parent)
    except ToolMissing as error:
        raise ToolMissing(f"{error} (Debian, Ubuntu: apt install {_PACKAGES[variable]})") from None
    except ToolError as error:
        # iceprog: "Can't find iCE FTDI USB device (vendor_id 0x0403, device_id 0x6010 or 0x6014)."
        # openFPGALoader: "unable to open ftdi device: -3 (device not found)".
        if "find" in str(error).lower() or "not found" in str(error).lower():
            raise BoardMissing(f"no board is connected, or it may not be opened: {error}") from None
        raise
