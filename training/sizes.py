"""What a forest catches against what its circuit should take: smaller trees, fewer thresholds, shared by all trees."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from boards import Board
from compiler.atomic import replacing
from compiler.exporting import left_for_forest
from compiler.extras import import_extra
from compiler.forest import Forest
from compiler.plan import plan_forest

from .cross_fitting import cross_scores
from .detection import detection_at
from .fitting import FitParameters, vote_fitted, vote_learner
from .flow_set import FlowSet

__all__ = ["Size", "draw_sizes", "sizes_of"]


@dataclass(frozen=True)
class Size:
    """A forest of this size.

    Attributes
    ----------
    detection:
        Share of spam that is caught at the budget, senders apart.
    architecture, logic_cells, block_rams:
        Of the circuit that the plan chooses for the board, as estimated.
    fits:
        The device beside the rest of a probe has room for the block RAM, and in all for the logic cells.
    best:
        No smaller one catches as much.
    """

    trees: int
    leaves: int
    thresholds: int | None
    tested: int
    detection: float
    architecture: str
    logic_cells: int
    block_rams: int
    fits: bool
    best: bool = False


def sizes_of(
    flows: FlowSet,
    parameters: FitParameters,
    board: Board,
    leaves: Sequence[int],
    thresholds: Sequence[int | None],
    tell: Callable[[str], None] = lambda _: None,
) -> list[Size]:
    """Every combination, the smallest estimate first."""
    found = []
    for most_leaves in leaves:
        for most_thresholds in thresholds:
            tell(f"{most_leaves} leaves, {most_thresholds or 'any number of'} thresholds")
            mine = replace(parameters, leaves=most_leaves, thresholds=most_thresholds)
            scores = cross_scores(flows, vote_learner(mine), mine.seed)
            caught = detection_at(scores[flows.is_spam], scores[flows.is_legitimate], mine.budget)
            forest = vote_fitted(flows, mine).to_forest(directions=mine.directions)
            found.append(_size(forest, mine, caught, board))
    found.sort(key=lambda size: (size.logic_cells, size.block_rams, -size.detection))
    most, front = -1.0, []
    for size in found:
        best = size.fits and size.detection > most
        most = size.detection if best else most
        front.append(replace(size, best=best))
    return front


def _size(forest: Forest, parameters: FitParameters, caught: float, board: Board) -> Size:
    device = left_for_forest(board)
    plan = plan_forest(forest, device, board.clock_hz, flows_per_s=board.flows_per_s)
    return Size(
        trees=len(forest.trees),
        leaves=parameters.leaves,
        thresholds=parameters.thresholds,
        tested=sum(map(len, forest.thresholds())),
        detection=caught,
        architecture=plan.architecture,
        logic_cells=plan.estimate.logic_cells,
        block_rams=plan.estimate.block_rams,
        fits=plan.estimate.fits(device),
    )


def draw_sizes(path: Path, sizes: Sequence[Size], board: Board, budget: float) -> None:
    """Detection against estimated logic cells, the front as a line, as a PNG."""
    import_extra("matplotlib", "plot", path).use("Agg")
    pyplot = import_extra("matplotlib.pyplot", "plot", path)
    figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
    for architecture, marker in (("unrolled", "s"), ("walker", "o"), ("ranked", "^")):
        chosen = [size for size in sizes if size.architecture == architecture]
        axes.scatter(
            [size.logic_cells for size in chosen],
            [size.detection for size in chosen],
            marker=marker,
            alpha=0.7,
            label=architecture,
        )
    front = [size for size in sizes if size.best]
    axes.step([s.logic_cells for s in front], [s.detection for s in front], where="post", color="0.4", label="front")
    for size in front:
        said = f" {size.leaves} leaves, {size.thresholds or 'all'} thresholds"
        axes.annotate(said, (size.logic_cells, size.detection), fontsize=7, va="bottom")
    axes.set(
        xlabel=f"estimated logic cells of the forest circuit, {board.name}",
        ylabel=f"spam caught at {budget:g} false alarms per 10 000",
        title="What more logic catches",
    )
    axes.grid(alpha=0.2)
    axes.legend()
    with replacing(path) as fresh:
        figure.savefig(fresh, format="png", dpi=120)
    pyplot.close(figure)
