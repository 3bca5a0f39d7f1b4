"""Export: a forest as a directory that holds the circuit, its test vectors, its check and a manifest."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from amaranth.hdl import Shape
from amaranth.lib import data, wiring

from boards import BOARDS, TARGETS, Board, Target
from boards.device import Device
from boards.toolchain import tool_versions

from .atomic import check_directory_target, replacing_directory
from .design import FOREST_MODULE, Design, check_top, design_of, ports_of
from .emit import rtlil_text, sha256, verilog_of
from .errors import InputError
from .forest import Forest
from .forest_json import forest_text
from .manifest import Manifest, is_export, write_manifest
from .plan import ForestPlan, plan_forest
from .probe_options import NO_OPTIONS, ProbeOptions
from .vectors import make_vectors, write_vectors

__all__ = ["BOARD_DIRECTORY", "FOREST_MODULE", "board_named", "export", "left_for_forest", "target_named"]

BOARD_DIRECTORY = "board"
"""Where an export holds what :mod:`boards.synthesis` builds from."""

SEED = 1
"""Of the test vectors."""

NO_BUILD = "00000000"
"""Stands in the circuit that the build id is the hash of."""

# Not a module of the compiler: it imports sim, and becomes one in the directory it is copied to.
_CHECK = Path(__file__).with_name("test_forest.py.in")


CLOCK_RANGE_HZ = (1_000, 1_000_000_000)
"""What can be asked for; nextpnr rounds to picoseconds."""


def board_named(name: str) -> Board:
    """A board with a link by its name."""
    if name not in BOARDS:
        raise InputError(f"board must be one of {', '.join(BOARDS)}, not {name!r}")
    return BOARDS[name]


def target_named(name: str) -> Target:
    """A board, or a device that takes the forest alone, by its name."""
    if name not in TARGETS:
        raise InputError(f"board must be one of {', '.join(TARGETS)}, not {name!r}")
    return TARGETS[name]


def export(
    forest: Forest,
    out: str | Path,
    *,
    board: str,
    architecture: str | None = None,
    top: str = "probe",
    clock_hz: float | None = None,
    flows_per_s: float | None = None,
    loadable: bool = False,
    block_rams: int | None = None,
    options: ProbeOptions = NO_OPTIONS,
    tell: Callable[[str], None] = lambda _: None,
) -> Manifest:
    """Write an export; it appears whole or not at all.

    Parameters
    ----------
    out:
        A directory that does not exist, is empty, or holds an earlier export, which is replaced.
    board:
        One of :data:`boards.TARGETS`; its clock and device decide the plan.
    architecture:
        One of :data:`~compiler.plan.ARCHITECTURES`; by default the plan chooses.
    top:
        ``probe``, or ``forest`` for the classifier alone, a module with one input and one output stream.
    clock_hz:
        With top ``forest``, the clock to plan for and to build for, instead of that of the board.
    flows_per_s:
        Flows that must be classified a second; by default as many as the link of the board brings, and with top
        ``forest`` one every clock.
    loadable:
        The circuit must be able to take another forest while it runs.
    block_rams:
        How many may take the place of logic in an unrolled forest. By default none, or with top ``forest`` as many as
        the device has, if the forest does not fit otherwise.
    options:
        Of the probe.
    tell:
        Called with what is being done.
    """
    target = target_named(board)
    check_top(top, target)
    clock_hz = _clock_hz(target, top, clock_hz)
    out = Path(out)
    _refuse_foreign(out)
    forest.verify()
    tell("plan")
    if top == "probe" and flows_per_s is None:
        flows_per_s = target.flows_per_s
    device = target.device
    if top == "probe":
        device = left_for_forest(target)
        block_rams = block_rams or 0
    plan = plan_forest(
        forest,
        device,
        clock_hz,
        architecture=architecture,
        flows_per_s=flows_per_s,
        loadable=loadable,
        block_rams=block_rams,
    )
    design = design_of(forest, target, plan, top, options)
    tell("design")
    build_id = sha256(design.rtlil(NO_BUILD) + forest.id)[:8]
    component, circuit = design.make(build_id), plan.circuit()

    with replacing_directory(out) as fresh:
        board_files = fresh / BOARD_DIRECTORY
        board_files.mkdir(parents=True)
        (fresh / "forest.json").write_text(forest_text(forest), encoding="utf-8")
        for name, content in plan.files.items():
            (fresh / name).write_text(content)
        tell("design as RTLIL and Verilog")
        note = f"hedgerow: {top} of forest {forest.id}, build {build_id}"
        _write_circuit(fresh, design.rtlil(build_id), note)
        design.write_board(build_id, board_files)
        tell("test vectors")
        vectors = make_vectors(forest, SEED)
        write_vectors(fresh / "vectors.csv", forest, vectors)
        shutil.copy(_CHECK, fresh / "test_forest.py")

        manifest = Manifest(
            build_id=build_id,
            top=top,
            module=design.module,
            board=_board_entry(target, clock_hz),
            forest=_forest_entry(forest, fresh / "forest.json"),
            probe=asdict(options) if top == "probe" else {},
            architecture=_architecture_entry(plan, design, circuit),
            latency_cycles=circuit.latency,
            interval_cycles=circuit.interval,
            features=tuple(
                {**column._asdict(), "offset": plan.offset(index)} for index, column in enumerate(forest.columns)
            ),
            answer=tuple(_field_entries(circuit.o.p.shape())),
            ports=tuple(ports_of(component)),
            vectors={"file": "vectors.csv", "count": len(vectors), "seed": SEED},
            files={str(path.relative_to(fresh)): sha256(path.read_bytes()) for path in _files(fresh)},
            tools=tool_versions(target.device.family.nextpnr),
        )
        write_manifest(manifest, fresh)
    return manifest


def left_for_forest(board: Board) -> Device:
    """The device of a board with the block RAM that the rest of a probe leaves to its forest."""
    return replace(board.device, block_rams=board.device.block_rams - board.block_rams)


def _refuse_foreign(out: Path) -> None:
    check_directory_target(out)
    if out.is_dir() and any(out.iterdir()) and not is_export(out):
        raise InputError(f"{out}: holds something else than an earlier export; give another directory")


def _write_circuit(directory: Path, rtlil: str, note: str) -> None:
    (directory / "design.il").write_text(f"# {note}\n{rtlil}")
    (directory / "design.v").write_text(f"// {note}\n{verilog_of(rtlil)}")


def _files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file())


def _clock_hz(target: Target, top: str, asked_hz: float | None) -> int:
    """The clock to aim at: the target's, or the one asked for, in whole Hz."""
    if asked_hz is None:
        return target.clock_hz
    if top != "forest":
        raise InputError(f"clock must not be given with top {top}: it runs at {target.clock_hz / 1e6:g} MHz")
    lowest, highest = CLOCK_RANGE_HZ
    if not lowest <= asked_hz <= highest:
        raise InputError(f"clock must be from {lowest / 1e6:g} to {highest / 1e6:g} MHz, not {asked_hz / 1e6:g} MHz")
    return round(asked_hz)


def _board_entry(target: Target, clock_hz: int) -> dict[str, Any]:
    return {"name": target.name, "title": target.title, "device": target.device.name, "clock_hz": clock_hz}


def _forest_entry(forest: Forest, file: Path) -> dict[str, Any]:
    return {
        "id": forest.id,
        "name": forest.name,
        "sha256": sha256(file.read_bytes()),
        "trees": len(forest.trees),
        "lo": forest.band.lo,
        "hi": forest.band.hi,
        "monitor_only": forest.monitor_only,
        "classes": list(forest.classes),
    }


def _architecture_entry(plan: ForestPlan, design: Design, circuit: wiring.Component) -> dict[str, Any]:
    return {
        "name": plan.architecture,
        **plan.entry,
        "summary": plan.summary,
        "reason": plan.reason,
        "estimate": asdict(plan.estimate),
        # Of the forest alone, whatever the top is, so that its check can tell whether it is still the same.
        "rtlil_sha256": sha256(
            design.rtlil(NO_BUILD) if design.module == FOREST_MODULE else rtlil_text(circuit, FOREST_MODULE)
        ),
    }


def _field_entries(layout: data.StructLayout) -> list[Mapping[str, Any]]:
    """The fields of a payload; offset 0 is its least significant bit."""
    entries = []
    for name, field in layout:
        shape = Shape.cast(field.shape)
        entries.append({"name": name, "bits": shape.width, "signed": shape.signed, "offset": field.offset})
    return entries
