"""Importance of the features in both sources, and eq. 4: the universal ones."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..universal import THRESHOLD, Ranked
from .contents import PAPER, Content, Drawing, Note, Table
from .drawing import INK, QUIET, SERIES, finish, new_axes
from .paper import RANKING, universal_importance
from .study import Study
from .topic import Topic

__all__ = ["IMPORTANCE"]


def _contents(study: Study) -> list[Content]:
    ranked, sources = study.ranked, list(study.sources)
    contents: list[Content] = [_draw_by_source(ranked, sources)]
    if len(sources) < 2:
        alone = Note("Eq. 4 is the mean over two sources, and there is one.", left_out=True)
        return [*contents, _table(ranked, sources), alone]
    kept = [entry.name for entry in ranked if entry.universal >= THRESHOLD]
    both = [name for name in kept if name in RANKING]
    said = (
        f"{len(kept)} features have {THRESHOLD:g} points or more: {', '.join(kept)}. Of the paper's {len(RANKING)} "
        f"they are {len(both)}: {', '.join(both) or 'none'}."
    )
    return [*contents, _draw_universal(ranked), _table(ranked, sources), Note(said)]


def _table(ranked: Sequence[Ranked], sources: Sequence[str]) -> Table:
    two = len(sources) > 1
    columns = ("feature", *(["g(f)"] if two else []), *(f"{name}: {way}" for name in sources for way in ("f", "rf")))
    rows = [
        (
            entry.name,
            *([f"{entry.universal:.1f}{' *' if entry.universal >= THRESHOLD else ''}"] if two else []),
            *(f"{points:.1f}" for name in sources for points in entry.by_source[name]),
            universal_importance(entry.name),
        )
        for entry in ranked
    ]
    after = f"* universal: {THRESHOLD:g} points or more." if two else ""
    return Table("Ranking", (*columns, f"{PAPER}: g(f)"), rows, after=after)


def _draw_by_source(ranked: Sequence[Ranked], sources: Sequence[str]) -> Drawing:
    figure, (axes,) = new_axes(6.8, 1.2 + 0.3 * len(ranked))
    apart = 0.3 if len(sources) > 1 else 0
    for at, name in enumerate(sources):
        points = np.array([entry.by_source[name] for entry in ranked])
        places = np.arange(len(ranked)) + apart * (at - (len(sources) - 1) / 2)
        colour, marker = SERIES[at % len(SERIES)], "os"[at % 2]
        axes.hlines(places, points.min(axis=1), points.max(axis=1), color=colour, linewidth=1, alpha=0.6)
        axes.plot(points[:, 0], places, marker, color=colour, ms=6, label=f"{name}, feature f")
        axes.plot(points[:, 1], places, marker, mfc="none", mec=colour, ms=6, mew=1.3, label=f"{name}, response rf")
    _name_rows(axes, ranked)
    axes.set(xlabel="importance; the best feature of a source has 100 points", title="Importance by source")
    axes.legend(loc="lower right")
    return finish(
        figure,
        "importance",
        f"Importance of features: {', '.join(sources)}",
        "Full marks are of the client's packets, hollow ones of the server's; the line joins the two of a source.",
    )


def _draw_universal(ranked: Sequence[Ranked]) -> Drawing:
    figure, (axes,) = new_axes(6.8, 1.0 + 0.28 * len(ranked))
    places = np.arange(len(ranked))
    axes.barh(places, [entry.universal for entry in ranked], 0.6, color=SERIES[0], alpha=0.75, label="here")
    known = [(RANKING[entry.name], at) for at, entry in enumerate(ranked) if entry.name in RANKING]
    axes.plot(*zip(*known, strict=True), "D", color=INK, ms=5, label=PAPER, linestyle="none")
    axes.axvline(THRESHOLD, color=QUIET, linewidth=1.2, linestyle="--", label=f"threshold {THRESHOLD:g}")
    _name_rows(axes, ranked)
    axes.set(xlabel="g(f), points of eq. 4", title="Universal features")
    axes.legend(loc="lower right")
    return finish(
        figure,
        "universal",
        "Universal features by eq. 4, here and in the paper",
        "Bars are of these sources, diamonds of the paper's Table IV, which holds the twelve above its threshold "
        "alone.",
    )


def _name_rows(axes: Any, ranked: Sequence[Ranked]) -> None:
    axes.set_yticks(range(len(ranked)), [entry.name for entry in ranked])
    axes.set_xlim(-2, 105)
    axes.invert_yaxis()


IMPORTANCE = Topic(
    key="importance",
    title="Importance of features, and universal ones (eq. 4)",
    lead=lambda study: (
        "At every node of a tree that parts spam from what is legitimate, each feature has the Gini drop of its own "
        "best split; summed, the best feature of a source has 100 points. Eq. 4 takes the greater of feature f and "
        "response rf in each source, and their mean: g(f) = [max(gA(f), gA(rf)) + max(gZ(f), gZ(rf))] / 2. From "
        f"{THRESHOLD:g} points on a feature is universal."
    ),
    paper=(
        "Figure 5 and Table IV: twelve features with 50 points or more, both ways, that is 24. spl2, minpl and spas "
        "are named, and have less."
    ),
    contents=_contents,
)
