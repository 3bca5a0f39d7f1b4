"""``training drift``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from compiler.atomic import check_file_target
from compiler.cli import progress, warn
from compiler.errors import InputError
from compiler.extras import import_extra

from ..attacks import ATTACKS
from ..drift.course import course
from ..drift.course_report import draw_course, print_attacks, print_course, print_detections, print_times
from ..drift.periods import Period, apart, attacked_source, cut, first_only
from ..feature_choice import chosen_features
from ..fit_report import report_console
from ..fitting import FitParameters
from ..flow_set import read_flow_set
from ..source_table import named_sources
from .labelled_captures import Budget, Seed, Trees, read_capture
from .options import Directions, Features, Ports, Servers, parse_ports

__all__ = ["drift"]

_FLOW_FILES = (".csv", ".parquet", ".csv.gz")


def drift(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME=]SOURCE...", help="Files that `flows` wrote, or captures with --labels, the earliest first."
        ),
    ],
    labels: Annotated[
        list[Path] | None, typer.Option(help="Table of labels, CSV, of each capture, in their order.")
    ] = None,
    server: Servers = None,
    periods: Annotated[int, typer.Option(min=1, help="Periods that each source is cut into, of as many flows.")] = 1,
    attack: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME:SHARE", help=f"Of the captures' senders of spam so many do this: {', '.join(ATTACKS)}."
        ),
    ] = None,
    retrain: Annotated[
        Literal["all", "last"], typer.Option(help="Retrain on all periods so far, or on the last one.")
    ] = "all",
    hold_out: Annotated[
        bool, typer.Option("--hold-out", help="Learn from half of the senders only, so that others can be judged.")
    ] = False,
    other_hosts: Annotated[
        bool, typer.Option("--other-hosts", help="Addresses that two sources share are not of the same hosts.")
    ] = False,
    new_trees: Annotated[int, typer.Option(min=1, max=4096, help="Trees that are added after a period.")] = 20,
    cap: Annotated[int, typer.Option(min=1, max=4096, help="Most trees; the weakest are dropped.")] = 61,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Picture to write, .png.")] = None,
    budget: Budget = 100,
    trees: Trees = FitParameters.trees,
    seed: Seed = 1,
    features: Features = "lengths",
    directions: Directions = "forward",
    ports: Ports = "25",
) -> None:
    """Show how a forest ages: learn from the first period, judge each later one, three ways.

    One forest is kept, one is retrained on the periods before, one gets trees added as by `add`. Senders that an
    earlier period had are told apart, as forests may remember them. With --attack a part of the senders of spam does
    something else from the second period on.

    Examples:

        python -m training drift may.csv june.csv july.csv --ports 25,587 -o drift.png

        python -m training drift mail.csv --periods 4 --retrain last

        python -m training drift mail.pcap --labels labels.csv --server 192.0.2.25 --periods 3 --attack pad:0.2
    """
    if out is not None:
        check_file_target(out, (".png",))
        import_extra("matplotlib", "plot", out)
    names, tracked, shares = chosen_features(features, directions), parse_ports(ports), _shares(attack or ())
    parameters = FitParameters(trees=trees, budget=budget, seed=seed, ports=tracked, directions=directions)
    found: list[Period] = []
    tables = list(labels or ())
    for name, path in named_sources(sources).items():
        if path.name.endswith(_FLOW_FILES):
            if shares:
                raise InputError(f"{path}: --attack changes packets, so it needs a capture with --labels")
            with progress(f"reading {path.name}"):
                flows = read_flow_set([path], names, tracked, directions)
            of_source = cut(name, flows, periods)[0]
        else:
            if not tables:
                raise InputError(f"{path}: is no file of flows (.csv, .parquet), and a capture needs its --labels")
            capture = read_capture(path, tables.pop(0), server, ports, name)
            with progress(f"measuring {path.name}"):
                spared = 0 if found else 1
                of_source = attacked_source(capture, names, directions, periods, shares, seed, spared=spared)
        found += [apart(name, period) for period in of_source] if other_hosts else of_source
    if tables:
        raise InputError(f"--labels: {tables[0]} is of no capture")
    if len(found) < 2:
        raise InputError("drift needs two periods: give several sources, or --periods")
    found, repeated = first_only(found)
    if repeated:
        warn(f"{repeated} flows came more than once and count once")
    with progress("learning") as tell:
        steps = list(
            course(
                found,
                parameters,
                new_trees=new_trees,
                cap=cap,
                last_only=retrain == "last",
                hold_out=hold_out,
                tell=tell,
            )
        )
    console = report_console(200)
    print_times(console, found)
    print_course(console, steps)
    print_detections(console, steps, budget)
    if shares:
        print_attacks(console, steps, new_senders=hold_out)
    if out is not None:
        draw_course(out, steps, budget)
        print(f"{out}: {len(steps)} periods")
    print(f"learnt first from {found[0].name}; retrained on {retrain}; seed {seed}; features {', '.join(names)}")


def _shares(attacks: tuple[str, ...] | list[str]) -> dict[str, float]:
    shares: dict[str, float] = {}
    for text in attacks:
        name, _, share = text.partition(":")
        if name not in ATTACKS or name in shares:
            raise InputError(f"--attack: must name each of {', '.join(ATTACKS)} at most once, not {text!r}")
        try:
            shares[name] = float(share)
        except ValueError:
            shares[name] = 0.0
        if not 0 < shares[name] <= 1:
            raise InputError(f"--attack: share of {name} must be above 0 and at most 1, not {share!r}")
    if sum(shares.values()) > 1:
        raise InputError(f"--attack: shares must not be above 1 together, not {sum(shares.values()):g}")
    return shares
