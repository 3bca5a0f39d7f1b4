"""How commands say what they have found."""

import json
import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

__all__ = ["MONITOR_ONLY", "AsJson", "counted", "print_json", "print_table"]

MONITOR_ONLY = "monitor only: no band met the budget of false alarms; look at its verdicts, do not act on them"

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def print_json(document: Any) -> None:
    print(json.dumps(document, indent=1, ensure_ascii=False))


def print_table(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(rows)
        return
    # Long texts are broken over lines; names and numbers stay whole.
    table = Table(box=None, pad_edge=False)
    for key, value in rows[0].items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        prose = key == "meaning"
        table.add_column(
            key.replace("_", " "), justify="right" if number else "left", no_wrap=not prose, overflow="fold"
        )
    for row in rows:
        table.add_row(*map(_cell, row.values()))
    # A pipe has no width to fit into.
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
