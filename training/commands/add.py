"""``training add``."""

from pathlib import Path
from typing import Annotated

import typer

from compiler.atomic import check_file_target
from compiler.cli import progress
from compiler.forest import Forest

from ..drift.histograms import write_forest
from ..fitting import FitParameters, sources_of
from ..growth import add_trees
from .flow_files import read_flows

__all__ = ["add"]


def add(
    forest: Annotated[Path, typer.Argument(help="forest.json to begin with.")],
    flow_files: Annotated[list[Path], typer.Argument(metavar="FLOWS...", help="Newer flows that `flows` wrote.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="forest.json to write.")],
    trees: Annotated[int, typer.Option(min=1, max=4096, help="Number of trees to add.")] = 20,
    cap: Annotated[int, typer.Option(min=1, max=4096, help="Most trees of the forest; the weakest are dropped.")] = 61,
    leaves: Annotated[int, typer.Option(min=2, help="Most leaves of a new tree.")] = FitParameters.leaves,
    budget: Annotated[float, typer.Option(min=0, help="False alarms per 10 000 legitimate flows.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Seed of split and trees.")] = 1,
) -> None:
    """Add trees that learn from newer flows, weigh all on them, and drop the weakest.

    Of the newer senders two thirds teach; the others weigh all trees and choose the band.

    Example:

        python -m training add forest.json june.csv --trees 20 --cap 61 -o forest_june.json
    """
    check_file_target(out)
    begun = Forest.from_json(forest)
    tracked = None if begun.ports is None else frozenset(begun.ports)
    with progress("reading flows"):
        flows = read_flows(flow_files, begun.feature_names, tracked, begun.directions)
    parameters = FitParameters(
        trees=trees,
        leaves=leaves,
        budget=budget,
        seed=seed,
        ports=tracked,
        orientation=begun.orientation,
        directions=begun.directions,
    )
    with progress("adding trees"):
        grown = add_trees(begun, flows, parameters, cap)
    made = grown.fit.forest
    made.provenance["flows"] = sources_of(flow_files)
    write_forest(out, made, flows)
    point = grown.fit.operating_point
    kept = f"{grown.old} of {len(begun.trees)} old trees and {grown.new} of {trees} new ones"
    print(f"{out}: forest {made.id}, {kept}, seed {seed}")
    print(
        f"band {tuple(made.band)}: catches {point.caught:.1%} of the newer spam with {point.false_alarms.rate:.0f} "
        f"false alarms per 10 000, upper 95 % bound {point.false_alarms.bound:.0f}"
    )
    if made.monitor_only:
        print("monitor only: no band keeps the bound within the budget; verdicts are for ranking senders")
