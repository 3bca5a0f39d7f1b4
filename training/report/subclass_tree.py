"""The subclasses of spam: how many there are, how large they are, and the rules that tell them apart."""

import numpy as np

from ..subclasses import Subclasses, said_rules
from .class_tree import draw_class_tree
from .contents import PAPER, Content, Drawing, Note, Table, percent
from .drawing import SERIES, finish, new_axes
from .matrix import draw_confusion
from .paper import RULES_CONFUSION, SUBCLASSES
from .study import Study
from .topic import Topic, of_sources

__all__ = ["SUBCLASS_TREE"]


def _contents(study: Study) -> list[Content]:
    found, contents = of_sources(study, study.subclasses)
    if not found:
        return contents
    contents += [_summary(found), _draw_errors(found)]
    for name, of_source in found.items():
        features = of_source.spam.features
        contents.append(
            draw_class_tree(
                of_source.rules,
                features,
                f"subclass_tree.{name}",
                f"Subclass tree of {name}",
                f"The smallest tree that tells the subclasses of {name} of senders it has not seen, grown on all of "
                "them; yes goes up. Leaves say how many flows end there and how many of them are of the subclass.",
            )
        )
        contents.append(Note(f"The rules of {name}:", said_rules(of_source.rules, features)))
        contents.append(
            draw_confusion(
                of_source.confusion,
                range(1, of_source.count + 1),
                said="subclass by the rules",
                name=f"subclass_matrix.{name}",
                title=f"Rules of {name}: flows by subclass",
                caption="Rows are what k-means says, columns what the rules say of senders that they have not seen.",
            )
        )
    return [*contents, _paper_confusion()]


def _summary(found: dict[str, Subclasses]) -> Table:
    rows = [
        ("spam flows / senders", *(f"{len(f.spam)} / {f.spam.senders}" for f in found.values()), "54 thousand"),
        ("clusters chosen", *(str(f.chosen) for f in found.values()), "4"),
        ("their error", *(percent(_error_of(f)) for f in found.values()), "8 %"),
        (
            "folded, shares",
            *(", ".join(percent(share) for share in f.folded) or "none" for f in found.values()),
            "1.3 %",
        ),
        ("subclasses", *(str(f.count) for f in found.values()), str(len(SUBCLASSES))),
    ]
    for at in range(max(len(SUBCLASSES), *(f.count for f in found.values()))):
        shares = (percent(np.mean(f.cluster == at + 1)) if at < f.count else "" for f in found.values())
        said = f"{SUBCLASSES[at].share} % (its {SUBCLASSES[at].number})" if at < len(SUBCLASSES) else ""
        rows.append((f"share of subclass {at + 1}", *shares, said))
    rows.append(("rules are right about", *(percent(f.explained) for f in found.values()), "more than 99 %"))
    rows.append(("features in the rules", *(", ".join(_asked(f)) for f in found.values()), "maxpl"))
    return Table("Clusters, sizes and rules", ("", *found, PAPER), rows)


def _error_of(found: Subclasses) -> float:
    return next(tried.error for tried in found.errors if tried.clusters == found.chosen)


def _asked(found: Subclasses) -> list[str]:
    """The features that the rules test, those nearest to the root first."""
    tests = found.rules.tree_.feature
    return list(dict.fromkeys(found.spam.features[at] for at in tests if at >= 0))


def _draw_errors(found: dict[str, Subclasses]) -> Drawing:
    figure, (axes,) = new_axes(6.6, 3.2)
    for at, (name, of_source) in enumerate(found.items()):
        tried = [error for error in of_source.errors if error.clusters > 1]
        colour, marker = SERIES[at % len(SERIES)], "os"[at % 2]
        look, ring = (
            {"color": colour, "marker": marker, "ms": 3.5},
            {"mfc": "none", "mec": colour, "ms": 10, "mew": 1.6},
        )
        axes.plot([t.clusters for t in tried], [100 * t.error for t in tried], label=name, **look)
        axes.plot(of_source.chosen, 100 * _error_of(of_source), marker, **ring)
    axes.set(
        xlabel="clusters k (ringed: chosen)",
        ylabel="error of left-out senders,\n% of the variance",
        title="How many clusters",
    )
    axes.set_ylim(bottom=0)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend()
    return finish(
        figure,
        "clusters",
        "Error of k-means by the number of clusters",
        "Squared distance of flows of left-out senders to the nearest centre, as a share of that to the mean of all.",
    )


def _paper_confusion() -> Table:
    rows = [(f"its subclass {number}", *map(str, said)) for number, said in RULES_CONFUSION.items()]
    return Table("The paper's matrix (Table I)", ("observed", "predicted 1", "predicted 2", "predicted 3"), rows)


SUBCLASS_TREE = Topic(
    key="subclasses",
    title="Subclasses of spam",
    lead=lambda study: (
        "k-means over the standardised lengths and counts of the client, k from 2 to "
        f"{study.most}, chosen by cross-validation in {study.folds} folds of senders: one cluster more has to explain "
        "another tenth of the variance. Clusters of less than 2 % are folded into the nearest ones. Subclasses are "
        "numbered by size. A CART tree tells what makes a subclass."
    ),
    paper=(
        "Section II-A: k from 2 to 25, 10 folds, an error of 8 % with four clusters, of which one held 1.3 %, so "
        "three were kept: 78.5 % (its subclass 2), 12.9 % (3) and 8.6 % (1) of 54 thousand records. A C&RT tree "
        "tells them with more than 99 % accuracy from one feature, maxpl. Its error is one of classification, ours "
        "of distance."
    ),
    contents=_contents,
)
