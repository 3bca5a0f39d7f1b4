"""Ranked: a forest of ranks, whose comparisons are narrow, behind the search for them in block RAM."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boards.device import Device
from hdl.forest_parameters import ForestParameters
from hdl.forest_ranked import RankedForest, RankedParameters
from hdl.rank_table import RankTable, ranked

from .estimate import Estimate
from .forest_plan import ForestPlan
from .unrolled_plan import UnrolledPlan, plan_unrolled, unrolled_plans

__all__ = ["RankedPlan", "plan_ranked", "ranked_plans"]


@dataclass(frozen=True, kw_only=True)
class RankedPlan(ForestPlan):
    """A forest as :class:`hdl.forest_ranked.RankedForest`."""

    architecture = "ranked"
    parameters: RankedParameters
    of_ranks: UnrolledPlan
    """The forest of ranks."""

    def circuit(self) -> RankedForest:
        return RankedForest(parameters=self.parameters)

    @property
    def files(self) -> Mapping[str, str]:
        return self.of_ranks.files

    @property
    def entry(self) -> dict[str, Any]:
        table = self.parameters.table
        words = {"value_bits": table.value_bits, "rank_bits": list(table.depths), "words": len(table.words)}
        return {**words, **self.of_ranks.entry}

    @classmethod
    def from_export(cls, forest: ForestParameters, entry: Mapping[str, Any], directory: Path) -> "RankedPlan":
        table, forest_of_ranks = ranked(forest)
        of_ranks = UnrolledPlan.from_export(forest_of_ranks, entry, directory)
        return cls(
            parameters=RankedParameters(table=table, unrolled=of_ranks.parameters),
            of_ranks=of_ranks,
            summary=of_ranks.summary,
            estimate=of_ranks.estimate,
            reason=of_ranks.reason,
        )

    def offset(self, feature: int) -> int:
        """The features come one after the other, in the same place."""
        return 0


def plan_ranked(parameters: ForestParameters, device: Device, clock_hz: float, flows_per_s: float) -> RankedPlan | None:
    """The forest of ranks with the fewest registers that should reach the clock.

    None if the search is too slow, or if no tree tests anything.
    """
    table, of_ranks = ranked(parameters)
    if table.search_clocks * flows_per_s > clock_hz or not parameters.thresholds:
        return None
    return _plan(table, plan_unrolled(of_ranks, device, clock_hz), device)


def ranked_plans(parameters: ForestParameters, device: Device) -> Iterator[RankedPlan]:
    """Of the forests of ranks all that the search does not keep from being faster."""
    if not parameters.thresholds:
        return
    table, of_ranks = ranked(parameters)
    for plan in unrolled_plans(of_ranks, device):
        yield (whole := _plan(table, plan, device))
        if whole.estimate.clock_hz < plan.estimate.clock_hz:
            break


def _plan(table: RankTable, of_ranks: UnrolledPlan, device: Device) -> RankedPlan:
    parameters = RankedParameters(table=table, unrolled=of_ranks.parameters)
    circuit, inner = RankedForest(parameters=parameters), of_ranks.estimate
    words = sum(map(len, table.thresholds))
    return RankedPlan(
        parameters=parameters,
        of_ranks=of_ranks,
        summary=(
            f"a flow every {circuit.interval} clocks, the ranks of {len(table.depths)} features searched for among "
            f"{words} thresholds in block RAM, then {of_ranks.summary.partition(', ')[2]}"
        ),
        estimate=Estimate(
            logic_cells=inner.logic_cells + _encoder_cells(table, device),
            registers=inner.registers + _encoder_registers(table) + sum(table.depths),
            block_rams=inner.block_rams + device.family.block_rams(len(table.words), table.value_bits),
            clock_hz=min(inner.clock_hz, _clock_hz(table, device)),
            latency=circuit.latency,
            interval=circuit.interval,
        ),
    )


def _encoder_cells(table: RankTable, device: Device) -> int:
    """Tables of the comparison, of the next place and of where a search begins; and registers that stand alone."""
    begins = (table.address_bits + table.rank_bits) * -(-len(table.depths) // 8)
    tables = table.value_bits + 2 * table.address_bits + 2 * table.rank_bits + begins + len(table.depths) + 10
    # A logic cell of the iCE40 has no register to spare beside a table that something else takes: values and ranks wait
    # in cells of their own.
    alone = table.value_bits + sum(table.depths) if device.family.register_takes_cell else 0
    return tables + alone


def _encoder_registers(table: RankTable) -> int:
    return table.value_bits + 2 * table.rank_bits + table.address_bits + 10


def _clock_hz(table: RankTable, device: Device) -> float:
    """From the memory through the comparison to its next address."""
    return 1e9 / (device.block_ram_ns + device.carry_ns * table.value_bits + 4 * device.level_ns)
