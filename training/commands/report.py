"""``training report``."""

from pathlib import Path
from typing import Annotated

import typer

from compiler.atomic import check_directory_target
from compiler.cli import progress, warn
from compiler.errors import InputError
from compiler.extras import import_extra

from ..evaluation import known_senders
from ..feature_choice import chosen_features
from ..fitting import FitParameters
from ..flow_set import said_of
from ..report import PAGE, Study, check_report_target, read_study_source, write_report
from ..source_table import named_sources
from ..subclasses import MOST_CLUSTERS
from .labelled_captures import Budget, Seed, Trees
from .options import Directions, Features, Ports, parse_ports

__all__ = ["report"]


def report(
    flow_files: Annotated[
        list[str],
        typer.Argument(metavar="FLOWS...", help="Files that `flows` wrote, FILE or NAME=FILE: one source, or two."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Directory to write; an older report is replaced.")],
    capture: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=FILE", help="The capture that a source was measured from, for bytes on the wire."),
    ] = None,
    trees: Trees = FitParameters.trees,
    repeats: Annotated[int, typer.Option(min=1, help="Repetitions of the evaluation, averaged.")] = 3,
    folds: Annotated[int, typer.Option(min=2, help="Of the senders, for the subclasses.")] = 10,
    most: Annotated[int, typer.Option(min=2, help="Most clusters that are tried.")] = MOST_CLUSTERS,
    budget: Budget = 100,
    seed: Seed = 1,
    features: Features = "lengths",
    directions: Directions = "forward",
    ports: Ports = "25",
) -> None:
    """Draw the paper's tables and figures on labelled flows, as a page that needs nothing else, and as PNG.

    The figures are those of `subclasses`, `universal` and `evaluate`, next to the paper's own. Two sources take some
    minutes; --trees 11 --repeats 1 is a quick look. What a source does not allow, such as what needs features that its
    flows do not carry, is left out, and the page says why.

    Example:

        python -m training report main.csv skew.csv --capture main=main.pcap --ports 25,587 -o report
    """
    check_directory_target(out)
    check_report_target(out)
    import_extra("matplotlib", "plot", "report")
    import_extra("jinja2", "report", "report")
    paths = named_sources(flow_files)
    if len(paths) > 2:
        raise InputError(f"a report is of one source or two, not of {len(paths)}")
    captures = named_sources(capture or [])
    if unknown := [name for name in captures if name not in paths]:
        raise InputError(f"--capture {unknown[0]}: no source is called so; they are {', '.join(paths)}")
    names, tracked = chosen_features(features, directions), parse_ports(ports)
    sources = {}
    for name, path in paths.items():
        with progress(f"reading {path.name}"):
            sources[name] = read_study_source(name, path, tracked, captures.get(name), warn)
    for warning in known_senders({name: source.flows for name, source in sources.items()}):
        warn(warning)
    first, *others = sources.values()
    for source in others:
        if source.flows.prefix != first.flows.prefix:
            raise InputError(
                f"{source.table.path}: must hold {said_of(first.flows.prefix)} as the other source, "
                f"not {said_of(source.flows.prefix)}"
            )
    parameters = FitParameters(trees=trees, seed=seed, budget=budget, ports=tracked)
    with progress("reporting") as tell:
        study = Study(sources, parameters, names, repeats=repeats, folds=folds, most=most, tell=tell)
        sections = write_report(study, out)
    for section in sections:
        for reason in section.reasons:
            warn(f"{section.title}: left out: {reason}")
    figures = sum(len(section.drawings) for section in sections)
    print(f"{out / PAGE}: {len(sections)} sections, {figures} figures, seed {seed}")
