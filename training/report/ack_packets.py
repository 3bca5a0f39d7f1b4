"""Packets with ACK against packets, with the line of least squares."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compiler.errors import InputError

from .contents import PAPER, Content, Drawing, Table, minus, percent, thousands
from .drawing import INK, QUIET, SERIES, finish, legend_below, new_axes
from .paper import ACK_LINES
from .study import Study
from .topic import Topic, of_sources

__all__ = ["Line", "ACK_PACKETS", "fitted_line"]

_FEATURES = ("sp", "spas")


@dataclass(frozen=True)
class Line:
    """spas = slope · sp + intercept, and how well it holds: the correlation r of the two."""

    slope: float
    intercept: float
    r: float


def fitted_line(sp: NDArray[np.int64], spas: NDArray[np.int64]) -> Line:
    """By least squares; r is nan where all spas are equal. Where all sp are, there is no line."""
    if not np.ptp(sp):
        raise InputError(f"all flows have {sp[0]} packets, so there is no line through them")
    slope, intercept = np.polyfit(sp, spas, 1)
    r = float(np.corrcoef(sp, spas)[0, 1]) if np.ptp(spas) else float("nan")
    return Line(float(slope), float(intercept), r)


def _contents(study: Study) -> list[Content]:
    def compute(name: str) -> tuple[NDArray[np.int64], Line]:
        source = study.sources[name]
        source.require(_FEATURES)
        points = source.flows.columns(_FEATURES)
        return points, fitted_line(*points.T)

    found, notes = of_sources(study, compute)
    return [*notes, _draw(found), _table(found)] if found else notes


def _draw(found: Mapping[str, tuple[NDArray[np.int64], Line]]) -> Drawing:
    figure, panels = new_axes(4.4 * len(found) + 0.4, 4.2, 1, len(found))
    for at, ((name, (points, line)), axes) in enumerate(zip(found.items(), panels, strict=True)):
        places, counts = np.unique(points, axis=0, return_counts=True)
        along = np.geomspace(1, points[:, 0].max(), 300)
        ideal = {"color": QUIET, "linewidth": 1, "linestyle": "--", "label": "ideal, sp − 1"}
        fitted = {"color": INK, "linewidth": 1.2, "label": "least squares"}
        for values, look in ((along - 1, ideal), (line.slope * along + line.intercept, fitted)):
            axes.plot(along[values >= 1], values[values >= 1], **look)
        sizes = 4 + 100 * np.sqrt(counts / counts.max())
        axes.scatter(*places.T, s=sizes, color=SERIES[at % len(SERIES)], alpha=0.5, linewidths=0, label="flows")
        sign = "+" if line.intercept >= 0 else "−"
        axes.set(
            title=f"{name}: spas = {line.slope:.3f} · sp {sign} {abs(line.intercept):.2f}\nr = {line.r:.4f}",
            xlabel="sp, packets (logarithmic)",
            ylabel="spas, packets with ACK (logarithmic)",
            xscale="log",
        )
        if points[:, 1].min():
            axes.set_yscale("log")
        else:
            # A client that never answers has no packet with ACK, so 0 has to be on the axis.
            axes.set_yscale("symlog", linthresh=1)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda value, _: thousands(value))
    legend_below(figure, panels[0].get_legend_handles_labels()[0], 3)
    return finish(
        figure,
        "ack_packets",
        f"Packets with ACK against packets: {', '.join(found)}",
        "The larger a mark, the more flows are at that place (area by the square root). The line is straight on plain "
        "axes; most flows are short, so these are logarithmic.",
    )


def _table(found: Mapping[str, tuple[NDArray[np.int64], Line]]) -> Table:
    rows = []
    for name, (points, line) in found.items():
        ideal = np.mean(points[:, 1] == points[:, 0] - 1)
        cells = f"{line.slope:.3f}", minus(f"{line.intercept:.2f}"), f"{line.r:.4f}", percent(ideal)
        rows.append((name, thousands(len(points)), *cells))
    rows += [
        (f"{PAPER}: {name}", "", f"{slope:.1f}", minus(f"{intercept:.1f}"), "", "")
        for name, (slope, intercept) in ACK_LINES.items()
    ]
    return Table("Lines", ("source", "flows", "slope", "intercept", "r", "flows with spas = sp − 1"), rows)


ACK_PACKETS = Topic(
    key="acknowledgements",
    title="Packets with ACK against packets",
    lead=lambda _: (
        "Packets of the client with ACK (spas) against all its packets (sp), of every labelled flow, with the line "
        "of least squares. All packets but the first have ACK, so that spas = sp − 1 would be ideal; lost and "
        "repeated packets, and resets without ACK, are exceptions."
    ),
    paper=(
        "Section III-B, figure 6: spas = sp − 0.6 on Alpha (eq. 2), close to the ideal, and spas = 0.9 · sp − 9.4 "
        "on Žádník (eq. 3)."
    ),
    contents=_contents,
)
