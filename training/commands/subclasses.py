"""``training subclasses``."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from compiler.atomic import check_file_target
from compiler.cli import progress
from compiler.features import CATALOGUE

from ..ensemble import WeightedVote
from ..feature_choice import chosen_features
from ..fit_report import report_console
from ..flow_set import FlowSet
from ..labels import LABELS
from ..subclasses import MOST_CLUSTERS, Subclasses, find_subclasses, said_rules, separation
from .flow_files import read_flows
from .options import Directions, Features, Ports, parse_ports

__all__ = ["subclasses"]

_SHOWN = 6
"""Features whose means are shown: those that differ most."""


def subclasses(
    flow_files: Annotated[list[Path], typer.Argument(metavar="FLOWS...", help="Files that `flows` wrote.")],
    forest: Annotated[
        Path | None,
        typer.Option("--forest", "-o", help="Write a forest of the classes 0, 1, 2, … for `export --top forest`."),
    ] = None,
    folds: Annotated[int, typer.Option(min=2, help="Of the senders, for cross-validation.")] = 10,
    least_gain: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the variance that one more cluster has to explain.")
    ] = 0.1,
    least_share: Annotated[
        float, typer.Option(min=0, max=0.5, help="Of the flows, below which a cluster is folded into the others.")
    ] = 0.02,
    most: Annotated[int, typer.Option(min=2, help="Most clusters that are tried.")] = MOST_CLUSTERS,
    trees: Annotated[int, typer.Option(min=1, max=4096, help="Number of trees of the forest.")] = 61,
    seed: Annotated[int, typer.Option(min=0, help="Seed of clusters and folds.")] = 1,
    features: Features = "shape",
    directions: Directions = "forward",
    ports: Ports = "25",
) -> None:
    """Find the kinds of spam there are, and the rules that tell them.

    k-means with 2 to 25 clusters, chosen by cross-validation over senders; small clusters are folded into the nearest
    ones. A tree says what makes a cluster, another one how the clusters part from class 0, which is no spam.

    Example:

        python -m training subclasses main.csv --ports 25,587 -o subclasses.json
    """
    if forest is not None:
        check_file_target(forest)
    names, tracked = chosen_features(features, directions), parse_ports(ports)
    with progress("reading flows"):
        flows = read_flows(flow_files, names, tracked, directions)
    with progress("clustering"):
        found = find_subclasses(flows, seed, folds=folds, least_gain=least_gain, least_share=least_share, most=most)
        parted = separation(flows, found, seed, folds=folds)
    _print(found)
    console = report_console()
    table = Table("class", title="separation tree, senders apart", title_justify="left")
    for name in (*(f"said {index}" for index in range(found.count + 1)), "wrong"):
        table.add_column(name, justify="right")
    for index, row in enumerate(parted.confusion.tolist()):
        table.add_row("0 (no spam)" if index == 0 else str(index), *map(str, row), f"{parted.wrong[index]:.1%}")
    console.print(table)
    console.print(f"total accuracy {parted.accuracy:.1%}, {parted.leaves} leaves")
    if forest is not None:
        _write_forest(forest, flows, found, trees, seed, tracked, directions)
    print(f"{len(found.spam)} spam flows in {found.count} subclasses, seed {seed}")


def _print(found: Subclasses) -> None:
    console = report_console()
    table = Table("clusters", title="error of left-out senders, of the variance", title_justify="left")
    for name in ("error", "smallest cluster"):
        table.add_column(name, justify="right")
    for tried in found.errors[1:]:
        mark = " <- chosen" if tried.clusters == found.chosen else ""
        table.add_row(f"{tried.clusters}{mark}", f"{tried.error:.1%}", f"{tried.smallest:.1%}")
    console.print(table)
    if found.folded:
        console.print(f"folded into others: clusters of {', '.join(f'{share:.1%}' for share in found.folded)}")
    means = np.array([found.spam.X[found.cluster == index].mean(axis=0) for index in range(1, found.count + 1)])
    spread = np.ptp(means, axis=0) / np.maximum(found.spam.X.std(axis=0), 1e-9)
    shown = np.argsort(-spread)[:_SHOWN]
    table = Table("subclass", title="subclasses of spam, labels and mean features", title_justify="left")
    labels = [label for label in LABELS if np.any(found.spam.label == label)]
    for name in ("share", *labels, *(found.spam.features[at] for at in shown)):
        table.add_column(name, justify="right")
    for index in range(1, found.count + 1):
        of_class = found.cluster == index
        table.add_row(
            str(index),
            f"{np.mean(of_class):.1%}",
            *(f"{np.mean(found.spam.label[of_class] == label):.1%}" for label in labels),
            *(f"{means[index - 1, at] / 2 ** CATALOGUE[found.spam.features[at]].fraction:.1f}" for at in shown),
        )
    console.print(table)
    console.print(f"rules, right about {found.explained:.1%} of the flows of left-out senders:")
    for line in said_rules(found.rules, found.spam.features):
        console.print(f"  {line}")


def _write_forest(
    path: Path, flows: FlowSet, found: Subclasses, trees: int, seed: int, ports: frozenset[int] | None, directions: str
) -> None:
    legitimate = flows.select(flows.is_legitimate)
    joined = FlowSet.joined([found.spam, legitimate])
    classes = np.append(found.cluster, np.zeros(len(legitimate), np.int64))
    vote = WeightedVote(joined.features, n_trees=trees, random_state=seed).fit(joined.X, classes, joined.sender)
    forest = vote.to_forest(
        name="subclasses",
        ports=None if ports is None else tuple(sorted(ports)),
        directions=directions,
        provenance={"seed": seed, "subclasses": found.count},
    )
    forest.verify()
    forest.to_json(path)
    print(f"{path}: forest {forest.id} of classes {', '.join(forest.classes)}")
