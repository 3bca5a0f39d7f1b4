"""Design: what an export holds at its top, the forest alone or the whole probe, and how it goes onto a board."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amaranth.hdl import Const, Shape
from amaranth.lib import wiring

from boards import Board, Target
from boards.bench_shell import write_bench

from .emit import rtlil_text
from .errors import InputError
from .forest import Forest
from .forest_plan import ForestPlan
from .probe_options import NO_OPTIONS, ProbeOptions

__all__ = ["FLASHABLE", "FOREST_MODULE", "TOPS", "Design", "check_top", "design_of", "ports_of"]


FOREST_MODULE = "hedgerow_forest"
"""The module of a forest alone."""


@dataclass(frozen=True)
class Design:
    """A top module.

    Attributes
    ----------
    make:
        Gives a new instance that carries a build id.
    rtlil:
        Its RTLIL.
    write_board:
        Given a build id and a directory, writes there what :mod:`boards.synthesis` builds from.
    """

    module: str
    make: Callable[[str], wiring.Component]
    rtlil: Callable[[str], str]
    write_board: Callable[[str, Path], None]


def _forest_alone(forest: Forest, target: Target, plan: ForestPlan, options: ProbeOptions) -> Design:
    if options != NO_OPTIONS:
        raise InputError("--top forest: has no flow table or records, so it takes no options of a probe")
    # It has no link that could tell a build id. Emitting the tables of a large forest takes long, so it is done once.
    rtlil = functools.cache(lambda: rtlil_text(plan.circuit(), FOREST_MODULE))

    def write_board(_: str, directory: Path) -> None:
        write_bench(plan.circuit(), FOREST_MODULE, rtlil(), directory, target.device.family)

    return Design(FOREST_MODULE, lambda _: plan.circuit(), lambda _: rtlil(), write_board)


def _whole_probe(forest: Forest, board: Board, plan: ForestPlan, options: ProbeOptions) -> Design:
    if forest.classes:
        raise InputError(
            f"forest {forest.name!r}: tells {len(forest.classes)} classes apart, but the records of a probe carry a "
            "verdict: export it with --top forest"
        )
    from hdl.probe import Probe
    from hdl.probe_line import ProbeLine

    from .probe_plan import probe_parameters

    module = "hedgerow_probe"

    def make(build_id: str) -> wiring.Component:
        probe = ProbeLine if board.serial else Probe
        return probe(parameters=probe_parameters(forest, board, plan, build_id, options))

    def rtlil(build_id: str) -> str:
        return rtlil_text(make(build_id), module)

    return Design(module, make, rtlil, lambda build_id, to: board.build(make(build_id), build_id, to))


TOPS: dict[str, Callable[[Forest, Any, ForestPlan, ProbeOptions], Design]] = {
    "probe": _whole_probe,
    "forest": _forest_alone,
}

FLASHABLE = frozenset({"probe"})
"""Tops that come with pins, so that a bitstream of them does something."""


def check_top(top: str, target: Target) -> None:
    """Refuse a top that does not exist or that the target has no pins for."""
    if top not in TOPS:
        raise InputError(f"top must be one of {', '.join(TOPS)}, not {top!r}")
    if top in FLASHABLE and not isinstance(target, Board):
        raise InputError(f"{target.name} is a device without pins or link, so top must be forest, not {top!r}")


def design_of(forest: Forest, target: Target, plan: ForestPlan, top: str, options: ProbeOptions = NO_OPTIONS) -> Design:
    """The design of a top that :func:`check_top` has let pass."""
    return TOPS[top](forest, target, plan, options)


def ports_of(component: wiring.Component) -> list[dict[str, Any]]:
    """The ports of a component's module, as Verilog has them."""
    ports: list[dict[str, Any]] = [{"name": name, "direction": "input", "bits": 1} for name in ("clk", "rst")]
    for path, member, value in component.signature.flatten(component):
        if isinstance(value, Const):
            continue  # a valid or ready that never changes is no port
        direction = "input" if member.flow is wiring.In else "output"
        name, bits = "__".join(map(str, path)), Shape.cast(member.shape).width
        ports.append({"name": name, "direction": direction, "bits": bits})
    return ports
