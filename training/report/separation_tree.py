"""A single tree that parts the subclasses from class 0, and why it is no filter."""

import numpy as np

from ..subclasses import Separation
from .class_tree import class_name, draw_class_tree
from .contents import PAPER, Content, Drawing, Table
from .drawing import class_colour
from .matrix import draw_matrix
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
        contents.append(_draw_confusion(name, parted))
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
    rows = [("total accuracy", *(f"{f.accuracy:.1%}" for f in found.values()), f"{right.sum() / matrix.sum():.1%}")]
    rows.append(("wrong: class 0", *(f"{f.wrong[0]:.1%}" for f in found.values()), f"{wrong[0]:.1%}"))
    most = max(len(SUBCLASSES), *(len(f.wrong) - 1 for f in found.values()))
    for what, attribute, of_paper in (
        ("wrong", "wrong", wrong),
        ("false positives among what is said to be", "wrongly_said", falsely),
    ):
        for number in range(1, most + 1):
            shares = [getattr(parted, attribute) for parted in found.values()]
            cells = (_percent(of_source[number]) if number < len(of_source) else "" for of_source in shares)
            theirs = SUBCLASSES[number - 1].number if number <= len(SUBCLASSES) else None
            said = "" if theirs is None else f"{of_paper[theirs]:.1%} (its {theirs})"
            rows.append((f"{what}: {class_name(number)}", *cells, said))
    rows.append(("leaves", *(str(f.leaves) for f in found.values()), ""))
    after = (
        "The paper's figures are worked out from its Table III. 92 % of its flows there are spam, most in one subclass."
    )
    return Table("How well it parts", ("", *found, PAPER), rows, after=after)


def _percent(share: float) -> str:
    return "none said" if np.isnan(share) else f"{share:.1%}"


def _draw_confusion(name: str, parted: Separation) -> Drawing:
    confusion, classes = parted.confusion, range(len(parted.confusion))
    sizes = confusion.sum(axis=1, keepdims=True)
    return draw_matrix(
        confusion / np.maximum(sizes, 1),
        [f"{class_name(number)} ({size[0]} flows)" for number, size in zip(classes, sizes.tolist(), strict=True)],
        [class_name(number) for number in classes],
        [class_colour(number) for number in classes],
        [[str(flows) for flows in row] for row in confusion.tolist()],
        f"separation_matrix.{name}",
        f"Separation tree of {name}: flows by class",
        "Flows of senders that the tree has not seen.",
        "class by the tree",
    )


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
