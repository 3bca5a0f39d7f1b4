"""Figures of a forest on labelled flows."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from compiler.atomic import check_file_target, replacing
from compiler.extras import import_extra
from compiler.forest import Forest, Node

__all__ = ["draw_forest", "feature_use"]

_COLOURS = {"spam": "#b5442e", "legitimate": "#3b6ea5", "other": "#9a9a9a"}


def feature_use(forest: Forest, X: NDArray[np.int64]) -> dict[str, float]:
    """How much each feature has a say in the votes on these flows, the most used one having 100 points.

    A tree gives its weight to every test on the path of a flow, so a feature that nobody asks for has none.

    Parameters
    ----------
    X: integer array of shape (flows, columns of the forest)
    """
    use = np.zeros(len(forest.columns))
    for tree in forest.trees:
        at = np.zeros(len(X), np.int64)
        for _ in range(tree.depth):
            for number in np.unique(at):
                node = tree.nodes[number]
                if isinstance(node, Node):
                    here = np.flatnonzero(at == number)
                    use[node.feature] += tree.weight * len(here)
                    at[here] = np.where(X[here, node.feature] <= node.threshold, node.left, node.right)
    use *= 100 / use.max()
    return dict(sorted(zip(forest.feature_names, use.tolist(), strict=True), key=lambda entry: -entry[1]))


def draw_forest(path: Path, forest: Forest, X: NDArray[np.int64], scores: Mapping[str, NDArray[np.int64]]) -> None:
    """Draw what the forest looks at, and how its scores part the classes, as a PNG.

    Parameters
    ----------
    X: the flows that the use of features is measured on
    scores: scores of the flows of each class; the classes are ``spam``, ``legitimate`` and ``other``
    """
    check_file_target(path)
    import_extra("matplotlib", "plot", path).use("Agg")
    pyplot = import_extra("matplotlib.pyplot", "plot", path)

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, 5), layout="constrained")
    use = feature_use(forest, X)
    left.barh(list(use), list(use.values()), color="#5a7d4f")
    left.invert_yaxis()
    left.set_title("What the forest asks for")
    left.set_xlabel("tests on the paths of the flows,\nweighted by tree; the most used feature is 100")

    low, high = forest.score_range
    edges = np.linspace(low, high, 42)
    right.hist(
        list(scores.values()),
        edges,
        stacked=True,
        color=[_COLOURS[name] for name in scores],
        label=[f"{name} ({len(of_class)})" for name, of_class in scores.items()],
    )
    right.axvspan(forest.band.lo, forest.band.hi, color="#e8d9a0", alpha=0.6, zorder=0, label="band: uncertain")
    right.set_title("Scores of the test flows")
    right.set_xlabel("score: background on the left, spam on the right")
    right.set_ylabel("flows")
    right.legend()
    with replacing(path) as fresh:
        figure.savefig(fresh, format="png", dpi=120)
    pyplot.close(figure)
