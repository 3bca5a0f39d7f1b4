"""Unrolled: how many registers a forest gets whose trees stand side by side."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boards.device import Device
from hdl.forest_network import forest_network
from hdl.forest_parameters import ForestParameters
from hdl.forest_unrolled import BOUNDARIES, CLASS_BOUNDARIES, UnrolledForest, UnrolledParameters
from hdl.lut_network import LutNetwork
from hdl.lut_pipeline import LutPipeline
from hdl.vote_adder import grouped
from hdl.vote_code import VoteCode

from .blif import blif_text, parse_blif
from .estimate import Estimate
from .forest_plan import ForestPlan
from .lut_optimiser import with_fewer_tables

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
        return {NETWORK: blif_text(self.parameters.network)}

    @property
    def entry(self) -> dict[str, Any]:
        network = self.parameters.network
        return {
            "tables": len(network.luts),
            "levels": network.depth,
            "levels_per_stage": self.parameters.levels_per_stage,
            "registered": sorted(self.parameters.registered),
        }

    @classmethod
    def read(cls, forest: ForestParameters, entry: Mapping[str, Any], directory: Path) -> UnrolledParameters:
        path = directory / NETWORK
        return UnrolledParameters(
            forest=forest,
            network=parse_blif(path.read_text(), str(path)),
            levels_per_stage=entry["levels_per_stage"],
            registered=frozenset(entry["registered"]),
        )

    def offset(self, feature: int) -> int:
        return self.parameters.forest.features_layout[f"feature_{feature}"].offset


def plan_unrolled(parameters: ForestParameters, device: Device, clock_hz: float) -> UnrolledPlan:
    """The pipeline with the fewest registers that should reach the clock on the device; else the fastest."""
    network = with_fewer_tables(forest_network(parameters))
    for levels_per_stage, registered in _choices(network, _boundaries(parameters)):
        longest_ns = _longest_ns(parameters, network, levels_per_stage, registered, device)
        if longest_ns <= _MARGIN * 1e9 / clock_hz:
            break
    return _plan(parameters, network, levels_per_stage, registered, device)


def unrolled_plans(parameters: ForestParameters, device: Device) -> Iterator[UnrolledPlan]:
    """From no registers but those of the answer to all, at most a handful of plans."""
    network = with_fewer_tables(forest_network(parameters))
    for levels_per_stage in (0, network.depth, 4, 3, 2, 1):
        if levels_per_stage <= network.depth:
            yield _plan(
                parameters, network, levels_per_stage, _boundaries(parameters) if levels_per_stage else (), device
            )


def _plan(
    parameters: ForestParameters,
    network: LutNetwork,
    levels_per_stage: int,
    registered: tuple[str, ...],
    device: Device,
) -> UnrolledPlan:
    unrolled = UnrolledParameters(
        forest=parameters, network=network, levels_per_stage=levels_per_stage, registered=frozenset(registered)
    )
    circuit = unrolled.circuit()
    trees = len(parameters.trees)
    stages = LutPipeline.latency_of(network, levels_per_stage)
    inside = {0: [], 1: ["trees"]}.get(stages, [f"every {levels_per_stage} of {network.depth} levels of tables"])
    places = [*inside, *sorted(registered), "class" if parameters.classes else "verdict"]
    return UnrolledPlan(
        parameters=unrolled,
        summary=(
            f"a flow every clock, {len(parameters.thresholds)} comparisons and {trees} "
            f"{'tree' if trees == 1 else 'trees'} in {len(network.luts)} tables, registers behind {', '.join(places)}"
        ),
        estimate=Estimate(
            logic_cells=_tables(parameters, network),
            registers=_registers(parameters, network, levels_per_stage, registered),
            block_rams=0,
            clock_hz=1e9 / _longest_ns(parameters, network, levels_per_stage, registered, device),
            latency=circuit.latency,
            interval=circuit.interval,
        ),
    )


def _tables(parameters: ForestParameters, network: LutNetwork) -> int:
    """Tables of the network, of the first sums, of all adders and of the answer, about."""
    bits, total = parameters.score_shape.width, len(network.luts)
    for index in range(parameters.classes or 1):
        groups = len(grouped(tuple(VoteCode.of(tree) for tree in parameters.trees_of(index))))
        total += groups * (bits - 4) + (groups - 1) * (bits - 2)
    # The band, or for every class but one a comparison and the choice of the greater.
    return total + (2 * bits * (parameters.classes - 1) if parameters.classes else bits)


def _registers(
    parameters: ForestParameters, network: LutNetwork, levels_per_stage: int, registered: tuple[str, ...]
) -> int:
    """Those in the network, behind it, and of the answer, about; valid bits are left out."""
    bits, total = parameters.score_shape.width, LutPipeline.registers_of(network, levels_per_stage)
    for index in range(parameters.classes or 1):
        groups = len(grouped(tuple(VoteCode.of(tree) for tree in parameters.trees_of(index))))
        total += ("tables" in registered) * groups * (bits - 4) + ("sums" in registered) * (groups - 1) * (bits - 2)
        total += ("score" in registered) * bits
    return total + bits + 2


def _boundaries(parameters: ForestParameters) -> tuple[str, ...]:
    """Where registers can be behind the trees."""
    return CLASS_BOUNDARIES if parameters.classes else BOUNDARIES


def _choices(network: LutNetwork, boundaries: tuple[str, ...]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Levels per stage and registered boundaries, those of fewer registers first; the last is all of them."""
    per_stage = sorted({-(-network.depth // stages) for stages in range(1, network.depth + 1)}, reverse=True)
    # A stage of all levels is a register behind the trees; 0 is none.
    choices = [
        (levels, registered)
        for levels in (0, *per_stage)
        for count in range(len(boundaries) + 1)
        # Boundaries further back are narrower, so among equals the plan prefers those.
        for registered in itertools.combinations(boundaries[::-1], count)
    ]
    yield from sorted(choices, key=lambda choice: LutPipeline.latency_of(network, choice[0]) + len(choice[1]))


def _longest_ns(
    parameters: ForestParameters,
    network: LutNetwork,
    levels_per_stage: int,
    registered: tuple[str, ...],
    device: Device,
) -> float:
    """The longest way between two registers."""
    level, carry, register = device.level_ns, device.carry_ns, device.register_ns
    adders = max(
        (max(1, -(-sum(VoteCode.of(tree).width for tree in parameters.trees_of(index)) // 4)) - 1).bit_length()
        for index in range(parameters.classes or 1)
    )
    score_bits = parameters.score_shape.width
    add = level + carry * score_bits
    # The last adder lies between the registers of the sums and that of the score.
    segments = [
        ("tables", level),
        *[("sums", add)] * max(0, adders - 1),
        *[("score", add)] * min(1, adders),
        *_decision(parameters, level, add),
    ]
    longest = path = register + level * (levels_per_stage or network.depth)
    if levels_per_stage:
        path = register
    for boundary, delay in segments:
        path += delay
        longest = max(longest, path)
        if boundary in registered:
            path = register
    return longest


def _decision(parameters: ForestParameters, level: float, add: float) -> list[tuple[str, float]]:
    """From the scores to the answer: the band, or comparisons of scores, each with the choice of one behind it."""
    if parameters.classes:
        return [("maxima", add + level)] * (parameters.classes - 1).bit_length()
    return [("verdict", level * max(1, -(-parameters.score_shape.width.bit_length() // 2)))]
