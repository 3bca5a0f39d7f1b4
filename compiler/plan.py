"""Plan: which circuit a forest becomes on a device, with how many registers, and why."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from amaranth.lib import wiring

from boards.device import Device
from hdl.forest_network import forest_network
from hdl.forest_parameters import ForestParameters
from hdl.forest_unrolled import BOUNDARIES, UnrolledParameters
from hdl.lut_network import LutNetwork
from hdl.lut_pipeline import LutPipeline
from hdl.vote_code import VoteCode

from .errors import InputError
from .forest import Forest
from .lut_optimiser import with_fewer_tables
from .passes import simplify

__all__ = ["ARCHITECTURES", "ForestPlan", "forest_parameters", "plan_forest"]

ARCHITECTURES = ("unrolled",)

_MARGIN = 0.8
"""A plan aims at a fifth more than the clock asked for: the estimate below was within 15 % of routed designs."""


@dataclass(frozen=True)
class ForestPlan:
    """A circuit that has been decided on.

    Attributes
    ----------
    architecture:
        One of :data:`ARCHITECTURES`.
    parameters:
        What the circuit is made from.
    reason:
        One line for people.
    """

    architecture: str
    parameters: UnrolledParameters
    reason: str

    def circuit(self) -> wiring.Component:
        """A new instance of the circuit, with ``i``, ``o``, ``latency`` and ``interval``."""
        return self.parameters.circuit()


def forest_parameters(forest: Forest) -> ForestParameters:
    """What the circuit of a forest computes, after all passes."""
    simple = simplify(forest)
    return ForestParameters(
        feature_widths=tuple(column.bits for column in simple.columns),
        trees=simple.trees,
        lo=simple.band.lo,
        hi=simple.band.hi,
    )


def plan_forest(forest: Forest, device: Device, clock_hz: float, *, architecture: str | None = None) -> ForestPlan:
    """Choose the circuit: the one with the fewest registers that should reach the clock on the device."""
    if architecture not in (None, *ARCHITECTURES):
        raise InputError(f"architecture must be one of {', '.join(ARCHITECTURES)}, not {architecture!r}")
    parameters = forest_parameters(forest)
    network = with_fewer_tables(forest_network(parameters))
    period_ns = 1e9 / clock_hz
    for levels_per_stage, registered in _choices(network):
        longest_ns = _longest_ns(parameters, network, levels_per_stage, registered, device)
        if longest_ns <= _MARGIN * period_ns:
            break
    trees = len(parameters.trees)
    stages = LutPipeline.latency_of(network, levels_per_stage)
    inside = {0: [], 1: ["trees"]}.get(stages, [f"every {levels_per_stage} of {network.depth} levels of tables"])
    places = [*inside, *sorted(registered), "verdict"]
    reason = (
        f"unrolled: a flow every clock, {len(parameters.thresholds)} comparisons and {trees} "
        f"{'tree' if trees == 1 else 'trees'} in {len(network.luts)} tables, registers behind {', '.join(places)}; "
        f"about {1e3 / longest_ns:.0f} MHz expected, {clock_hz / 1e6:g} MHz asked for"
    )
    unrolled = UnrolledParameters(
        forest=parameters, network=network, levels_per_stage=levels_per_stage, registered=frozenset(registered)
    )
    return ForestPlan("unrolled", unrolled, reason)


def _choices(network: LutNetwork) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Levels per stage and registered boundaries, those of fewer registers first; the last is all of them."""
    per_stage = sorted({-(-network.depth // stages) for stages in range(1, network.depth + 1)}, reverse=True)
    # A stage of all levels is a register behind the trees; 0 is none.
    choices = [
        (levels, registered)
        for levels in (0, *per_stage)
        for count in range(len(BOUNDARIES) + 1)
        # Boundaries further back are narrower, so among equals the plan prefers those.
        for registered in itertools.combinations(BOUNDARIES[::-1], count)
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
    codes = [VoteCode.of(tree).width for tree in parameters.trees]
    adders = (max(1, -(-sum(codes) // 4)) - 1).bit_length()
    score_bits = parameters.score_shape.width
    add = level + carry * score_bits
    # The last adder lies between the registers of the sums and that of the score.
    segments = [
        ("tables", level),
        *[("sums", add)] * max(0, adders - 1),
        *[("score", add)] * min(1, adders),
        ("verdict", level * max(1, -(-score_bits.bit_length() // 2))),
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
