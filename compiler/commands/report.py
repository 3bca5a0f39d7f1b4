"""``compiler report``."""

from pathlib import Path
from typing import Annotated

import typer

from ..cli import progress, warn
from ..errors import InputError
from ..report import DRAWN_TREES, write_report
from .output import MONITOR_ONLY, counted

__all__ = ["report_command"]


def report_command(
    directory: Annotated[Path, typer.Argument(help="An export.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Page to write, HTML.")] = Path("report.html"),
    trees: Annotated[
        str, typer.Option(metavar="N|all", help="How many trees are drawn in full; an overview shows all of them.")
    ] = str(DRAWN_TREES),
) -> None:
    """Write a page about an export that needs nothing else: trees, thresholds, circuit, timing, evidence.

    Everything on it is from the forest.json and the manifest.json of the export; run it again after a build or a check.

    Examples:

        python -m compiler report probe

        python -m compiler report probe --trees all -o probe.html
    """
    if trees != "all" and not trees.isdecimal():
        raise InputError(f"--trees must be a number or all, not {trees!r}")
    with progress("reporting") as tell:
        report = write_report(directory, out, trees=None if trees == "all" else int(trees), tell=tell)
    for name in report.changed:
        warn(f"{directory / name}: is not as exported")
    print(f"{out}: forest {report.forest.id}, {report.drawn} of {counted(len(report.forest.trees), 'tree')} drawn")
    if report.forest.monitor_only:
        print(MONITOR_ONLY)
