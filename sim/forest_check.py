"""ForestCheck: the forest circuit of an export, simulated clock by clock against the vectors that lie beside it."""

import functools
from dataclasses import dataclass
from pathlib import Path

from compiler.emit import rtlil_text, sha256
from compiler.errors import CheckFailed, InputError
from compiler.exporting import FOREST_MODULE
from compiler.forest import Forest
from compiler.forest_json import read_forest
from compiler.manifest import Manifest, changed_files, read_manifest, record
from compiler.plan import ForestPlan, read_plan
from compiler.vectors import Vectors, read_vectors

from .answer_check import answer_check
from .testbench import simulate

__all__ = ["ForestCheck", "Simulated", "check_forest"]


@dataclass(frozen=True)
class Simulated:
    """What a simulation has shown.

    Attributes
    ----------
    vectors, mismatches:
        Vectors that went in, and those whose answer was wrong or not there in the clock in which it was due.
    cycles:
        Clocks that were simulated.
    """

    vectors: int
    mismatches: int
    cycles: int


class ForestCheck:
    """The checks of one export. Nothing is taken from the run that made it but the files in its directory."""

    def __init__(self, directory: str | Path):
        self.directory = Path(directory)

    @functools.cached_property
    def manifest(self) -> Manifest:
        return read_manifest(self.directory)

    @functools.cached_property
    def forest(self) -> Forest:
        forest = read_forest(self.directory / "forest.json")
        if forest.id != self.manifest.forest["id"]:
            expected = self.manifest.forest["id"]
            raise InputError(f"{self.directory}: forest.json must be the forest {expected} exported, not {forest.id}")
        return forest

    @functools.cached_property
    def vectors(self) -> Vectors:
        return read_vectors(self.directory / self.manifest.vectors["file"])

    @functools.cached_property
    def plan(self) -> ForestPlan:
        return read_plan(self.forest, self.manifest.architecture, self.directory)

    def changed_files(self) -> list[str]:
        """Files whose content is not what the manifest says, or that are gone."""
        return changed_files(self.directory, self.manifest)

    def circuit_unchanged(self) -> bool:
        """Whether forest.json and its network still become the circuit that was exported."""
        return sha256(rtlil_text(self.plan.circuit(), FOREST_MODULE)) == self.manifest.architecture["rtlil_sha256"]

    def wrong_vectors(self) -> int:
        """Vectors whose expected answer is not the one of the forest."""
        scores, decisions = self.forest.answer(self.vectors.rows)
        wrong = (scores != self.vectors.scores) | (decisions != self.vectors.decisions)
        return int(wrong.sum())

    def require_good_vectors(self) -> None:
        """Raise :class:`CheckFailed` when files are not as exported, or vectors are not what the forest answers."""
        if changed := self.changed_files():
            raise CheckFailed(f"{self.directory}: not as exported: {', '.join(changed)}")
        if wrong := self.wrong_vectors():
            raise CheckFailed(
                f"{self.directory}: {wrong} of {len(self.vectors)} vectors are not what the forest answers"
            )

    def simulate(self) -> Simulated:
        """Feed all vectors, as fast as the circuit takes them, and look at the output in every clock."""
        circuit = self.plan.circuit()
        check = answer_check(self.manifest, self.vectors)

        async def run(ctx):
            ctx.set(circuit.o.ready, 1)
            cycle = 0
            while not check.finished(cycle):
                payload = check.offered(cycle)
                ctx.set(circuit.i.valid, payload is not None)
                if payload is not None:
                    ctx.set(circuit.i.payload.as_value(), payload)
                check.observe(
                    cycle,
                    ready=ctx.get(circuit.i.ready),
                    valid=ctx.get(circuit.o.valid),
                    answer=ctx.get(circuit.o.payload.as_value()),
                )
                await ctx.tick()
                cycle += 1

        simulate(circuit, run, limit_cycles=check.cycles + 2)
        return Simulated(len(self.vectors), check.mismatches, check.cycles)


def check_forest(directory: str | Path) -> Simulated:
    """Run all checks of the forest of an export, write the result into its manifest, raise when one has failed."""
    check = ForestCheck(directory)
    check.require_good_vectors()
    if not check.circuit_unchanged():
        exported = ", ".join(f"{tool} {version}" for tool, version in check.manifest.tools.items())
        raise CheckFailed(f"{directory}: forest.json becomes another circuit here than with {exported}; export again")
    result = check.simulate()
    record(
        directory,
        "simulated",
        {"engine": "amaranth", "vectors": result.vectors, "mismatches": result.mismatches, "cycles": result.cycles},
    )
    if result.mismatches:
        raise CheckFailed(f"{directory}: {result.mismatches} of {result.vectors} vectors are answered otherwise")
    return result
