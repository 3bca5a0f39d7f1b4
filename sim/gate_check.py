"""check_gates: the forest circuit of an export after synthesis, held to the same vectors clock by clock."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from boards.synthesis import GateNetlist, netlist_of
from boards.toolchain import ToolError, ToolMissing
from compiler.emit import sha256
from compiler.errors import CheckFailed, InputError
from compiler.exporting import target_named
from compiler.manifest import record

from .answer_check import AnswerCheck, RankCheck, WalkCheck, answer_check
from .compiled import CompiledCircuit
from .compiling import compile_circuit, yosys_version
from .cxx import CxxCompiler
from .forest_check import ForestCheck

__all__ = ["CELL_MODELS", "GatesSimulated", "check_gates", "forest_module"]

CELL_MODELS = {family: Path(__file__).with_name("cells") / f"{family.lower()}.v" for family in ("iCE40", "ECP5")}
"""The models of the cells of each family, by its name."""


@dataclass(frozen=True)
class GatesSimulated:
    """What a simulation of gates has shown.

    Attributes
    ----------
    vectors, mismatches, cycles:
        As of :class:`~sim.forest_check.Simulated`.
    cells:
        What the netlist is made of.
    """

    vectors: int
    mismatches: int
    cycles: int
    cells: dict[str, int]


def check_gates(directory: str | Path, *, tell: Callable[[str], None] = lambda _: None) -> GatesSimulated:
    """Synthesise the forest of an export, simulate the netlist with its vectors, write that into the manifest.

    The circuit is the one in ``design.il``, alone, also when it lies within a probe; the family is that of the
    manifest's device. Raises :class:`CheckFailed` on a mismatch.
    """
    directory = Path(directory)
    # Better to know before the work that it cannot be finished.
    CxxCompiler()
    check = ForestCheck(directory)
    check.require_good_vectors()
    family = target_named(check.manifest.board["name"]).device.family
    top = forest_module(directory / "design.il", alone=check.manifest.top == "forest")
    tell(f"{family.synthesis} of the forest")
    try:
        netlist = netlist_of(directory / "design.il", top, family)
        yosys = yosys_version()
    except (ToolMissing, ToolError) as error:
        raise InputError(f"{directory}: {error}") from None
    # So few clocks take less time than a compiler needs to make them faster.
    library = compile_circuit(netlist.rtlil, top, cells=CELL_MODELS[family.name], optimise=False, tell=tell)
    answers = answer_check(check.manifest, check.vectors)
    _simulate(CompiledCircuit(library), netlist, answers, tell)
    cells = {cell: count for cell, count in netlist.cells.items() if not cell.startswith("$")}
    result = GatesSimulated(len(check.vectors), answers.mismatches, answers.cycles, cells)
    record(
        directory,
        "post_synthesis",
        {
            "engine": "cxxrtl",
            "synthesis": family.synthesis,
            "tool": yosys,
            "netlist_sha256": sha256(netlist.rtlil),
            "cells": cells,
            "vectors": result.vectors,
            "mismatches": result.mismatches,
            "cycles": result.cycles,
        },
    )
    if result.mismatches:
        raise CheckFailed(
            f"{directory}: after synthesis {result.mismatches} of {result.vectors} vectors are answered otherwise"
        )
    return result


def forest_module(design: Path, *, alone: bool) -> str:
    """The name of the forest's module in an RTLIL file, where it stands alone or within a probe."""
    suffix = "hedgerow_forest" if alone else ".classifier.forest"
    with design.open(encoding="utf-8") as lines:
        named = [line.split()[1][1:] for line in lines if line.startswith("module ")]
    found = [name for name in named if name.endswith(suffix)]
    if len(found) != 1:
        raise InputError(f"{design}: must hold one module of a forest, not {len(found)}")
    return found[0]


def _simulate(
    circuit: CompiledCircuit,
    netlist: GateNetlist,
    answers: AnswerCheck | WalkCheck | RankCheck,
    tell: Callable[[str], None],
) -> None:
    ports = netlist.ports
    circuit.set(ports["o__ready"], 1)
    cycle = 0
    while not answers.finished(cycle):
        if cycle % 1000 == 0:
            tell(f"simulating gates: {cycle} of {answers.cycles} clocks")
        payload = answers.offered(cycle)
        circuit.set(ports["i__valid"], int(payload is not None))
        if payload is not None:
            circuit.set(ports["i__payload"], payload)
        answers.observe(
            cycle,
            ready=circuit.get(ports["i__ready"]),
            valid=circuit.get(ports["o__valid"]),
            answer=circuit.get(ports["o__payload"]),
        )
        circuit.tick()
        cycle += 1
