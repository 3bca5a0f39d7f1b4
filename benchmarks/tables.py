"""How every benchmark writes down what it measured."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from compiler.atomic import replacing

__all__ = ["RESULTS", "write_results"]

RESULTS = Path(__file__).with_name("results")


def write_results(name: str, command: str, notes: dict[str, Any], tables: dict[str, Sequence[dict[str, Any]]]) -> None:
    """Write ``results/NAME.json`` and ``results/NAME.md``.

    Parameters
    ----------
    command: what makes them again
    notes: what was the same for all rows, such as versions of tools
    tables: rows by title; all rows of a table have the same columns
    """
    RESULTS.mkdir(exist_ok=True)
    with replacing(RESULTS / f"{name}.json") as fresh:
        fresh.write_text(json.dumps({"command": command, **notes, "tables": tables}, indent=1) + "\n", encoding="utf-8")
    said = ", ".join(f"{key} {value}" for key, value in notes.items())
    lines = [f"# {name}", "", f"`{command}`: {said}.", ""]
    for title, rows in tables.items():
        columns = list(rows[0])
        lines += [f"## {title}", "", f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
        lines += [f"| {' | '.join(str(row[column]) for column in columns)} |" for row in rows]
        lines.append("")
    with replacing(RESULTS / f"{name}.md") as fresh:
        fresh.write_text("\n".join(lines), encoding="utf-8")
