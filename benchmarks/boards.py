"""What the whole probe takes on each board, which forests fit beside it, and what each block takes.

    python -m benchmarks.boards [FLOWS]

FLOWS is a file that ``training flows`` wrote, by default the one that ``make demo`` leaves; forests of several sizes
are fitted on it. Every design is placed and routed with three seeds.
"""

import json
import statistics
import sys
import tempfile
from pathlib import Path

from boards import BOARDS, Board, ice40
from boards.device import DoesNotFit
from boards.routing import place_and_route
from boards.synthesis import synthesise
from boards.toolchain import run_tool, tool_versions
from compiler.exporting import left_for_forest
from compiler.features import UNIVERSAL
from compiler.forest import Forest
from compiler.forest_plan import ForestPlan
from compiler.plan import forest_parameters, plan_forest
from compiler.probe_plan import probe_parameters
from hdl.probe_line import ProbeLine
from training.fitting import FitParameters, fit_forest
from training.flow_set import read_flow_set, split_senders

from .tables import write_results

SEEDS = (1, 2, 3)
SIZES = ((16, 4), (60, 4), (200, 6))
PORTS = frozenset({25, 587})
BUILD_ID = "00000000"

# Blocks of the table, by the path of their modules below the probe.
_BLOCKS = {
    "header parser": ("probe.parser",),
    "flow identity (keyed hash)": ("probe.table.identity",),
    "flow table": ("probe.table",),
    "record buffer": ("probe.buffer",),
    "features": ("probe.classifier.extractor",),
    "forest": ("probe.classifier.forest",),
    "exporter and COBS": ("probe.exporter", "cobs"),
    "counters": ("probe.counters", "probe.frame_tally", "probe.record_tally", "probe.unexported_tally"),
    "set-up, the rest": ("",),
}


def main() -> None:
    flows = read_flow_set(
        [Path(sys.argv[1] if len(sys.argv) > 1 else "build/demo/learn.csv")], UNIVERSAL, PORTS, "both"
    )
    learn, validation = split_senders(flows, (2, 1), 1)
    rows = []
    for trees, depth in SIZES:
        parameters = FitParameters(trees=trees, depth=depth, seed=1, ports=PORTS)
        forest = fit_forest(learn, validation, parameters).forest
        for board in BOARDS.values():
            rows.append(_row(forest, depth, board))
            print(rows[-1], flush=True)
    reference = Forest.from_json(Path(__file__).parents[1] / "compiler" / "reference" / "forest.json")
    versions = tool_versions()
    notes = {tool: versions[tool] for tool in versions} | {"seeds": " ".join(map(str, SEEDS))}
    tables = {
        "Probe and forest on the boards": rows,
        "Blocks of the iCEBreaker's probe, reference forest": _blocks(reference),
    }
    write_results("boards", "python -m benchmarks.boards", notes, tables)


def _design(forest: Forest, board: Board, plan: ForestPlan) -> ProbeLine:
    return ProbeLine(parameters=probe_parameters(forest, board, plan, BUILD_ID))


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
        row |= {"LUT4": cells["lut4"], "EBR": cells["ebr"], "SPRAM": cells["spram"]}
        try:
            placed = [place_and_route(directory, board.device, seed=seed, clock_hz=board.clock_hz) for seed in SEEDS]
        except DoesNotFit as error:
            return row | {"logic cells": str(error), "MHz, median": "–", "MHz by seed": "–"}
    reached = [placement.fmax_hz / 1e6 for placement in placed]
    return row | {
        "logic cells": f"{placed[0].used['ICESTORM_LC']} of {board.device.logic_cells}",
        "MHz, median": f"{statistics.median(reached):.1f}",
        "MHz by seed": " ".join(f"{mhz:.1f}" for mhz in reached),
    }


def _blocks(forest: Forest) -> list[dict[str, object]]:
    """Cells by block, from a synthesis that keeps the hierarchy, so the sum is a little above the flat figure."""
    from amaranth.back import rtlil

    from boards.ice40_shell import FORGET_INITIAL_CONTENTS

    board = BOARDS["icebreaker"]
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        circuit = rtlil.convert(_design(forest, board, _plan(forest, board)), name="top", emit_src=False)
        (directory / "design.il").write_text(circuit)
        script = (
            f"read_rtlil design.il; {FORGET_INITIAL_CONTENTS}; synth_ice40 -spram -device u -abc9 -noflatten -top top"
        )
        run_tool("YOSYS", ["-q", "-p", f"{script}; tee -q -o cells.json stat -json"], directory)
        modules = json.loads((directory / "cells.json").read_text())["modules"]
    totals = {block: dict.fromkeys(("LUT4", "carry", "FF", "EBR", "SPRAM"), 0) for block in _BLOCKS}
    for name, module in modules.items():
        found = ice40.resources(module["num_cells_by_type"])
        path = name.removeprefix("\\").removeprefix("top").removeprefix(".")
        total = totals[_block_of(path)]
        for column, cell in (("LUT4", "lut4"), ("carry", "carry"), ("FF", "ff"), ("EBR", "ebr"), ("SPRAM", "spram")):
            total[column] += found[cell]
    return [{"block": block, **total} for block, total in totals.items()]


def _block_of(path: str) -> str:
    """The block whose path is the longest that the module lies under."""
    prefixes = [(len(prefix), block) for block, group in _BLOCKS.items() for prefix in group if path.startswith(prefix)]
    return max(prefixes)[1]


if __name__ == "__main__":
    main()
