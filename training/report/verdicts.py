"""Misclassification matrices of the detector: verdicts by label, UNCERTAIN in a column of its own."""

import numpy as np

from ..evaluation import Case, groups_of
from .contents import Content, Drawing, percent
from .detector import said_case
from .drawing import BACKGROUND, NEITHER, SPAM
from .matrix import draw_matrix
from .study import Study
from .topic import Topic

__all__ = ["VERDICTS"]

_VERDICTS = {1: "SPAM", 0: "UNCERTAIN", -1: "BACKGROUND"}


def _contents(study: Study) -> list[Content]:
    return [_draw(case) for case in study.cases]


def _draw(case: Case) -> Drawing:
    groups = {name: rows for name, rows in groups_of(case.flows).items() if rows.any()}
    shares = np.array([list(case.verdict_shares(rows).values()) for rows in groups.values()])
    return draw_matrix(
        shares,
        [[percent(share) for share in row] for row in shares],
        rows=[f"{name} ({rows.sum()})" for name, rows in groups.items()],
        columns=list(_VERDICTS.values()),
        colours=(SPAM, NEITHER, BACKGROUND),
        said="verdict",
        name="verdicts." + case.name.removesuffix(", other senders").replace(" -> ", "-to-"),
        title=f"Verdicts, {said_case(case.name)}",
        caption="Share of the flows of each label, whose number is in brackets; a → b: learnt from a, judged on b.",
    )


VERDICTS = Topic(
    key="verdicts",
    title="Misclassification matrices",
    lead=lambda study: (
        "What the forest with its band says of the flows of each label, within a source of senders it has not "
        f"learnt from, and across sources; mean of the repetitions, {study.repeats}. Greylisted first attempts count "
        "as legitimate; the rest of other as neither."
    ),
    paper=(
        "Tables I and III are of single trees, above; of its ensemble the paper has no matrix, as nobody had "
        "labelled the flows of the BRAS."
    ),
    contents=_contents,
)
