"""A single tree that parts the subclasses from class 0, and why it is no filter."""

import numpy as np

from ..subclasses import Separation
from .class_tree import class_name, draw_class_tree
from .contents import PAPER, Content, Table, percent
from .matrix import draw_confusion
from .paper import SEPARATION_CONFUSION, SUBCLASSES
from .study import SHAPE, Study
from .topic import Topic, of_sources

__all__ = ["SEPARATION_TREE"]


def _contents(study: Study) -> list[Content]:
    found, contents = of_sources(study, study.separation)
    if not found:
        return contents
    contents.append(_summary(found))
    for name, parted in found.items():
        contents.append(
            draw_confusion(
                parted.confusion,
                range(len(parted.confusion)),
                said="class by the tree",
                name=f"separation_matrix.{name}",
                title=f"Separation tree of {name}: flows by class",
                caption="Flows of senders that the tree has not seen.",
            )
        )
        contents.append(
            draw_class_tree(
                parted.tree,
                SHAPE,
                f"separation_tree.{name}",
                f"Separation tree of {name}",
                f"Grown on all flows of {name}; yes goes up. Class 0 is what is no spam.",
            )
        )
    return [*contents, _paper_confusion()]


def _summary(found: dict[str, Separation]) -> Table:
    matrix = np.array(list(SEPARATION_CONFUSION.values()))
    right = np.diag(matrix)
    wrong, falsely = 1 - right / matrix.sum(axis=1), 1 - right / matrix.sum(axis=0)
    rows = [("total accuracy", *(percent(f.accuracy) for f in found.values()), percent(right.sum() / matrix.sum()))]
    rows.append(("wrong: class 0", *(percent(f.wrong[0]) for f in found.values()), percent(wrong[0])))
    most = max(len(SUBCLASSES), *(len(f.wrong) - 1 for f in found.values()))
    for what, attribute, of_paper in (
        ("wrong", "wrong", wrong),
        ("called so, but is not", "wrongly_said", falsely),
    ):
        for number in range(1, most + 1):
            shares = [getattr(parted, attribute) for parted in found.values()]
            cells = (_percent(of_source[number]) if number < len(of_source) else "" for of_source in shares)
            theirs = SUBCLASSES[number - 1].number if number <= len(SUBCLASSES) else None
            said = "" if theirs is None else f"{percent(of_paper[theirs])} (its {theirs})"
            rows.append((f"{what}: {class_name(number)}", *cells, said))
    rows.append(("leaves", *(str(f.leaves) for f in found.values()), ""))
    after = (
        "The paper's figures are worked out from its Table III. 92 % of its flows there are spam, most in one subclass."
    )
    return Table("How well it parts", ("", *found, PAPER), rows, after=after)


def _percent(share: float) -> str:
    return "none said" if np.isnan(share) else percent(share)


def _paper_confusion() -> Table:
    columns = ("observed", *(f"predicted {number}" for number in SEPARATION_CONFUSION))
    rows = [
        (f"its subclass {number}" if number else "class 0", *map(str, said))
        for number, said in SEPARATION_CONFUSION.items()
    ]
    return Table("The paper's matrix (Table III)", columns, rows)


SEPARATION_TREE = Topic(
    key="separation",
    title="Separation tree",
    lead=lambda study: (
        "One tree of 16 leaves for class 0 (ham, outgoing mail, submission, greylisted first attempts) and the "
        f"subclasses, judged in {study.folds} folds of senders."
    ),
    paper=(
        "Section II-C, figure 4 and Table III: total accuracy 97 %; false positives among what is said to be of its "
        "subclasses 1, 2 and 3: 5.5, 0.2 and 13.8 %; about 30 % of class 0 wrong. It concludes that a single tree "
        "is useless as a filter."
    ),
    contents=_contents,
)
