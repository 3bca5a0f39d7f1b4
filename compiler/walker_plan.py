"""Walker: how many lanes and stages a forest gets that is walked in block RAM."""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amaranth.hdl import Shape

from boards.device import Device
from hdl.forest_parameters import ForestParameters
from hdl.forest_walker import ForestWalker
from hdl.walker_parameters import STAGES, WalkerParameters, WalkerSize

from .estimate import Estimate
from .forest_plan import ForestPlan

__all__ = ["WalkerPlan", "plan_walker", "walker_plans"]


_CHOSEN = ("stages", "lanes", "double", "loadable", "forest_id", "monitor_only")


@dataclass(frozen=True, kw_only=True)
class WalkerPlan(ForestPlan):
    """A forest as :class:`hdl.forest_walker.ForestWalker`."""

    architecture = "walker"
    parameters: WalkerParameters

    @property
    def lanes(self) -> int:
        return self.parameters.lanes

    @property
    def stages(self) -> int:
        return self.parameters.stages

    @property
    def loadable(self) -> bool:
        return self.parameters.loadable

    def circuit(self) -> ForestWalker:
        return ForestWalker(parameters=self.parameters)

    @property
    def entry(self) -> dict[str, Any]:
        chosen = {name: getattr(self.parameters, name) for name in _CHOSEN}
        return {"size": dataclasses.asdict(self.parameters.size), **chosen}

    @classmethod
    def read(cls, forest: ForestParameters, entry: Mapping[str, Any], directory: Path) -> WalkerParameters:
        chosen = {name: entry[name] for name in _CHOSEN if name in entry}
        return WalkerParameters(forest=forest, size=WalkerSize(**entry["size"]), **chosen)

    def offset(self, feature: int) -> int:
        """The features come one after the other, in the same place."""
        return 0


def plan_walker(
    parameters: ForestParameters,
    device: Device,
    clock_hz: float,
    flows_per_s: float,
    *,
    loadable: bool = False,
    forest_id: int = 0,
    monitor_only: bool = False,
) -> WalkerPlan:
    """The fewest lanes that keep up at the clock, or at the highest that is to be expected; and the fewest stages.

    Tables that can be loaded are larger than the forest needs, and double, where there is room for that.
    """
    size = WalkerSize.of(parameters)
    fastest = [(stages, _clock_hz(size, stages, device)) for stages in STAGES]
    stages, reached = next(((s, f) for s, f in fastest if f >= clock_hz), max(fastest, key=lambda choice: choice[1]))
    one = ForestWalker(parameters=WalkerParameters(forest=parameters, size=size, stages=stages))
    lanes = max(1, -(-int(one.interval * flows_per_s) // int(min(reached, clock_hz))))
    chosen = WalkerParameters(
        forest=parameters,
        size=size,
        stages=stages,
        lanes=lanes,
        loadable=loadable,
        forest_id=forest_id,
        monitor_only=monitor_only,
    )
    if loadable:
        larger = dataclasses.replace(chosen, size=_larger(size))
        wanted = [dataclasses.replace(tables, double=double) for tables in (larger, chosen) for double in (True, False)]
        chosen = next((tables for tables in wanted if _block_rams(tables, device) <= device.block_rams), chosen)
    return _plan(chosen, device)


def _larger(size: WalkerSize) -> WalkerSize:
    """Room for the same forest trained again, which has other thresholds, weights and numbers of nodes."""
    return dataclasses.replace(size, row_bits=size.row_bits + 1, score_bits=size.score_bits + 2)


def walker_plans(parameters: ForestParameters, device: Device, most_cells: int) -> Iterator[WalkerPlan]:
    """All numbers of stages, and one lane or twice as many as before while they fit and take no more logic cells."""
    size = WalkerSize.of(parameters)
    for stages in STAGES:
        lanes = 1
        while True:
            plan = _plan(WalkerParameters(forest=parameters, size=size, stages=stages, lanes=lanes), device)
            if lanes > 1 and not (plan.estimate.fits(device) and plan.estimate.logic_cells <= most_cells):
                break
            yield plan
            lanes *= 2


def _plan(parameters: WalkerParameters, device: Device) -> WalkerPlan:
    circuit = ForestWalker(parameters=parameters)
    lanes = f"{parameters.lanes} {'lane' if parameters.lanes == 1 else 'lanes'}"
    return WalkerPlan(
        parameters=parameters,
        summary=(
            f"a flow every {circuit.interval} clocks at worst, {1 << parameters.size.row_bits} rows in block RAM, "
            f"{lanes} of {parameters.stages} stages"
        ),
        estimate=Estimate(
            logic_cells=_logic_cells(parameters, device),
            registers=_registers(parameters),
            block_rams=_block_rams(parameters, device),
            clock_hz=_clock_hz(parameters.size, parameters.stages, device),
            latency=circuit.latency,
            interval=circuit.interval,
        ),
    )


def _block_rams(parameters: WalkerParameters, device: Device) -> int:
    size, family = parameters.size, device.family
    tables = sum(
        family.block_rams(1 << bits + parameters.half_bits, Shape.cast(shape).width)
        for shape, bits in size.tables.values()
    )
    return parameters.lanes * (tables + family.block_rams(parameters.bank_words, size.value_bits))


def _clock_hz(size: WalkerSize, stages: int, device: Device) -> float:
    """By the longest way between two registers, as placed and routed walkers had it."""
    compare = device.level_ns + device.carry_ns * size.value_bits / 2
    choose = 5 * device.level_ns
    if stages == 2:
        longest = device.block_ram_ns + compare + choose
    elif stages == 3:
        longest = device.block_ram_ns + max(compare + device.level_ns, choose)
    else:
        longest = max(device.block_ram_ns, device.register_ns + choose, device.register_ns + compare + device.level_ns)
    return 1e9 / longest


_LOADER_CELLS, _LOADER_REGISTERS = 320, 190
"""Of the loader and its checksum, once for all lanes."""


def _logic_cells(parameters: WalkerParameters, device: Device) -> int:
    """Tables of a comparison, an adder, the choice of the next row and control; and registers that stand alone."""
    size = parameters.size
    tables = 3 * size.value_bits // 2 + size.score_bits + size.root_bits + 3 * size.row_bits + 40
    # A logic cell of the iCE40 holds a table and a register that belongs to it; one of the ECP5 is a table.
    alone = _lane_registers(parameters) - tables // 3 if device.family.register_takes_cell else 0
    return parameters.lanes * (tables + alone) + (_LOADER_CELLS if parameters.loadable else 0)


def _registers(parameters: WalkerParameters) -> int:
    return parameters.lanes * _lane_registers(parameters) + (_LOADER_REGISTERS if parameters.loadable else 0)


def _lane_registers(parameters: WalkerParameters) -> int:
    """Those of the walks, of the answer, of rows on their way, and of control; of four stages also behind memories."""
    size, stages = parameters.size, parameters.stages
    behind_memories = 2 * size.value_bits + size.link_layout.size + size.score_bits if stages > 3 else 0
    return stages * (size.root_bits + size.score_bits + 9) + size.score_bits + 2 * size.row_bits + 20 + behind_memories
