"""``training evaluate``."""

from pathlib import Path
from typing import Annotated

import typer

from compiler.cli import progress, warn
from compiler.errors import InputError

from ..evaluation import cases_of, needed_features
from ..evaluation_report import print_cases, print_leaks
from ..feature_choice import chosen_features
from ..fit_report import report_console
from ..fitting import FitParameters
from ..leaks import leaks_of, warnings_of
from .flow_files import read_flows, warn_of_common
from .options import Directions, Features, Ports, parse_ports

__all__ = ["evaluate"]


def evaluate(
    flow_files: Annotated[
        list[Path], typer.Argument(metavar="FLOWS...", help="Files that `flows` wrote, each a source of its own.")
    ],
    budget: Annotated[
        float, typer.Option(min=0, help="False alarms per 10 000 legitimate flows at which all are compared.")
    ] = 100,
    trees: Annotated[int, typer.Option(min=1, max=4096, help="Number of trees.")] = FitParameters.trees,
    depth: Annotated[int, typer.Option(min=1, max=32, help="Most tests from root to leaf.")] = FitParameters.depth,
    leaves: Annotated[int, typer.Option(min=2, help="Most leaves of a tree.")] = FitParameters.leaves,
    caution: Annotated[
        float, typer.Option(min=0.01, help="How much more legitimate flows count than spam.")
    ] = FitParameters.caution,
    seed: Annotated[int, typer.Option(min=0, help="Seed of trees, folds and resampled senders.")] = 1,
    repeats: Annotated[int, typer.Option(min=1, help="Repetitions with other folds and trees, averaged.")] = 3,
    features: Features = "lengths",
    directions: Directions = "forward",
    ports: Ports = "25",
) -> None:
    """Compare forests with simpler classifiers at equal false alarms, on senders and sources they have not seen.

    Every source is judged in folds that share no sender, and by what was learnt from every other source. Beside it:
    what single classes are called, leak tests, the operating point that a forest brings with it, and precision.

    Example:

        python -m training evaluate main.csv skew.csv --ports 25,587
    """
    names, tracked = chosen_features(features, directions), parse_ports(ports)
    parameters = FitParameters(
        trees=trees, depth=depth, leaves=leaves, caution=caution, seed=seed, budget=budget, ports=tracked
    )
    needed = needed_features(names)
    sources = {}
    for path in flow_files:
        if path.stem in sources:
            raise InputError(f"{path}: another source is called {path.stem!r} too")
        with progress(f"reading {path.name}"):
            sources[path.stem] = read_flows([path], needed, tracked, directions)
    warn_of_common(sources)
    console = report_console()
    with progress("learning") as tell:
        cases = cases_of(sources, parameters, names, repeats, tell)
    print_cases(console, cases)
    leaks = []
    for name, flows in sources.items():
        with progress(f"leak tests of {name}"):
            leaks += leaks_of(name, flows, parameters, names)
    print_leaks(console, leaks)
    for warning in warnings_of(leaks):
        warn(warning)
    print(f"seeds {seed} to {seed + repeats - 1}, {len(names)} features: {', '.join(names)}")
