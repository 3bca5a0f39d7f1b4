"""The page: what forest.json and manifest.json of an export hold, gathered for the template and written.

Nothing is measured here and nothing is said that the two files do not hold.
"""

import shlex
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..atomic import check_file_target, replacing
from ..errors import InputError
from ..extras import import_extra
from ..forest import Forest
from ..forest_json import read_forest
from ..manifest import Manifest, changed_files, read_manifest
from .circuit import measured_rows, parameter_rows, reasons, timing_rows
from .evidence import DIFFERS, Check, checks
from .notes import rows_of
from .overview import feature_rows, tree_row
from .score_drawing import draw_score
from .templates import render_page
from .tree_drawing import draw_tree

__all__ = ["DRAWN_TREES", "Report", "write_report"]

DRAWN_TREES = 6
"""That are drawn in full unless more are asked for."""

_LISTED_TREES = 1000
"""In the overview; with more of them the page would become too large to open."""

_OPEN_OVERVIEW = 64
"""Trees whose overview is not folded away."""

_STEP = 50
"""Trees between two signs of life."""


@dataclass(frozen=True)
class Report:
    """What stands on a page.

    Attributes
    ----------
    forest:
        The forest.
    drawn:
        How many of its trees are drawn in full.
    checks:
        The evidence.
    changed:
        Files that are not as exported.
    """

    forest: Forest
    drawn: int
    checks: tuple[Check, ...]
    changed: tuple[str, ...]


def write_report(
    directory: str | Path,
    out: str | Path,
    *,
    trees: int | None = DRAWN_TREES,
    tell: Callable[[str], None] = lambda _: None,
) -> Report:
    """Write a page about an export, in one file that needs no other.

    Parameters
    ----------
    directory:
        The export.
    out:
        The file to write, .html.
    trees:
        How many trees are drawn in full, None for all.
    tell:
        Called with what is being done.
    """
    if trees is not None and trees < 0:
        raise InputError(f"number of trees must be 0 or more, not {trees}")
    check_file_target(out, (".html", ".htm"))
    import_extra("jinja2", "report", "report")
    directory = Path(directory)
    manifest = read_manifest(directory)
    tell("reading the forest")
    forest = read_forest(directory / "forest.json")
    drawn = len(forest.trees) if trees is None else min(trees, len(forest.trees))
    report = Report(
        forest=forest,
        drawn=drawn,
        checks=tuple(checks(manifest, directory)),
        changed=tuple(changed_files(directory, manifest)),
    )
    page = render_page(Path(__file__).parent, _contents(report, manifest, directory, tell))
    with replacing(out) as fresh:
        # Half of a surrogate pair can stand in JSON, but not in UTF-8.
        fresh.write_text(page, encoding="utf-8", errors="replace", newline="\n")
    return report


def _contents(report: Report, manifest: Manifest, directory: Path, tell: Callable[[str], None]) -> dict[str, Any]:
    """Everything the template shows. What ends in ``svg`` is markup of ours, all else is text and will be escaped."""
    forest = report.forest
    rows, drawings = [], []
    for number in range(min(len(forest.trees), _LISTED_TREES)):
        if number % _STEP == 0:
            tell(f"shape of tree {number} of {len(forest.trees)}")
        rows.append(tree_row(forest, number))
    for number in range(report.drawn):
        if number % _STEP == 0:
            tell(f"drawing tree {number} of {report.drawn}")
        drawings.append((number, forest.trees[number].weight, draw_tree(forest, number)))
    tell("thresholds and page")
    features = feature_rows(forest)
    asked_about = {feature.name for feature in features}
    return {
        "forest": forest,
        "manifest": manifest,
        "directory": shlex.quote(str(directory)),
        "warnings": _warnings(report, manifest),
        "changed": report.changed,
        "tree_rows": rows,
        "overview_open": len(rows) <= _OPEN_OVERVIEW,
        "drawings": drawings,
        "features": features,
        "unused": [name for name in forest.feature_names if name not in asked_about],
        "score_svg": draw_score(forest),
        "operating_point": rows_of(forest.operating_point),
        "provenance": rows_of(forest.provenance),
        "reasons": reasons(manifest.architecture),
        "parameters": parameter_rows(manifest.architecture),
        "timing": timing_rows(manifest),
        "measured": measured_rows(manifest),
        "checks": report.checks,
        "states": Counter(check.state for check in report.checks),
    }


def _warnings(report: Report, manifest: Manifest) -> list[str]:
    """What a reader has to know before anything else; monitor only has a place of its own."""
    warnings = []
    if report.changed:
        warnings.append(
            f"Not as exported any more: {', '.join(report.changed)}. Resources, clock and evidence below are of the "
            "files as they were."
        )
    if report.forest.id != manifest.forest["id"]:
        warnings.append(
            f"forest.json holds forest {report.forest.id}, but the circuit was made from {manifest.forest['id']}: the "
            "trees, thresholds and scores below are not those of the circuit."
        )
    if manifest.clock is not None and not manifest.clock["met"]:
        warnings.append("The clock that was asked for was missed, so there is no bitstream.")
    if any(check.state == DIFFERS for check in report.checks):
        warnings.append("A check found differences; look at the evidence below.")
    return [*warnings, *report.forest.verify()]
