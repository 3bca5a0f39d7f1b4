"""Which comparisons of an unrolled forest are looked up in block RAM, by what logic that saves."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hdl.block_rom import RomShape
from hdl.forest_parameters import ForestParameters
from hdl.lut_network import NetworkBuilder
from hdl.threshold_network import add_thresholds

from .feature_tables import FeatureTables, choices

__all__ = ["TableChoice", "choose_tables"]

_OPTIMISED = 0.82
"""What the optimiser leaves of comparisons of one feature, beside trees."""


class TableChoice(NamedTuple):
    """For every feature its tables or None, and the logic cells that comparisons take then, by estimate."""

    cells: float
    tables: tuple[FeatureTables | None, ...]

    @property
    def block_rams(self) -> int:
        """What the tables take: the small ones of a stage share block RAMs."""
        tables = [choice for choice in self.tables if choice is not None]
        if not tables:
            return 0
        each = tables[0].rom.tables
        deep = sum(choice.first_shares for choice in tables if choice.is_deep)
        first = sum(choice.first_shares for choice in tables if not choice.is_deep)
        second = sum(choice.second_shares for choice in tables)
        return -(-deep // each) + -(-first // each) + -(-second // each)


def choose_tables(parameters: ForestParameters, rom: RomShape, block_rams: int) -> list[TableChoice]:
    """For every number of block RAMs from none to the given one, the choice that takes the least logic."""
    best = {0: TableChoice(0, ())}
    for feature, width in enumerate(parameters.feature_widths):
        options = list(_options(width, parameters.thresholds_of(feature), rom))
        following: dict[int, TableChoice] = {}
        for spent, choice in best.items():
            for shares, cells, tables in options:
                total, together = choice.cells + cells, spent + shares
                known = following.get(together)
                if together <= rom.tables * block_rams and (known is None or total < known.cells):
                    following[together] = TableChoice(total, (*choice.tables, tables))
        best = following
    return [
        min((choice for choice in best.values() if choice.block_rams <= limit), key=lambda choice: choice.cells)
        for limit in range(block_rams + 1)
    ]


def _options(width: int, thresholds: Sequence[int], rom: RomShape) -> Iterator[tuple[int, float, FeatureTables | None]]:
    """Shares of block RAMs, logic cells, tables: for every number of shares the one of least logic."""
    found: dict[int, tuple[float, FeatureTables | None]] = {0: (_cells_of(width, thresholds), None)}
    rest_cells: dict[frozenset[int], float] = {}
    for tables in choices(width, thresholds, rom):
        rest = frozenset(thresholds) - set(tables.thresholds)
        if rest not in rest_cells:
            rest_cells[rest] = _cells_of(width, rest)
        cells = tables.cells + rest_cells[rest]
        shares = tables.first_shares + tables.second_shares
        if shares not in found or cells < found[shares][0]:
            found[shares] = cells, tables
    least = None
    for shares, (cells, tables) in sorted(found.items(), key=lambda item: item[0]):
        if least is None or cells < least:
            least = cells
            yield shares, cells, tables


def _cells_of(width: int, thresholds: Sequence[int] | frozenset[int]) -> float:
    builder = NetworkBuilder(width)
    nodes = add_thresholds(builder, list(builder.inputs), thresholds)
    return _OPTIMISED * len(builder.network(list(nodes.values())).luts)
