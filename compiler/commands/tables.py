"""``compiler tables``."""

from pathlib import Path
from typing import Annotated

import typer

from ..cli import warn
from ..loading import load
from ..table_file import write_tables

__all__ = ["tables_command"]


def tables_command(
    forest: Annotated[Path, typer.Argument(metavar="FOREST", help="forest.json of the forest that is to come.")],
    directory: Annotated[Path, typer.Option("--export", help="The export, made with --loadable.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="File to write.")] = Path("forest.tables"),
) -> None:
    """Write a forest as the tables that a running walker can be loaded with.

    Example:

        python -m compiler tables new.json --export core -o new.tables
    """
    loaded = load(forest)
    for warning in loaded.verify():
        warn(warning)
    print(f"{out}: forest {loaded.id}, {write_tables(loaded, directory, out)} bytes")
