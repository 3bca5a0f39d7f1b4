"""Plan: which circuit a forest becomes on a device, and why."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from boards.device import Device
from hdl.forest_parameters import ForestParameters

from .errors import InputError
from .forest import Forest
from .forest_plan import ForestPlan
from .passes import simplify
from .ranked_plan import RankedPlan, plan_ranked
from .unrolled_plan import UnrolledPlan, plan_unrolled
from .walker_plan import WalkerPlan, plan_walker

__all__ = ["ARCHITECTURES", "ForestPlan", "candidates", "forest_parameters", "plan_forest", "read_plan"]
__all__ += ["unrolling_may_fit"]

_PLANS: Mapping[str, type[ForestPlan]] = {plan.architecture: plan for plan in (UnrolledPlan, WalkerPlan, RankedPlan)}

ARCHITECTURES = tuple(_PLANS)

MOST_LANES = 32
"""Of a walker that is considered beside other architectures."""


def forest_parameters(forest: Forest) -> ForestParameters:
    """What the circuit of a forest computes, after all passes."""
    simple = simplify(forest)
    return ForestParameters(
        feature_widths=tuple(column.bits for column in simple.columns),
        trees=simple.trees,
        lo=simple.band.lo,
        hi=simple.band.hi,
        classes=len(simple.classes),
    )


def plan_forest(
    forest: Forest,
    device: Device,
    clock_hz: float,
    *,
    architecture: str | None = None,
    flows_per_s: float | None = None,
    loadable: bool = False,
    block_rams: int | None = None,
) -> ForestPlan:
    """Choose the smallest circuit that keeps up.

    Parameters
    ----------
    clock_hz:
        That it is to run at.
    architecture:
        One of :data:`ARCHITECTURES`; by default the smallest.
    flows_per_s:
        That it has to classify; by default one every clock, or what the architecture does if it has to be one of those
        that take longer.
    loadable:
        It must be able to take another forest while it runs, as only a walker can.
    block_rams:
        How many may take the place of logic in an unrolled forest; by default those of the device if it does not fit
        otherwise, else none.
    """
    if architecture not in (None, *ARCHITECTURES):
        raise InputError(f"architecture must be one of {', '.join(ARCHITECTURES)}, not {architecture!r}")
    if loadable:
        if architecture not in (None, "walker"):
            raise InputError(f"tables can be loaded only into a walker, not into architecture {architecture!r}")
        architecture = "walker"
    if block_rams:
        _check_block_rams(block_rams, architecture)
    needed = flows_per_s or (1 if architecture in ("walker", "ranked") else clock_hz)
    if not 0 < needed <= clock_hz:
        raise InputError(f"flows per second must be above 0 and at most one a clock, {clock_hz:.0f}, not {needed:g}")
    names = ARCHITECTURES if architecture is None else (architecture,)
    plans = candidates(forest, device, clock_hz, needed, names=names, loadable=loadable, block_rams=block_rams)
    # So many lanes are never smaller, and a description of them takes long to write.
    plans = [plan for plan in plans if len(plans) == 1 or plan.lanes <= MOST_LANES]
    chosen = min(plans, key=lambda plan: _order(plan, device, clock_hz))
    reason = _reason(chosen, plans, device, clock_hz, needed)
    if block_rams and chosen.architecture == "unrolled" and not chosen.estimate.block_rams:
        reason += "; block RAM in place of logic would not make it smaller"
    return dataclasses.replace(chosen, reason=reason)


def _check_block_rams(block_rams: int, architecture: str | None) -> None:
    if block_rams < 0:
        raise InputError(f"block RAMs must be 0 or more, not {block_rams}")
    if architecture not in (None, "unrolled"):
        raise InputError(
            f"block RAMs can take the place of logic only in an unrolled forest, not in architecture {architecture!r}"
        )


def candidates(
    forest: Forest,
    device: Device,
    clock_hz: float,
    flows_per_s: float,
    *,
    names: Sequence[str] = ARCHITECTURES,
    loadable: bool = False,
    block_rams: int | None = None,
) -> list[ForestPlan]:
    """The plan of every architecture that is to be considered and keeps up, whether or not it fits."""
    parameters = forest_parameters(forest)
    if parameters.classes:
        if names == ("walker",):
            raise InputError(f"forest {forest.name!r}: a walker tells two classes apart, not {parameters.classes}")
        names = [name for name in names if name != "walker"]
    planners: Mapping[str, Callable[[], ForestPlan | None]] = {
        "unrolled": lambda: plan_unrolled(parameters, device, clock_hz, block_rams=block_rams),
        "walker": lambda: plan_walker(
            parameters,
            device,
            clock_hz,
            flows_per_s,
            loadable=loadable,
            forest_id=int(forest.id, 16),
            monitor_only=forest.monitor_only,
        ),
        "ranked": lambda: plan_ranked(parameters, device, clock_hz, flows_per_s),
    }
    if "walker" in names and not unrolling_may_fit(parameters, device):
        # Their trees side by side would take hours to lay out, for nothing.
        names = ("walker",)
    plans = [plan for name in names if (plan := planners[name]()) is not None]
    if not plans and not parameters.thresholds:
        raise InputError(f"forest {forest.name!r}: tests no feature, so that there is nothing to rank")
    if not plans:
        raise InputError(
            f"architecture {names[0]!r} does not keep up with {flows_per_s:.0f} flows per second at "
            f"{clock_hz / 1e6:g} MHz"
        )
    return plans


def unrolling_may_fit(parameters: ForestParameters, device: Device) -> bool:
    """Whether it is worth while to lay out trees side by side: a logic cell holds two tests at the very most."""
    return sum(len(tree.nodes) // 2 for tree in parameters.trees) <= 2 * device.logic_cells


def _order(plan: ForestPlan, device: Device, clock_hz: float) -> tuple[bool, bool, int]:
    """What fits comes first, then what reaches the clock, then what is small."""
    return not plan.estimate.fits(device), plan.estimate.clock_hz < clock_hz, plan.estimate.logic_cells


def _reason(
    chosen: ForestPlan, plans: Sequence[ForestPlan], device: Device, clock_hz: float, flows_per_s: float
) -> str:
    estimate = chosen.estimate
    ram = f" and {estimate.block_rams} block RAMs" if estimate.block_rams else ""
    reason = (
        f"{chosen.architecture}: {chosen.summary}; about {estimate.logic_cells} logic cells{ram} and "
        f"{estimate.clock_hz / 1e6:.0f} MHz expected, {clock_hz / 1e6:g} MHz and {flows_per_s:.0f} flows/s asked for"
    )
    for other in plans:
        if other is not chosen:
            too_big = "" if other.estimate.fits(device) else ", which do not fit"
            rams = f" and {other.estimate.block_rams} block RAMs" if other.estimate.block_rams else ""
            reason += f"; {other.architecture} would take about {other.estimate.logic_cells} logic cells{rams}{too_big}"
    return reason


def read_plan(forest: Forest, entry: Mapping[str, Any], directory: Path) -> ForestPlan:
    """The plan of an export from what its manifest says of the architecture."""
    if entry["name"] not in _PLANS:
        raise InputError(f"{directory}: architecture must be one of {', '.join(_PLANS)}, not {entry['name']!r}")
    try:
        return _PLANS[entry["name"]].from_export(forest_parameters(forest), entry, directory)
    except (KeyError, TypeError) as error:
        raise InputError(f"{directory}: was exported by another version, which said otherwise {error}") from None
