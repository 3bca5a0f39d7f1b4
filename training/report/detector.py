"""The ensemble of eq. 5 beside simpler classifiers at equal false alarms, and with the band it brings with it."""

import math
from collections.abc import Mapping, Sequence

from ..detection import Interval
from ..evaluation import FOREST, STUMP, Case
from .contents import Content, Drawing, Table, minus
from .drawing import NEITHER, QUIET, SERIES, SPAM, finish, new_axes
from .study import Study
from .topic import Topic

__all__ = ["DETECTOR", "said_case"]

Detections = Mapping[str, Mapping[str, Interval]]
"""Spam caught by case and classifier."""


def _contents(study: Study) -> list[Content]:
    cases = study.cases
    study.tell("intervals over senders")
    detections = {case.name: {name: case.detection(name) for name in case.scores} for case in cases}
    return [_draw(cases[0].budget, detections), _at_budget(cases, detections), _operation(cases)]


def said_case(name: str) -> str:
    """What was learnt from and what was judged, for people."""
    return name.replace("->", "→")


def _draw(budget: float, detections: Detections) -> Drawing:
    rows = sum(map(len, detections.values()))
    figure, panels = new_axes(7.4, 0.7 + 0.24 * rows + 0.35 * len(detections), len(detections), 1, sharex=True)
    for (case, by_classifier), axes in zip(detections.items(), panels, strict=True):
        for at, (name, found) in enumerate(by_classifier.items()):
            colour = SPAM if name == FOREST else SERIES[0] if name == STUMP else NEITHER
            axes.plot([found.low, found.high], [at, at], color=colour, linewidth=2.2, alpha=0.55)
            axes.plot(found.value, at, "o", color=colour, ms=6)
        axes.axvline(by_classifier[STUMP].value, color=QUIET, linewidth=0.9, linestyle="--", zorder=0)
        axes.set_yticks(range(len(by_classifier)), by_classifier)
        axes.set_ylim(len(by_classifier) - 0.5, -0.5)
        axes.set_title(said_case(case))
        axes.grid(axis="y", visible=False)
    panels[-1].set_xlim(left=0)
    panels[-1].set_xlabel(f"share of spam caught at {budget:g} false alarms per 10 000 legitimate flows")
    return finish(
        figure,
        "detector",
        "Spam caught at equal false alarms",
        "Points with 95 % intervals over senders; the dashed line is the stump. a → b: learnt from a, judged on b.",
    )


def _at_budget(cases: Sequence[Case], detections: Detections) -> Table:
    rows = []
    for case in cases:
        for name, found in detections[case.name].items():
            first, accuracy = name == STUMP, str(case.balanced_accuracy(name))
            gain = "" if first else minus(str(case.gain(name)))
            rows.append((said_case(case.name) if first else "", name, str(found), gain, accuracy))
    columns = ("learnt → judged", "classifier", "spam caught", "more than the stump", "balanced accuracy")
    return Table(f"At {cases[0].budget:g} false alarms per 10 000 legitimate flows", columns, rows, texts=2)


def _operation(cases: Sequence[Case]) -> Table:
    rows = []
    for case in cases:
        found = case.operation
        rows.append(
            (
                said_case(case.name),
                f"{found.caught:.3f}",
                f"{found.uncertain:.3f}",
                f"{found.rate:.0f}",
                f"{found.bound:.0f}",
                "" if math.isnan(found.precision) else f"{found.precision:.3f}",
            )
        )
    columns = (
        "learnt → judged",
        "spam caught",
        "uncertain",
        "false alarms per 10 000",
        "upper 95 % bound",
        "precision of SPAM",
    )
    after = "The band of scores that is UNCERTAIN was chosen on the learning flows. Precision leaves class other aside."
    return Table("Forest with its band: the operating point", columns, rows, after=after)


DETECTOR = Topic(
    key="detector",
    title="Detector (eq. 5) and its rivals",
    lead=lambda study: (
        f"{study.parameters.trees} trees on {', '.join(study.features)}; a stump, a tree of depth 2 and logistic "
        "regression on principal components of the same features; a plain eq. 5 on the paper's universal features. "
        f"All are compared at {study.parameters.budget:g} false alarms per 10 000 legitimate flows, on senders and "
        f"sources that they have not learnt from; mean of the repetitions, {study.repeats}. Intervals: 95 %, "
        "bootstrap over senders."
    ),
    paper=(
        "Section IV: more than 60 trees on parts of the universal features, 0 as the answer when it is uncertain. "
        "It tells no rate of false alarms of the ensemble, so nothing here can be held against a figure of its own; "
        "of 176 thousand records 934 were called spam."
    ),
    contents=_contents,
)
