"""``training universal``."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from compiler.cli import progress
from compiler.errors import InputError
from compiler.features import UNIVERSAL

from ..cross_fitting import require_both
from ..fit_report import report_console
from ..fitting import FitParameters
from ..universal import CANDIDATES, THRESHOLD, rank_features, verify_choice
from .flow_files import read_flows
from .options import Ports, parse_ports

__all__ = ["universal"]


def universal(
    flow_files: Annotated[
        list[Path], typer.Argument(metavar="FLOWS...", help="Files that `flows` wrote, each a source: two or more.")
    ],
    threshold: Annotated[
        float, typer.Option(min=0, max=100, help="Points that a universal feature must have.")
    ] = THRESHOLD,
    trees: Annotated[int, typer.Option(min=1, max=4096, help="Number of trees of the votes.")] = FitParameters.trees,
    seed: Annotated[int, typer.Option(min=0, help="Seed of trees and folds.")] = 1,
    ports: Ports = "25",
) -> None:
    """Rank features by how much they matter in every source.

    Importance is the summed Gini drop of the best split of each feature, the best feature of a source having 100
    points; a feature gets the greater of its two directions, and the mean over the sources is kept from --threshold on.
    The choice is verified by votes on it, on senders and sources that they have not seen.

    Example:

        python -m training universal main.csv skew.csv --ports 25,587
    """
    if len(flow_files) < 2:
        raise InputError("universal features need two sources at least: give a file for each")
    tracked = parse_ports(ports)
    sources = {}
    for path in flow_files:
        if path.stem in sources:
            raise InputError(f"{path}: another source is called {path.stem!r} too")
        with progress(f"reading {path.name}"):
            sources[path.stem] = read_flows([path], CANDIDATES, tracked)
        require_both(sources[path.stem])
    with progress("ranking"):
        ranked = rank_features(sources)
    kept = [entry.name for entry in ranked if entry.universal >= threshold]
    if not kept:
        raise InputError(f"--threshold: no feature has {threshold:g} points")
    table = Table("feature", title="importance by source, feature / response", title_justify="left")
    for name in ("universal", *sources, "in the paper"):
        table.add_column(name, justify="right")
    for entry in ranked:
        table.add_row(
            entry.name,
            f"{entry.universal:.1f}",
            *(f"{mine:.1f} / {response:.1f}" for mine, response in entry.by_source.values()),
            "yes" if entry.name in UNIVERSAL else "",
            end_section=entry.name == kept[-1],
        )
    console = report_console()
    console.print(table)
    chosen = (*kept, *("r" + name for name in kept))
    rest = tuple(name for name in CANDIDATES if name not in chosen)
    choices = {"all": CANDIDATES, "universal here": chosen, "universal in the paper": UNIVERSAL}
    choices |= {"the others": rest} if rest else {}
    with progress("verifying"):
        verified = verify_choice(sources, choices, FitParameters(trees=trees, caution=1.0, share=0.5, seed=seed))
    table = Table("learnt -> judged", title="balanced accuracy of a vote on them, senders apart", title_justify="left")
    for name in choices:
        table.add_column(name, justify="right")
    for (learnt, judged), accuracies in verified.items():
        place = f"{learnt}, other senders" if learnt == judged else f"{learnt} -> {judged}"
        table.add_row(place, *(f"{accuracies[name]:.3f}" for name in choices))
    console.print(table)
    print(f"{len(kept)} universal features of {len(ranked)}, both ways: {', '.join(kept)}; seed {seed}")
