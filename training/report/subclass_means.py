"""What the subclasses are like: normalised means of the features that the paper names."""

import numpy as np
from numpy.typing import NDArray

from compiler.features import CATALOGUE

from ..flow_set import FlowSet
from .class_tree import class_name
from .contents import Content, Drawing, Table
from .drawing import QUIET, class_colour, finish, new_axes
from .paper import DESCRIBING
from .study import Study
from .topic import Topic, of_sources

__all__ = ["SUBCLASS_MEANS", "normalised_means", "spam_of"]


def _contents(study: Study) -> list[Content]:
    def compute(name: str) -> tuple[Drawing, Table]:
        spam, cluster = spam_of(study, name, DESCRIBING), study.subclasses(name).cluster
        return _draw(name, normalised_means(spam, cluster)), _means(name, spam, cluster)

    found, notes = of_sources(study, compute)
    return [*notes, *(content for both in found.values() for content in both)]


def spam_of(study: Study, name: str, features: tuple[str, ...]) -> FlowSet:
    """The spam flows of :meth:`~training.report.study.Study.subclasses`, in the same order, with other features."""
    study.sources[name].require(features)
    flows = study.sources[name].flows
    return flows.select(flows.is_spam).of_features(features)


def normalised_means(spam: FlowSet, cluster: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of every subclass and feature (subclass × feature)."""
    middle, spread = spam.X.mean(axis=0), spam.X.std(axis=0)
    means = np.array([spam.X[cluster == number].mean(axis=0) for number in range(1, cluster.max() + 1)])
    return (means - middle) / np.where(spread > 0, spread, 1)


def _draw(name: str, means: NDArray[np.float64]) -> Drawing:
    figure, (axes,) = new_axes(6.6, 0.9 + 0.45 * len(DESCRIBING))
    height = 0.8 / len(means)
    for at, of_class in enumerate(means):
        places = np.arange(len(DESCRIBING)) + (at - (len(means) - 1) / 2) * height
        axes.barh(places, of_class, height * 0.9, color=class_colour(at + 1), label=class_name(at + 1))
    axes.axvline(0, color=QUIET, linewidth=1)
    axes.set_yticks(range(len(DESCRIBING)), DESCRIBING)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set(xlabel="mean, in standard deviations from the mean of all spam", title=f"Subclasses of {name}")
    axes.legend()
    return finish(
        figure,
        f"means.{name}",
        f"Normalised mean features of the subclasses of {name}",
        "0 is the mean of all spam. Names with r are of the response, of the server that is.",
    )


def _means(name: str, spam: FlowSet, cluster: NDArray[np.int64]) -> Table:
    rows = []
    for at, feature in enumerate(spam.features):
        entry = CATALOGUE[feature]
        values = (spam.X[cluster == number, at].mean() for number in range(1, cluster.max() + 1))
        rows.append((feature, entry.meaning, entry.unit, *(f"{value / 2**entry.fraction:.1f}" for value in values)))
    columns = ("feature", "meaning", "unit", *(class_name(number) for number in range(1, cluster.max() + 1)))
    return Table(f"Means of {name}", columns, rows, texts=3)


SUBCLASS_MEANS = Topic(
    key="means",
    title="Normalised means",
    lead=lambda _: (
        "For each feature the mean of a subclass, less that of all spam, in standard deviations of all spam. The "
        "features are the discriminants that the paper names."
    ),
    paper=(
        "Section II-B and figure 2: all of them but rmaxtw are highest in its subclass 3 and lowest in 2, its "
        "largest one; 1 lies between. The figure has no numbers."
    ),
    contents=_contents,
)
