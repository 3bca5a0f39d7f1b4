"""Command line: ``python -m training flows | fit``."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from compiler.cli import new_app, progress, run
from compiler.errors import InputError
from compiler.features import CATALOGUE, REFERENCE_COLUMNS, accumulators_of
from hdl.item import FrameOutcome
from sim.flow_table import TableParameters

from .flow_file import FLOW_COLUMNS, RAW_COLUMNS, check_suffix, flow_rows, raw_rows, write_rows
from .labels import read_labels
from .measure import measure_capture

app = new_app("Labelled flows from captures, and forests trained on them.")


def parse_ports(text: str) -> frozenset[int] | None:
    """``all`` is None; else port numbers with commas between them."""
    if text == "all":
        return None
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and 0 < int(part) < 1 << 16 for part in parts):
        raise InputError(f"--ports: must be 'all' or ports from 1 to 65535 with commas, not {text!r}")
    return frozenset(map(int, parts))


def _milliseconds(name: str, seconds: float | None, default_ms: int | None) -> int | None:
    if seconds is None:
        return default_ms
    if not 0.001 <= seconds <= 1e9:
        raise InputError(f"--{name}: must be from 0.001 to 1e9 seconds, not {seconds}")
    return round(seconds * 1000)


Ports = Annotated[str, typer.Option(help="Tracked TCP ports, with commas, or all.")]
Orientation = Annotated[
    Literal["initiator", "first"],
    typer.Option(help="Forward is from the side that opened the flow, or from the first sender seen."),
]


@app.command()
def flows(
    captures: Annotated[list[Path], typer.Argument(help="pcap or pcapng files; each is measured by itself.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write, .csv or .parquet.")],
    labels: Annotated[Path | None, typer.Option(help="Table of labels, CSV, to join with the flows.")] = None,
    server: Annotated[
        list[str] | None,
        typer.Option(help="Address of an own server: flows it opens are put down to the other side."),
    ] = None,
    ports: Ports = "25",
    orientation: Orientation = "initiator",
    raw: Annotated[bool, typer.Option("--raw", help="Raw accumulators, no timeouts unless given.")] = False,
    idle: Annotated[
        float | None, typer.Option(help="Seconds without a packet that end a flow [120].")
    ] = None,
    active: Annotated[float | None, typer.Option(help="Seconds after which a flow is cut [1800].")] = None,
    linger: Annotated[float | None, typer.Option(help="Seconds that a closed flow stays [2].")] = None,
) -> None:
    """Measure the flows of captures, one row a flow."""
    check_suffix(out)
    if raw and labels is not None:
        raise InputError("--labels: cannot be joined to raw accumulators")
    parameters = TableParameters(
        idle_ms=_milliseconds("idle", idle, None if raw else 120_000),
        active_ms=_milliseconds("active", active, None if raw else 1_800_000),
        linger_ms=_milliseconds("linger", linger, None if raw else 2_000),
        ports=parse_ports(ports),
        orientation=orientation,
        accumulators=tuple(REFERENCE_COLUMNS.values()) if raw else accumulators_of(tuple(CATALOGUE)),
    )
    table = None if labels is None else read_labels(labels)
    rows, frames, used = [], 0, 0
    for path in captures:
        with progress(f"measuring {path.name}"):
            capture = measure_capture(path, parameters, on_cut=lambda cut: print(cut, file=sys.stderr))
            rows += raw_rows(capture) if raw else flow_rows(capture, table, frozenset(server or ()))
        frames += capture.outcomes.total()
        used += capture.outcomes[FrameOutcome.USED]
    labelled = "" if table is None else f", {_count_labelled(rows, labels)} of them labelled"
    write_rows(out, RAW_COLUMNS if raw else FLOW_COLUMNS, rows)
    print(f"{out}: {len(rows)} flows from {used} of {frames} frames{labelled}")


def _count_labelled(rows: list[tuple], labels: Path) -> int:
    column = FLOW_COLUMNS.index("label")
    labelled = sum(row[column] != "" for row in rows)
    if rows and not labelled:
        raise InputError(f"{labels}: no label matches a flow of these captures")
    return labelled


@app.command()
def fit() -> None:
    """Train."""


if __name__ == "__main__":
    run(app)
