"""``training fit``."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from compiler.atomic import check_file_target
from compiler.cli import progress
from compiler.errors import InputError
from compiler.forest import Band

from ..drift.histograms import write_forest
from ..feature_choice import chosen_features
from ..fit_report import Judged, print_fit
from ..fitting import Fit, FitParameters, fit_forest, sources_of
from ..flow_set import FlowSet, said_of
from ..operating_point import OperatingPoint, choose_band
from ..parallel import parallel_backend
from ..rivals import Stump, stump_learner
from .flow_files import read_flows, read_parts
from .options import Directions, Features, Orientation, Ports, parse_ports

__all__ = ["fit"]


def fit(
    flow_files: Annotated[list[Path], typer.Argument(metavar="FLOWS...", help="Files that `flows` wrote.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="forest.json to write.")],
    test: Annotated[
        list[Path] | None, typer.Option(help="Flows of other senders, to show how the forest does on them too.")
    ] = None,
    trees: Annotated[int, typer.Option(min=1, max=4096, help="Number of trees.")] = FitParameters.trees,
    depth: Annotated[int, typer.Option(min=1, max=32, help="Most tests from root to leaf.")] = FitParameters.depth,
    leaves: Annotated[int, typer.Option(min=2, help="Most leaves of a tree.")] = FitParameters.leaves,
    thresholds: Annotated[
        int | None, typer.Option(min=1, help="Most thresholds of a feature, shared by all trees; default: no limit.")
    ] = None,
    samples: Annotated[
        int, typer.Option(min=1000, help="Flows, about, that a tree learns from, of whole senders.")
    ] = FitParameters.samples,
    caution: Annotated[
        float, typer.Option(min=0.01, help="How much more legitimate flows count than spam.")
    ] = FitParameters.caution,
    seed: Annotated[int, typer.Option(min=0, help="Seed of trees and folds.")] = FitParameters.seed,
    budget: Annotated[float, typer.Option(min=0, help="False alarms per 10 000 legitimate flows.")] = 100,
    features: Features = "lengths",
    directions: Directions = "forward",
    ports: Ports = "25",
    orientation: Orientation = "initiator",
    name: Annotated[str, typer.Option(help="What reports call the forest.")] = "weighted vote",
    jobs: Annotated[int, typer.Option(help="Trees that are grown at a time; -1 for as many as there are cores.")] = 1,
    backend: Annotated[str, typer.Option(help="Of joblib: loky, threading or dask.", metavar="NAME")] = "loky",
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask cluster; default: one on this machine.")
    ] = None,
) -> None:
    """Train a forest on labelled flows and set it beside a one-split stump.

    The band of scores is chosen on every sender, each judged by trees that have not learnt from it, so that the upper
    95 % bound of the false alarms over senders is within the budget. Of flows that were written with --prefix the
    forest is one that judges flows early, for `export --early`.

    Examples:

        python -m training fit flows.csv --ports 25,587 -o forest.json

        python -m training fit learn.csv --test test.csv --ports 25,587 --budget 50 --trees 100 -o forest.json

        python -m training fit flows.csv --ports 25,587 --backend dask --jobs -1 -o forest.json
    """
    check_file_target(out, inputs=flow_files)
    names = chosen_features(features, directions)
    tracked = parse_ports(ports)
    parameters = FitParameters(
        trees=trees,
        depth=depth,
        leaves=leaves,
        thresholds=thresholds,
        samples=samples,
        caution=caution,
        seed=seed,
        budget=budget,
        ports=tracked,
        orientation=orientation,
        directions=directions,
        jobs=jobs,
    )
    with progress("reading flows"):
        flows, sources = read_parts(flow_files, names, tracked, directions)
        tested = read_flows(test, names, tracked, directions) if test else None
    if tested is not None:
        _refuse_as_test(tested, flows)
    with progress("fitting"), parallel_backend(backend, scheduler):
        provenance = {"flows": sources_of(flow_files), "test": sources_of(test or ())}
        fitted = fit_forest(flows, parameters, provenance, sources)
    forest = replace(fitted.forest, name=name)
    stump = stump_learner(budget)(flows)
    stump_point = _stump_point(stump, flows, budget)
    parts = {"cross-fitted": _judged(flows, fitted, fitted.scores, stump, stump_point)}
    if tested is not None:
        scores = forest.score(tested.columns(forest.feature_names))
        parts["test"] = _judged(tested, fitted, scores, stump, stump_point)
    write_forest(out, forest, flows)
    print_fit(forest, fitted.operating_point, parts, stump, stump_point)
    features_said = f"{len(forest.columns)} of {len(names)} features"
    print(f"{out}: forest {forest.id}, {len(forest.trees)} trees on {features_said}, seed {seed}")


def _refuse_as_test(tested: FlowSet, flows: FlowSet) -> None:
    if tested.prefix != flows.prefix:
        raise InputError(
            f"--test: must hold {said_of(flows.prefix)} as what is learnt from, not {said_of(tested.prefix)}"
        )
    if known := sorted(set(flows.sender.tolist()) & set(tested.sender.tolist())):
        raise InputError(f"--test: {len(known)} senders are also learnt from, {known[0]} for one; split by sender")


def _stump_point(stump: Stump, flows: FlowSet, budget: float) -> OperatingPoint:
    """The threshold of the stump, chosen as the band of the forest is."""
    scores, legitimate = stump(flows), flows.is_legitimate
    return choose_band(
        scores[legitimate], flows.sender[legitimate], scores[flows.is_spam], budget, lowest=int(scores.min()) - 1
    )


def _judged(flows: FlowSet, fitted: Fit, scores, stump, stump_point: OperatingPoint) -> Judged:
    return Judged(
        flows,
        fitted.forest.verdicts(scores),
        replace(fitted.forest, band=Band()).verdicts(scores),
        np.where(stump(flows) > stump_point.band.hi, 1, -1),
    )
