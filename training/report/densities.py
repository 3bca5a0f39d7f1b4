"""How the features are distributed in every class: shares of its flows by value."""

import numpy as np
from numpy.typing import NDArray

from compiler.features import CATALOGUE

from .class_tree import class_name
from .contents import Content, Drawing, thousands
from .drawing import class_colour, finish, legend_below, new_axes
from .study import Study
from .subclass_means import spam_of
from .topic import Topic, of_sources

__all__ = ["DENSITIES", "DRAWN", "bin_edges", "is_heavy_tailed"]

DRAWN = ("spl", "spl2", "maxpl", "slas", "slps", "rspps")
_BINS = 40
_TAIL = 10
"""A feature whose largest value is so many times its lower quartile has a logarithmic axis."""


def _contents(study: Study) -> list[Content]:
    def compute(name: str) -> Drawing:
        spam, cluster = spam_of(study, name, DRAWN), study.subclasses(name).cluster
        flows = study.sources[name].flows
        legitimate = flows.select(flows.is_legitimate).of_features(DRAWN)
        return _draw(name, [legitimate.X, *(spam.X[cluster == number] for number in range(1, cluster.max() + 1))])

    drawn, notes = of_sources(study, compute)
    return [*drawn.values(), *notes]


def is_heavy_tailed(values: NDArray[np.int64]) -> bool:
    return bool(values.max() > _TAIL * max(1.0, float(np.quantile(values, 0.25))))


def bin_edges(values: NDArray[np.float64], heavy: bool) -> NDArray[np.float64]:
    """Of equal width, of logarithms of 1 + value when the tail is heavy; where there are few integers, one each."""
    low, high = float(values.min()), max(float(values.max()), float(values.min()) + 1)
    if heavy:
        edges = np.expm1(np.linspace(np.log1p(low), np.log1p(high), _BINS + 1))
        # Rounding must leave no value outside.
        edges[[0, -1]] = low, high
        return edges
    if high - low < _BINS and np.all(values == np.floor(values)):
        return np.arange(low, high + 2) - 0.5
    return np.linspace(low, high, _BINS + 1)


def _draw(name: str, classes: list[NDArray[np.int64]]) -> Drawing:
    figure, panels = new_axes(9.4, 5.4, 2, 3)
    for at, (feature, axes) in enumerate(zip(DRAWN, panels, strict=True)):
        entry = CATALOGUE[feature]
        columns = [of_class[:, at] / 2**entry.fraction for of_class in classes]
        everything = np.concatenate(columns)
        heavy = is_heavy_tailed(everything)
        edges = bin_edges(everything, heavy)
        for number, values in enumerate(columns):
            shares = 100 * np.histogram(values, edges)[0] / max(1, len(values))
            axes.stairs(shares, edges, color=class_colour(number), fill=True, alpha=0.18)
            axes.stairs(shares, edges, color=class_colour(number), linewidth=1.4, label=class_name(number))
        if heavy:
            axes.set_xscale("symlog", linthresh=1, subs=range(2, 10))
            axes.set_xlim(edges[0], edges[-1])
        else:
            # Numbers of six digits need the room of two.
            axes.locator_params(axis="x", nbins=3 if edges[-1] >= 1e5 else 5)
        axes.xaxis.set_major_formatter(lambda value, _: thousands(value))
        axes.set_xlabel(f"{entry.unit}{', logarithmic' if heavy else ''}")
        axes.set_title(feature)
        axes.set_ylim(bottom=0)
    figure.suptitle(f"Features by class, {name}", x=0.01, ha="left", fontsize=11, fontweight="bold")
    for axes in panels[::3]:
        axes.set_ylabel("% of the flows of the class")
    legend_below(figure, panels[0].get_legend_handles_labels()[0][: len(classes)], len(classes))
    return finish(
        figure,
        f"densities.{name}",
        f"Features by class, {name}",
        "; ".join(f"{feature}: {CATALOGUE[feature].meaning}" for feature in DRAWN) + ".",
    )


DENSITIES = Topic(
    key="densities",
    title="Densities of the features",
    lead=lambda study: (
        f"Shares of the flows of each class in {_BINS} bins of equal width. Class 0 is what is no spam. Where the "
        f"largest value is more than {_TAIL} times the lower quartile the axis is logarithmic, and so are the bins."
    ),
    paper=(
        "Section II-B and figure 3: normal densities with the mean and the standard deviation of each subclass; "
        "three well separated ones for maxpl. The bins here assume no shape: a normal density would give flows to "
        "lengths that none has."
    ),
    contents=_contents,
)
