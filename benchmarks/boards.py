"""What the whole probe takes on each board, which forests fit beside it, and what each block takes.

    python -m benchmarks.boards [FLOWS]

FLOWS is a file that ``training flows`` wrote, by default the one that ``make demo`` leaves; forests of several sizes
are fitted on it. Every design is placed and routed with three seeds; of several clocks the table has the probe's.
Boards with an ECP5, which take minutes for a seed, are left to `compiler build`.
"""

import statistics
import sys
import tempfile
import warnings
from pathlib import Path

from amaranth.hdl import UnusedElaboratable

from boards import BOARDS, Board
from boards.device import DoesNotFit, Placement
from boards.routing import place_and_route
from boards.synthesis import synthesise
from boards.toolchain import ToolStuck, tool_versions
from compiler.exporting import left_for_forest
from compiler.features import UNIVERSAL
from compiler.forest import Forest
from compiler.forest_plan import ForestPlan
from compiler.plan import forest_parameters, plan_forest
from compiler.probe_plan import probe_parameters
from hdl.probe import Probe
from hdl.probe_line import ProbeLine
from training.fitting import FitParameters, fit_forest
from training.flow_set import read_flow_set

from .blocks import blocks_of
from .tables import write_results

SEEDS = (1, 2, 3)
SIZES = ((16, 4), (60, 4), (200, 6))
PORTS = frozenset({25, 587})
BUILD_ID = "00000000"
_ROUNDED_HZ = 1e4
_OF_DEMO = Path("build/demo/learn.csv")


def main() -> None:
    # Plans are compared by circuits that nothing is built of.
    warnings.simplefilter("ignore", UnusedElaboratable)
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else _OF_DEMO
    if not path.exists():
        sys.exit(f"{path}: is not there; make demo leaves one at {_OF_DEMO}")
    flows = read_flow_set([path], UNIVERSAL, PORTS, "both")
    rows = []
    for trees, depth in SIZES:
        parameters = FitParameters(
            trees=trees, depth=depth, leaves=None, share=0.5, caution=1, seed=1, ports=PORTS, directions="both"
        )
        forest = fit_forest(flows, parameters).forest
        for board in (board for board in BOARDS.values() if board.pipeline is None):
            rows.append(_row(forest, depth, board))
            print(rows[-1], flush=True)
    reference = Forest.from_json(Path(__file__).parents[1] / "compiler" / "reference" / "forest.json")
    icebreaker = BOARDS["icebreaker"]
    versions = tool_versions()
    notes = {tool: versions[tool] for tool in versions} | {"seeds": " ".join(map(str, SEEDS))}
    tables = {
        "Probe and forest on the boards": rows,
        "Blocks of the iCEBreaker's probe, reference forest": blocks_of(
            _design(reference, icebreaker, _plan(reference, icebreaker)), icebreaker.device
        ),
    }
    write_results("boards", "python -m benchmarks.boards", notes, tables)


def _design(forest: Forest, board: Board, plan: ForestPlan) -> Probe | ProbeLine:
    probe = ProbeLine if board.serial else Probe
    return probe(parameters=probe_parameters(forest, board, plan, BUILD_ID))


def _plan(forest: Forest, board: Board) -> ForestPlan:
    return plan_forest(forest, left_for_forest(board), board.clock_hz, flows_per_s=board.flows_per_s)


def _row(forest: Forest, depth: int, board: Board) -> dict[str, object]:
    plan = _plan(forest, board)
    row: dict[str, object] = {
        "board": board.title,
        "trees": len(forest.trees),
        "depth": depth,
        "features": len(forest.columns),
        "thresholds": len(forest_parameters(forest).thresholds),
        "circuit": plan.architecture,
        "flows in table": board.table_entries,
    }
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        board.build(_design(forest, board, plan), BUILD_ID, directory)
        cells = synthesise(directory, board.device.family)
        row |= {"LUT4": cells["lut4"], "block RAM": cells["ebr"], "SPRAM": cells.get("spram", 0)}
        placed = []
        for seed in SEEDS:
            try:
                placed.append(place_and_route(directory, board.device, seed=seed, clock_hz=board.clock_hz))
            except DoesNotFit as error:
                return row | {"logic cells": str(error), "MHz, median": "–", "MHz by seed": "–"}
            except ToolStuck as error:
                print(error, file=sys.stderr)
    reached = [_reached_mhz(placement, board.clock_hz) for placement in placed]
    return row | {
        "logic cells": f"{placed[0].used[board.device.family.logic_cell]} of {board.device.logic_cells}",
        "MHz, median": f"{statistics.median(reached):.1f}",
        "MHz by seed": " ".join(f"{mhz:.1f}" for mhz in reached),
    }


def _reached_mhz(placement: Placement, clock_hz: float) -> float:
    """What the clock that the probe runs at reaches."""
    clocks = placement.clocks_hz.values()
    return min(reached for reached, wanted in clocks if abs(wanted - clock_hz) < _ROUNDED_HZ) / 1e6


if __name__ == "__main__":
    main()
