"""Flashing: a bitstream into the flash memory of a board."""

from pathlib import Path

from .toolchain import ToolError, ToolMissing, run_tool

__all__ = ["BoardMissing", "flash"]


class BoardMissing(Exception):
    """The programmer does not see a board."""


def flash(bitstream: str | Path) -> None:
    """Write a bitstream with iceprog (or what ``ICEPROG`` names) and read it back.

    Raises :class:`~boards.toolchain.ToolMissing` without the program, :class:`BoardMissing` without a board.
    """
    bitstream = Path(bitstream)
    try:
        run_tool("ICEPROG", [bitstream.name], bitstream.parent)
    except ToolMissing as error:
        raise ToolMissing(f"{error} (Debian, Ubuntu: apt install fpga-icestorm)") from None
    except ToolError as error:
        # iceprog: "Can't find iCE FTDI USB device (vendor_id 0x0403, device_id 0x6010 or 0x6014)."
        if "find" in str(error).lower():
            raise BoardMissing(f"no board is connected, or it may not be opened: {error}") from None
        raise
