"""``compiler flash``."""

from pathlib import Path
from typing import Annotated

import typer

from boards.flashing import BoardMissing, flash
from boards.toolchain import ToolError, ToolMissing

from ..cli import progress
from ..emit import sha256
from ..errors import InputError
from ..exporting import target_named
from ..manifest import read_manifest

__all__ = ["flash_command"]


def flash_command(directory: Annotated[Path, typer.Argument(help="An export that has been built.")]) -> None:
    """Write the bitstream of an export into the board.

    Example:

        python -m compiler flash probe
    """
    manifest = read_manifest(directory)
    board = target_named(manifest.board["name"])
    bitstream = directory / board.device.family.bitstream
    if bitstream.name not in manifest.files:
        raise InputError(f"{directory}: has no bitstream; run python -m compiler build {directory} (top probe)")
    if not bitstream.is_file() or sha256(bitstream.read_bytes()) != manifest.files[bitstream.name]:
        raise InputError(f"{bitstream}: is not the bitstream that was built; build again")
    try:
        with progress(f"flashing {manifest.board['title']}"):
            flash(bitstream, board)
    except (ToolMissing, BoardMissing, ToolError) as error:
        raise InputError(f"cannot flash {manifest.board['name']}: {error}") from None
    print(f"{manifest.board['name']} holds build {manifest.build_id} of forest {manifest.forest['id']}")
