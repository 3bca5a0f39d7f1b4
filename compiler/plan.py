"""Plan: which circuit a forest becomes on a device, with how many registers, and why."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from amaranth.lib import wiring

from boards.ice40 import Device
from hdl.forest_parameters import BOUNDARIES, ForestParameters
from hdl.forest_unrolled import UnrolledForest
from hdl.tree_vote import VoteCode

from .errors import InputError
from .forest import Forest
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
    registered:
        Where an unrolled forest has registers, in the order of the pipeline.
    reason:
        One line for people.
    """

    architecture: str
    parameters: ForestParameters
    registered: tuple[str, ...]
    reason: str

    def circuit(self) -> wiring.Component:
        """A new instance of the circuit, with ``i``, ``o``, ``latency`` and ``interval``."""
        return UnrolledForest(parameters=self.parameters, registered=frozenset(self.registered))


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
    segments = _segments(parameters, device)
    period_ns = 1e9 / clock_hz
    for registered in _choices():
        longest_ns = _longest_ns(segments, registered, device)
        if longest_ns <= _MARGIN * period_ns:
            break
    reason = (
        f"unrolled: a flow every clock, {len(parameters.thresholds)} comparators for {len(parameters.trees)} trees, "
        f"registers behind {', '.join((*registered, 'verdict'))}; "
        f"about {1e3 / longest_ns:.0f} MHz expected, {clock_hz / 1e6:g} MHz asked for"
    )
    return ForestPlan("unrolled", parameters, registered, reason)


def _choices() -> Iterator[tuple[str, ...]]:
    """All sets of boundaries, those of fewer registers first; the last is all of them."""
    for count in range(len(BOUNDARIES) + 1):
        # Boundaries further back are narrower, so among equals the plan prefers those.
        yield from (choice[::-1] for choice in itertools.combinations(BOUNDARIES[::-1], count))


def _segments(parameters: ForestParameters, device: Device) -> dict[str, list[float]]:
    """Delays in nanoseconds between one boundary and the next, under the name of the boundary behind them."""
    level, carry = device.level_ns, device.carry_ns
    widest = max((parameters.feature_widths[feature] for feature, _ in parameters.thresholds), default=1)
    codes = [VoteCode.of(tree).width for tree in parameters.trees]
    adders = (max(1, -(-sum(codes) // 4)) - 1).bit_length()
    score_bits = parameters.score_shape.width
    add = level + carry * score_bits
    return {
        "comparisons": [level * max(1, (widest - 1).bit_length())],
        "votes": [level * max(tree.depth for tree in parameters.trees)],
        "tables": [level],
        "sums": [add] * max(0, adders - 1),
        # The last adder lies between the registers of the sums and that of the score.
        "score": [add] * min(1, adders),
        "verdict": [level * max(1, -(-score_bits.bit_length() // 2))],
    }


def _longest_ns(segments: dict[str, list[float]], registered: tuple[str, ...], device: Device) -> float:
    longest = path = device.register_ns
    for boundary, delays in segments.items():
        for delay in delays:
            path += delay
            longest = max(longest, path)
            if boundary == "sums" and boundary in registered:
                path = device.register_ns
        if boundary in registered:
            path = device.register_ns
    return longest
