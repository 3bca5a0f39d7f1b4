"""Whether what matters in one source matters in the other."""

from collections.abc import Mapping

import numpy as np

from compiler.errors import InputError

from .contents import Content, Drawing, Note
from .drawing import QUIET, SERIES, finish, new_axes
from .label_places import name_points
from .study import Study
from .topic import Topic

__all__ = ["CORRELATION", "points_of"]


def _contents(study: Study) -> list[Content]:
    if len(study.sources) < 2:
        raise InputError("a correlation needs two sources, and there is one")
    return [*_draw(points_of(study), *study.sources)]


def points_of(study: Study) -> dict[str, tuple[float, float]]:
    """The importance of every feature of either direction in both sources."""
    one, other = study.sources
    return {
        prefix + entry.name: (entry.by_source[one][way], entry.by_source[other][way])
        for way, prefix in enumerate(("", "r"))
        for entry in study.ranked
    }


def _draw(points: Mapping[str, tuple[float, float]], one: str, other: str) -> tuple[Drawing, Note]:
    x, y = np.array(list(points.values())).T
    r = float(np.corrcoef(x, y)[0, 1])
    figure, (axes,) = new_axes(6.6, 5.6)
    half = len(points) // 2
    axes.plot([0, 100], [0, 100], color=QUIET, linewidth=1, linestyle="--", label="equal")
    axes.plot(x[:half], y[:half], "o", color=SERIES[0], ms=6, label="features of the client")
    axes.plot(x[half:], y[half:], "o", mfc="none", mec=SERIES[0], ms=6, mew=1.3, label="of the response")
    axes.set(
        xlim=(-4, 106),
        ylim=(-4, 106),
        xlabel=f"importance in {one}, points",
        ylabel=f"importance in {other}, points",
        title=f"Importance in two sources: r = {r:.2f}",
    )
    axes.legend(loc="lower right")
    unnamed = name_points(axes, points)
    left = f" Without room for a name: {', '.join(unnamed)}; the table above has them." if unnamed else ""
    drawing = finish(
        figure,
        "correlation",
        f"Importance of features in {one} against {other}",
        f"{len(points)} features; on the dashed line they would matter alike.{left}",
    )
    within = [name for name, pair in points.items() if min(pair) >= 50]
    said = ", ".join(within) or "none"
    return drawing, Note(f"r = {r:.3f} over {len(points)} features. With 50 points or more in both sources: {said}.")


CORRELATION = Topic(
    key="correlation",
    title="Correlation of the importances",
    lead=lambda _: "Every feature, of either direction, by its points in the two sources; r is Pearson's.",
    paper=(
        "Section III-B: no significant correlation between the sets can be detected, so features must be verified on "
        "separate sources."
    ),
    contents=_contents,
)
