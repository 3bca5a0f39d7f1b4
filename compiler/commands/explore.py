"""``compiler explore``."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from boards import TARGETS

from .. import explore as exploring
from ..atomic import check_file_target, replacing
from ..cli import progress
from ..exporting import target_named
from ..extras import import_extra
from ..loading import REFERENCE, load
from .output import AsJson, print_json

__all__ = ["explore_command"]


def explore_command(
    forest: Annotated[
        Path | None, typer.Argument(metavar="[MODEL]", help="As for export; by default the reference forest.")
    ] = None,
    board: Annotated[str, typer.Option(metavar="|".join(TARGETS), help="Whose device is to be filled.")] = "icebreaker",
    out: Annotated[Path, typer.Option("-o", "--out", help="Picture to write, PNG.")] = Path("explore.png"),
    place: Annotated[
        bool, typer.Option("--place", help="Place and route those that are best, which takes minutes.")
    ] = False,
    features: Annotated[
        str | None, typer.Option(metavar="A,B,…", help="Columns of an estimator; by default those it was fitted with.")
    ] = None,
    trust_pickle: Annotated[
        bool, typer.Option("--trust-pickle", help="Read a pickle, which can run any program.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what circuits a forest could become on a device: size against flows per second, and which are best.

    Examples:

        python -m compiler explore forest.json --board icebreaker

        python -m compiler explore forest.json --board lfe5u-85f --place -o front.png
    """
    import_extra("matplotlib", "plot", "explore")
    loaded = load(forest or REFERENCE, features.split(",") if features else None, trust_pickle)
    loaded.verify()
    device = target_named(board).device
    check_file_target(out)
    with progress("planning") as tell:
        points = exploring.explore(loaded, device)
        if place:
            points = exploring.place(points, device, tell)
        with replacing(out) as fresh:
            exploring.plot(points, device, f"{loaded.name}, {len(loaded.trees)} trees, on {device.name}", fresh)
    if as_json:
        print_json([_point_entry(point) for point in points])
        return
    table = Table(box=None, pad_edge=False)
    for name in (
        "",
        "architecture",
        "stages",
        "lanes",
        "logic cells",
        "registers",
        "block RAMs",
        "MHz",
        "flows/s",
        "latency",
    ):
        table.add_column(name, justify="left" if name in ("", "architecture") else "right")
    if place:
        for name in ("placed: cells", "registers", "block RAMs", "MHz"):
            table.add_column(name, justify="right")
    for point in points:
        table.add_row(*_point_row(point, place))
    Console(width=None if sys.stdout.isatty() else 200).print(table)
    print(f"* no other that fits is as fast with fewer logic cells; {out}: the picture")


def _point_entry(point: "exploring.Point") -> dict[str, Any]:
    return {
        "architecture": point.plan.architecture,
        **point.plan.entry,
        "summary": point.plan.summary,
        "estimate": asdict(point.plan.estimate),
        "flows_per_s": round(point.flows_per_s),
        "best": point.best,
        "placed": asdict(point.placed) if point.placed else None,
    }


def _point_row(point: "exploring.Point", place: bool) -> list[str]:
    estimate = point.plan.estimate
    row = [
        "*" if point.best else "",
        point.plan.architecture,
        str(point.plan.stages),
        str(point.plan.lanes),
        str(estimate.logic_cells),
        str(estimate.registers),
        str(estimate.block_rams),
        f"{estimate.clock_hz / 1e6:.0f}",
        f"{point.flows_per_s:.0f}",
        str(estimate.latency),
    ]
    if place and point.best:
        placed = point.placed
        row += (
            [str(placed.logic_cells), str(placed.registers), str(placed.block_rams), f"{placed.clock_hz / 1e6:.1f}"]
            if placed
            else ["does not fit", "", "", ""]
        )
    return row
