"""Options that several commands take."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from compiler.errors import InputError

__all__ = ["Directions", "Features", "Labels", "OptionalLabels", "Orientation", "Ports", "Servers", "parse_ports"]

Ports = Annotated[str, typer.Option(help="Tracked TCP ports, with commas, or all.")]
_LABELS = typer.Option(help="Table of labels, CSV, to join with the flows.")
Labels = Annotated[Path, _LABELS]
OptionalLabels = Annotated[Path | None, _LABELS]
Servers = Annotated[
    list[str] | None, typer.Option(help="Address of an own server: flows it opens are put down to the other side.")
]
Orientation = Annotated[
    Literal["initiator", "first"],
    typer.Option(help="Forward is from the side that opened the flow, or from the first sender seen."),
]
Features = Annotated[
    str,
    typer.Option(
        metavar="SET|NAMES",
        help="lengths (variance and maximum, and PSH count), shape (lengths, counts), universal (the paper's), reduced "
        "(least, largest and mean length, and flags that occurred: the paper's record of a BRAS), all, or names.",
    ),
]
Directions = Annotated[
    Literal["both", "forward"], typer.Option(help="Whether features of the response are used, or only of the client.")
]


def parse_ports(text: str) -> frozenset[int] | None:
    """``all`` is None; else port numbers with commas between them."""
    if text == "all":
        return None
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and 0 < int(part) < 1 << 16 for part in parts):
        raise InputError(f"--ports: must be 'all' or ports from 1 to 65535 with commas, not {text!r}")
    return frozenset(map(int, parts))
