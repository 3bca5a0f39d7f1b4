"""What an export takes: seconds and memory by the size of the forest.

    python -m benchmarks.exports

Forests of full trees with tests and leaves at random, exported by the command line, each in a process of its own.
"""

import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from boards.toolchain import tool_versions
from compiler.features import CATALOGUE, UNIVERSAL
from compiler.forest import Band, Column, Forest, Leaf, Node, Tree
from compiler.passes import simplify

from .tables import write_results

CASES = {
    "walker": [(trees, 8) for trees in (10, 20, 50, 100, 200, 500, 1000)],
    "unrolled": [(trees, 6) for trees in (10, 20, 50, 100, 200)],
    "ranked": [(trees, 6) for trees in (10, 20, 50, 100)],
}
"""Trees and their depth, by architecture."""


def main() -> None:
    console = Console(stderr=True)
    tables: dict[str, list[dict[str, object]]] = {}
    for architecture, sizes in CASES.items():
        tables[architecture] = []
        for trees, depth in sizes:
            tables[architecture].append(_measured(architecture, trees, depth))
            console.print(architecture, tables[architecture][-1])
    notes = {**tool_versions(), "board": "lfe5u-85f", "cores": os.cpu_count()}
    write_results("exports", "python -m benchmarks.exports", notes, tables)


def _measured(architecture: str, trees: int, depth: int) -> dict[str, object]:
    forest = _forest(trees, depth)
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        forest.to_json(directory / "forest.json")
        arguments = ["export", "forest.json", "--top", "forest", "--board", "lfe5u-85f", "-o", "core"]
        started = time.monotonic()
        # Of a child alone: the most memory of all children so far would be that of the largest.
        subprocess.run(
            [sys.executable, "-c", _MEASURED, *arguments, "--architecture", architecture],
            cwd=directory,
            check=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            stdout=subprocess.DEVNULL,
        )
        seconds = time.monotonic() - started
        peak = int((directory / "peak").read_text())
        verilog = (directory / "core" / "design.v").stat().st_size
    nodes = sum(len(tree.nodes) for tree in forest.trees)
    return {
        "trees": trees,
        "depth": depth,
        "nodes": nodes,
        "after the passes": sum(len(tree.nodes) for tree in simplify(forest).trees),
        "seconds": f"{seconds:.1f}",
        "ms a node": f"{1000 * seconds / nodes:.2f}",
        "GB at most": f"{peak * _KIBIBYTE / 1e9:.2f}",
        "Verilog, MB": f"{verilog / 1e6:.1f}",
    }


_KIBIBYTE = 1024
"""What Linux counts the memory of a process in."""

_MEASURED = f"""
import atexit, resource, sys

from compiler.__main__ import app
from compiler.cli import run


def peak():
    used = [resource.getrusage(who).ru_maxrss for who in ({resource.RUSAGE_SELF}, {resource.RUSAGE_CHILDREN})]
    open("peak", "w").write(str(max(used)))


atexit.register(peak)
run(app)
"""
"""The command line, and behind it the most memory that it or one of the tools it started had."""


def _forest(trees: int, depth: int) -> Forest:
    rng = random.Random(1)
    columns = tuple(Column(f.name, f.bits, f.fraction, f.unit) for f in map(CATALOGUE.__getitem__, UNIVERSAL))
    return Forest(
        name=f"{trees} trees of depth {depth}",
        columns=columns,
        trees=tuple(Tree(rng.randint(2100, 2900), _full_tree(rng, columns, depth)) for _ in range(trees)),
        band=Band(-700, 400),
        validation_rows=4000,
    )


def _full_tree(rng: random.Random, columns: tuple[Column, ...], depth: int) -> tuple[Node | Leaf, ...]:
    nodes: list[Node | Leaf] = []
    for at in range((1 << depth) - 1):
        feature = rng.randrange(len(columns))
        threshold = rng.getrandbits(rng.randint(1, columns[feature].bits))
        nodes.append(Node(feature, threshold, 2 * at + 1, 2 * at + 2))
    return (*nodes, *(Leaf(rng.choice((-1, 1))) for _ in range(1 << depth)))


if __name__ == "__main__":
    main()
