"""``training sizes``."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from compiler.atomic import check_file_target
from compiler.cli import progress
from compiler.errors import InputError
from compiler.exporting import board_named
from compiler.extras import import_extra

from ..cross_fitting import require_both
from ..feature_choice import chosen_features
from ..fit_report import report_console
from ..fitting import FitParameters
from ..sizes import draw_sizes, sizes_of
from .flow_files import read_flows
from .options import Directions, Features, Ports, parse_ports

__all__ = ["sizes"]


def sizes(
    flow_files: Annotated[list[Path], typer.Argument(metavar="FLOWS...", help="Files that `flows` wrote.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Picture to write, .png.")] = None,
    board: Annotated[str, typer.Option(help="Board whose circuits are estimated.")] = "icebreaker",
    leaves: Annotated[str, typer.Option(help="Most leaves of a tree, numbers with commas.")] = "4,8,16,24",
    thresholds: Annotated[
        str, typer.Option(help="Most thresholds of a feature, numbers with commas; 0: any number.")
    ] = "16,32,0",
    trees: Annotated[int, typer.Option(min=1, max=4096, help="Number of trees.")] = FitParameters.trees,
    budget: Annotated[float, typer.Option(min=0, help="False alarms per 10 000 legitimate flows.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Seed of trees and folds.")] = 1,
    features: Features = "lengths",
    directions: Directions = "forward",
    ports: Ports = "25",
) -> None:
    """Show what forests of several sizes catch, and what their circuits should take.

    Take the size you like with `fit --leaves … --thresholds …`.

    Example:

        python -m training sizes main.csv --ports 25,587 --board icebreaker -o sizes.png
    """
    if out is not None:
        check_file_target(out, (".png",))
        import_extra("matplotlib", "plot", out)
    target = board_named(board)
    names, tracked = chosen_features(features, directions), parse_ports(ports)
    parameters = FitParameters(trees=trees, seed=seed, budget=budget, ports=tracked, directions=directions)
    tried = _numbers("leaves", leaves, 2), _numbers("thresholds", thresholds, 0)
    with progress("reading flows"):
        flows = read_flows(flow_files, names, tracked, directions)
    require_both(flows)
    with progress("fitting") as tell:
        found = sizes_of(flows, parameters, target, tried[0], [number or None for number in tried[1]], tell)
    table = Table(title=f"{trees} trees, circuits for {board} as estimated", title_justify="left")
    for name in (
        *("leaves", "thresholds a feature", "thresholds in all", "caught", "circuit"),
        *("logic cells", "block RAMs", "fits", "front"),
    ):
        table.add_column(name, justify="right")
    for size in found:
        table.add_row(
            str(size.leaves),
            str(size.thresholds or "any"),
            str(size.tested),
            f"{size.detection:.3f}",
            size.architecture,
            str(size.logic_cells),
            str(size.block_rams),
            "yes" if size.fits else "no",
            "*" if size.best else "",
        )
    report_console().print(table)
    if out is not None:
        draw_sizes(out, found, target, budget)
        print(f"{out}: {len(found)} sizes, seed {seed}")


def _numbers(name: str, text: str, least: int) -> list[int]:
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and int(part) >= least for part in parts):
        raise InputError(f"--{name}: must be numbers of at least {least} with commas, not {text!r}")
    return [int(part) for part in parts]
