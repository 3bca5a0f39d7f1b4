"""``training fit``."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from compiler.atomic import check_file_target
from compiler.cli import progress
from compiler.errors import InputError
from compiler.features import CATALOGUE, UNIVERSAL

from ..fit_report import print_fit
from ..fitting import FitParameters, fit_forest, fit_stump, sources_of
from ..flow_set import read_flow_set, said_of, split_senders
from .options import Orientation, Ports, parse_ports

__all__ = ["fit"]


def fit(
    flow_files: Annotated[list[Path], typer.Argument(metavar="FLOWS...", help="Files that `flows` wrote.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="forest.json to write.")],
    test: Annotated[
        list[Path] | None, typer.Option(help="Flows to test on, of other senders; default: a quarter of the senders.")
    ] = None,
    trees: Annotated[int, typer.Option(min=1, max=4096, help="Number of trees.")] = 16,
    depth: Annotated[int, typer.Option(min=1, max=32, help="Most tests from root to leaf.")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the split and of the trees.")] = 1,
    budget: Annotated[float, typer.Option(min=0, help="False alarms per 10 000 legitimate flows.")] = 100,
    features: Annotated[
        str | None, typer.Option(help="Catalogue names with commas; default: the paper's universal ones.")
    ] = None,
    directions: Annotated[
        Literal["both", "forward"], typer.Option(help="Whether features of the response are used.")
    ] = "both",
    ports: Ports = "25",
    orientation: Orientation = "initiator",
    name: Annotated[str, typer.Option(help="What reports call the forest.")] = "weighted vote",
) -> None:
    """Train a forest on labelled flows and set it beside a one-split stump.

    Of flows that were written with --prefix the forest is one that judges flows early, for `export --early`.
    """
    check_file_target(out)
    names = _feature_names(features, directions)
    tracked = parse_ports(ports)
    parameters = FitParameters(
        trees=trees,
        depth=depth,
        seed=seed,
        budget=budget,
        ports=tracked,
        orientation=orientation,
        directions=directions,
    )
    with progress("reading flows"):
        flows = read_flow_set(flow_files, names, tracked, directions)
        tested = read_flow_set(test, names, tracked, directions) if test else None
    if tested is None:
        learn, validation, tested = split_senders(flows, (2, 1, 1), seed)
    else:
        learn, validation = split_senders(flows, (2, 1), seed)
    taught = set(learn.sender.tolist()) | set(validation.sender.tolist())
    if tested.prefix != flows.prefix:
        raise InputError(
            f"--test: must hold {said_of(flows.prefix)} as what is learnt from, not {said_of(tested.prefix)}"
        )
    if known := sorted(taught & set(tested.sender.tolist())):
        raise InputError(f"--test: {len(known)} senders are also learnt from, {known[0]} for one; split by sender")
    with progress("fitting"):
        provenance = {"flows": sources_of(flow_files), "test": sources_of(test or ())}
        fitted = fit_forest(learn, validation, parameters, provenance)
        stump, split = fit_stump(learn)
    forest = replace(fitted.forest, name=name)
    forest.to_json(out)
    print_fit(forest, fitted.operating_point, {"learn": learn, "validation": validation, "test": tested}, stump, split)
    features_said = f"{len(forest.columns)} of {len(names)} features"
    print(f"{out}: forest {forest.id}, {len(forest.trees)} trees on {features_said}, seed {seed}")


def _feature_names(text: str | None, directions: str) -> tuple[str, ...]:
    if text is None:
        return tuple(name for name in UNIVERSAL if directions == "both" or not CATALOGUE[name].response)
    names = tuple(text.split(","))
    for name in names:
        if name not in CATALOGUE:
            raise InputError(f"--features: {name!r} is not in the catalogue (python -m compiler features)")
        if directions == "forward" and CATALOGUE[name].response:
            raise InputError(f"--features: {name!r} is of the response, and --directions is forward")
    if len(set(names)) != len(names):
        raise InputError(f"--features: must name each feature once, not {text!r}")
    return names
