"""Unrolled: how many registers a forest gets whose trees stand side by side."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from boards.device import Device
from hdl.block_rom import RomShape
from hdl.forest_parameters import ForestParameters
from hdl.forest_unrolled import UnrolledForest, UnrolledParameters
from hdl.lut_pipeline import LutPipeline

from .blif import blif_text, parse_blif
from .forest_plan import ForestPlan
from .lookup_files import read_stages, stage_files
from .unrolled_circuits import in_block_ram, in_logic
from .unrolled_estimate import estimate, longest_ns

__all__ = ["UnrolledPlan", "plan_unrolled", "unrolled_plans"]

NETWORK = "network.blif"
"""The comparisons and trees of the forest, as tables."""

_MARGIN = 0.8
"""A plan aims at a fifth more than the clock asked for: the estimate below was within 15 % of routed designs."""


@dataclass(frozen=True, kw_only=True)
class UnrolledPlan(ForestPlan):
    """A forest as :class:`hdl.forest_unrolled.UnrolledForest`."""

    architecture = "unrolled"
    parameters: UnrolledParameters

    def circuit(self) -> UnrolledForest:
        return self.parameters.circuit()

    @property
    def files(self) -> Mapping[str, str]:
        return {NETWORK: blif_text(self.parameters.network), **stage_files(self.parameters.stages)}

    @property
    def entry(self) -> dict[str, Any]:
        network = self.parameters.network
        return {
            "tables": len(network.luts),
            "levels": network.depth,
            "levels_per_stage": self.parameters.levels_per_stage,
            "registered": sorted(self.parameters.registered),
            "block_ram": _block_ram_entry(self.parameters),
        }

    @classmethod
    def read(cls, forest: ForestParameters, entry: Mapping[str, Any], directory: Path) -> UnrolledParameters:
        path = directory / NETWORK
        # Exports from before there were tables in block RAM say nothing of them.
        block_ram = entry.get("block_ram")
        tables = {}
        if block_ram:
            tables = {
                "stages": read_stages(directory, block_ram["stages"]),
                "sums_in_block_ram": block_ram["sums"],
                "rom": RomShape(**block_ram["shape"]),
            }
        return UnrolledParameters(
            forest=forest,
            network=parse_blif(path.read_text(), str(path)),
            levels_per_stage=entry["levels_per_stage"],
            registered=frozenset(entry["registered"]),
            **tables,
        )

    def offset(self, feature: int) -> int:
        return self.parameters.forest.features_layout[f"feature_{feature}"].offset


def _block_ram_entry(parameters: UnrolledParameters) -> dict[str, Any] | None:
    """What an export says of its tables in block RAM, None if there are none; the words are in a file."""
    if not parameters.rom:
        return None
    roms = {
        module: [f"{table.holds}: {len(table.words)} words of {table.width} bits" for table in tables]
        for module, tables in parameters.roms.items()
    }
    return {
        "stages": len(parameters.stages),
        "sums": parameters.sums_in_block_ram,
        "shape": asdict(parameters.rom),
        "roms": roms,
    }


def plan_unrolled(
    parameters: ForestParameters, device: Device, clock_hz: float, *, block_rams: int | None = 0
) -> UnrolledPlan:
    """The pipeline with the fewest registers that should reach the clock on the device; else the fastest.

    At most ``block_rams`` take the place of logic, where that is less of it and as fast as asked for. None stands for
    all of the device, if logic alone does not fit.
    """
    plans = [_pipelined(in_logic(parameters), device, clock_hz)]
    if block_rams is None:
        block_rams = 0 if plans[0].estimate.fits(device) else device.block_rams
    if looked_up := in_block_ram(parameters, device.family.rom, min(block_rams, device.block_rams)):
        plans.append(_pipelined(looked_up, device, clock_hz))
    return min(
        plans,
        key=lambda plan: (
            not plan.estimate.fits(device),
            plan.estimate.clock_hz < clock_hz,
            plan.estimate.logic_cells,
        ),
    )


def unrolled_plans(parameters: ForestParameters, device: Device, *, block_rams: int = 0) -> Iterator[UnrolledPlan]:
    """From no registers but those of the answer to all, at most a handful of plans.

    As many more have tables in so many block RAMs at most, where those save logic.
    """
    plain = list(_depths_of(in_logic(parameters), device))
    yield from plain
    if looked_up := in_block_ram(parameters, device.family.rom, block_rams):
        most_cells = max(plan.estimate.logic_cells for plan in plain)
        yield from (plan for plan in _depths_of(looked_up, device) if plan.estimate.logic_cells < most_cells)


def _depths_of(circuit: UnrolledParameters, device: Device) -> Iterator[UnrolledPlan]:
    for levels_per_stage in (0, circuit.network.depth, 4, 3, 2, 1):
        if levels_per_stage <= circuit.network.depth:
            registered = frozenset(circuit.boundaries if levels_per_stage else ())
            yield _plan(replace(circuit, levels_per_stage=levels_per_stage, registered=registered), device)


def _pipelined(plain: UnrolledParameters, device: Device, clock_hz: float) -> UnrolledPlan:
    # No register makes a block RAM faster.
    slowest_ns = device.block_ram_ns if plain.block_rams else 0
    for levels_per_stage, registered in _choices(plain):
        parameters = replace(plain, levels_per_stage=levels_per_stage, registered=frozenset(registered))
        if longest_ns(parameters, device) <= max(_MARGIN * 1e9 / clock_hz, slowest_ns):
            break
    return _plan(parameters, device)


def _choices(parameters: UnrolledParameters) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Levels per stage and registered boundaries, those of fewer registers first; the last is all of them."""
    networks = [parameters.network, *(stage.network for stage in parameters.stages)]
    depth = max(network.depth for network in networks)
    per_stage = sorted({-(-depth // stages) for stages in range(1, depth + 1)}, reverse=True)
    # A stage of all levels is a register behind the trees; 0 is none.
    choices = [
        (levels, registered)
        for levels in (0, *per_stage)
        for count in range(len(parameters.boundaries) + 1)
        # Boundaries further back are narrower, so among equals the plan prefers those.
        for registered in itertools.combinations(parameters.boundaries[::-1], count)
    ]
    yield from sorted(
        choices,
        key=lambda choice: sum(LutPipeline.latency_of(network, choice[0]) for network in networks) + len(choice[1]),
    )


def _plan(parameters: UnrolledParameters, device: Device) -> UnrolledPlan:
    forest, network, levels_per_stage = parameters.forest, parameters.network, parameters.levels_per_stage
    trees = len(forest.trees)
    stages = LutPipeline.latency_of(network, levels_per_stage)
    inside = {0: [], 1: ["trees"]}.get(stages, [f"every {levels_per_stage} of {network.depth} levels of tables"])
    # Block RAM has registers anyhow.
    boundaries = sorted(parameters.registered - ({"tables"} if parameters.sums_in_block_ram else set()))
    places = [*inside, *boundaries, "class" if forest.classes else "verdict"]
    tables = len(network.luts) + sum(len(stage.network.luts) for stage in parameters.stages)
    rams = parameters.block_rams
    beside = f" and {rams} block {'RAM' if rams == 1 else 'RAMs'}" if rams else ""
    return UnrolledPlan(
        parameters=parameters,
        summary=(
            f"a flow every clock, {len(forest.thresholds)} comparisons and {trees} "
            f"{'tree' if trees == 1 else 'trees'} in {tables} tables{beside}, "
            f"registers behind {', '.join(places)}"
        ),
        estimate=estimate(parameters, device),
    )
