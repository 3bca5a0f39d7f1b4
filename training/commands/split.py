"""``training split``."""

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from compiler.cli import progress
from compiler.errors import InputError

from ..flow_file import check_target, read_flow_rows, write_rows

__all__ = ["split"]


def split(
    flows: Annotated[Path, typer.Argument(help="File that `flows` or `import` wrote.")],
    out: Annotated[list[Path], typer.Option("--out", "-o", help="A file for each part; two at least.")],
    seed: Annotated[int, typer.Option(min=0, help="Which senders come together.")] = 1,
) -> None:
    """Split flows into parts that share no sender, for learning and for testing.

    The part of a sender follows from its name and the seed alone, so it is the same in every file.

    [bold]Example[/]: python -m training split flows.csv -o learn.csv -o test.csv
    """
    if len(out) < 2 or len(set(out)) < len(out):
        raise InputError("--out: must name two files or more, each once")
    for path in out:
        check_target(path, inputs=[flows])
    columns = next((tuple(row) for _, row in read_flow_rows(flows, ("sender",))), None)
    if columns is None:
        raise InputError(f"{flows}: holds no flows")
    parts: list[list[dict]] = [[] for _ in out]
    with progress(f"reading {flows.name}"):
        for _, row in read_flow_rows(flows, ("sender",)):
            parts[_part_of(row["sender"], seed, len(out))].append(row)
    for part, path in enumerate(out):
        if not parts[part]:
            raise InputError(f"{flows}: has too few senders, none falls into part {part + 1}, {path}")
    for path, rows in zip(out, parts, strict=True):
        write_rows(path, columns, (tuple(row.values()) for row in rows))
        senders = {row["sender"] for row in rows}
        print(f"{path}: {len(rows)} flows of {len(senders)} senders, seed {seed}")


def _part_of(sender: str, seed: int, parts: int) -> int:
    digest = hashlib.blake2b(f"{seed} {sender}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % parts
