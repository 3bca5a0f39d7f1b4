"""Explore: what circuits a forest could become on a device, how large and how fast each would be."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from boards.bench_shell import shell_cells, write_bench
from boards.device import Device, DoesNotFit
from boards.routing import place_and_route
from boards.synthesis import synthesise, synthesise_alone
from boards.toolchain import ToolError, ToolMissing

from .design import FOREST_MODULE
from .emit import rtlil_text
from .errors import InputError
from .forest import Forest
from .forest_plan import ForestPlan
from .plan import forest_parameters, unrolling_may_fit
from .ranked_plan import ranked_plans
from .unrolled_plan import unrolled_plans
from .walker_plan import walker_plans

__all__ = ["Placed", "Point", "explore", "place", "plot"]


@dataclass(frozen=True)
class Placed:
    """What place and route has found, with one seed.

    Attributes
    ----------
    logic_cells, registers, block_rams:
        Of the circuit alone: registers and block RAMs after synthesis, logic cells as placed, less those of the shell.
    clock_hz:
        Reached behind a shift register.
    """

    logic_cells: int
    registers: int
    block_rams: int
    clock_hz: float


@dataclass(frozen=True)
class Point:
    """A circuit.

    Attributes
    ----------
    plan:
        What it is.
    flows_per_s:
        At the clock that is expected, whatever the flows are.
    best:
        No other that fits the device is as fast with fewer logic cells.
    placed:
        What place and route has found, if it was asked.
    """

    plan: ForestPlan
    flows_per_s: float
    best: bool = False
    placed: Placed | None = None

    @property
    def logic_cells(self) -> int:
        return self.plan.estimate.logic_cells


def explore(forest: Forest, device: Device) -> list[Point]:
    """All circuits that are considered, the smallest first, with the Pareto front of size and speed marked."""
    parameters = forest_parameters(forest)
    plans: list[ForestPlan] = []
    if parameters.classes or unrolling_may_fit(parameters, device):
        plans += unrolled_plans(parameters, device, block_rams=device.block_rams)
        plans += ranked_plans(parameters, device)
    if not parameters.classes:
        # Lanes that are larger than all trees side by side are never the better choice.
        most = max((plan.estimate.logic_cells for plan in plans), default=device.logic_cells)
        plans += walker_plans(parameters, device, most)
    points = [Point(plan, plan.estimate.flows_per_s(plan.estimate.clock_hz)) for plan in plans]
    points.sort(key=lambda point: (point.logic_cells, -point.flows_per_s, point.plan.estimate.registers))
    front, fastest = [], 0.0
    for point in points:
        best = point.plan.estimate.fits(device) and point.flows_per_s > fastest
        fastest = point.flows_per_s if best else fastest
        front.append(replace(point, best=best))
    return front


def place(points: Sequence[Point], device: Device, tell: Callable[[str], None] = lambda _: None) -> list[Point]:
    """The points, those of the front placed and routed."""
    return [replace(point, placed=_placed(point, device, tell)) if point.best else point for point in points]


def _placed(point: Point, device: Device, tell: Callable[[str], None]) -> Placed | None:
    tell(f"{point.plan.architecture}, {point.plan.summary}: synthesis")
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        try:
            circuit = rtlil_text(point.plan.circuit(), FOREST_MODULE)
            (directory / "forest.il").write_text(circuit)
            cells = synthesise_alone(directory / "forest.il", FOREST_MODULE, device.family)
            write_bench(point.plan.circuit(), FOREST_MODULE, circuit, directory, device.family)
            synthesise(directory, device.family)
            tell(f"{point.plan.architecture}, {point.plan.summary}: place and route")
            placement = place_and_route(directory, device, seed=1, clock_hz=point.plan.estimate.clock_hz)
        except DoesNotFit:
            return None
        except (ToolMissing, ToolError) as error:
            raise InputError(str(error)) from None
    logic_cells = placement.used[device.family.logic_cell] - shell_cells(point.plan.circuit(), device.family)
    return Placed(logic_cells, cells["ff"], cells["ebr"], placement.fmax_hz)


def plot(points: Sequence[Point], device: Device, title: str, path: Path) -> None:
    """A picture of size against speed, the front as a line."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    for architecture, marker in (("unrolled", "s"), ("walker", "o"), ("ranked", "^")):
        chosen = [point for point in points if point.plan.architecture == architecture]
        axes.scatter(
            [point.flows_per_s for point in chosen],
            [point.logic_cells for point in chosen],
            marker=marker,
            label=architecture,
            alpha=0.7,
        )
    front = [point for point in points if point.best]
    axes.step(
        [point.flows_per_s for point in front],
        [point.logic_cells for point in front],
        where="post",
        color="0.4",
        label="Pareto front",
    )
    for point in front:
        if point.plan.estimate.block_rams:
            at = (point.flows_per_s, point.logic_cells)
            axes.annotate(f" {point.plan.estimate.block_rams} RAM", at, fontsize=7, va="top")
        if point.placed:
            flows = point.placed.clock_hz / point.plan.estimate.interval
            axes.plot(
                [point.flows_per_s, flows], [point.logic_cells, point.placed.logic_cells], color="tab:red", linewidth=1
            )
            axes.plot(flows, point.placed.logic_cells, "x", color="tab:red")
    if any(point.placed for point in points):
        axes.plot([], [], "x", color="tab:red", label="placed and routed")
    axes.axhline(device.logic_cells, color="0.7", linestyle=":", linewidth=1, label=f"all of {device.name}")
    axes.set(xscale="log", yscale="log", xlabel="flows per second", ylabel="logic cells", title=title)
    axes.grid(which="both", alpha=0.2)
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=150, format="png")
