"""Table II: how the labels of spam spread over the subclasses."""

import numpy as np

from ..flow_set import SPAM
from ..subclasses import Subclasses
from .class_tree import class_name
from .contents import PAPER, Content, Drawing, Table, percent
from .drawing import class_colour
from .matrix import draw_matrix
from .paper import SUBCLASSES
from .study import Study
from .topic import Topic, of_sources

__all__ = ["label_shares", "SUBCLASS_LABELS"]


def _contents(study: Study) -> list[Content]:
    found, notes = of_sources(study, study.subclasses)
    if not found:
        return notes
    rows: list[tuple[str, ...]] = []
    for name, of_source in found.items():
        shares = label_shares(of_source)
        for number, of_class in enumerate(shares, 1):
            flows = int(np.sum(of_source.cluster == number))
            rows.append((name, class_name(number), str(flows), *(f"{100 * share:.1f}" for share in of_class)))
    rows += [(PAPER, f"its {said.number}", "", f"{said.dnsbl:.1f}", f"{said.y_spam:.1f}") for said in SUBCLASSES]
    columns = ("source", "subclass", "flows", *(f"{label}, %" for label in _SAID))
    table = Table("Labels of the subclasses", columns, rows, texts=2)
    return [*notes, table, *(_draw(name, of_source) for name, of_source in found.items())]


_SAID = ("dnsbl", "spam (y_spam)")


def label_shares(found: Subclasses) -> np.ndarray:
    """Of each subclass the share of each label of spam (subclass × label)."""
    labels = found.spam.label
    return np.array(
        [[np.mean(labels[found.cluster == number] == label) for label in SPAM] for number in range(1, found.count + 1)]
    )


def _draw(name: str, found: Subclasses) -> Drawing:
    shares = label_shares(found)
    return draw_matrix(
        shares,
        [[percent(share) for share in row] for row in shares],
        rows=[
            f"{class_name(number)} ({np.sum(found.cluster == number)} flows)" for number in range(1, found.count + 1)
        ],
        columns=_SAID,
        colours=(class_colour(1), class_colour(2)),
        said="label",
        name=f"labels.{name}",
        title=f"Labels in the subclasses of {name}",
        caption="Share of the flows of each subclass.",
    )


SUBCLASS_LABELS = Topic(
    key="labels",
    title="Labels among the subclasses (Table II)",
    lead=lambda _: (
        "dnsbl: the sender is on a blacklist, and the server ended the talk early. spam: delivered, and marked by "
        "the spam filter, which the paper calls y_spam."
    ),
    paper=("Table II: its subclass 2 is 98.3 % dnsbl, 3 is 100 % y_spam, 1 is 97.1 % y_spam."),
    contents=_contents,
)
