"""``python -m compiler``: export a forest, build it, report on it, flash it, and look up boards and features."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from boards import TARGETS, Board
from boards.flashing import BoardMissing, flash
from boards.toolchain import ToolError, ToolMissing

from . import explore as exploring
from .atomic import check_file_target, replacing
from .building import build
from .cli import new_app, progress, run, warn
from .design import FLASHABLE, TOPS
from .emit import sha256
from .errors import CheckFailed, InputError
from .exporting import export, target_named
from .extras import import_extra
from .features import CATALOGUE
from .loading import load
from .manifest import Manifest, read_manifest
from .plan import ARCHITECTURES
from .probe_options import ProbeOptions
from .report import DRAWN_TREES, write_report
from .table_file import write_tables

REFERENCE = Path(__file__).with_name("reference") / "forest.json"

MONITOR_ONLY = "monitor only: no band met the budget of false alarms; look at its verdicts, do not act on them"

app = new_app("From a forest to a bitstream.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@app.command("export")
def export_command(
    forest: Annotated[
        Path | None,
        typer.Argument(
            metavar="[MODEL]",
            help="forest.json or a model file (README, Export); by default the reference forest.",
        ),
    ] = None,
    board: Annotated[str, typer.Option(metavar="|".join(TARGETS), help="Where it is to run.")] = "icebreaker",
    out: Annotated[Path, typer.Option("-o", "--out", help="Directory to write; an earlier export is replaced.")] = Path(
        "export"
    ),
    architecture: Annotated[
        str | None, typer.Option(metavar="|".join(ARCHITECTURES), help="Instead of what the plan would choose.")
    ] = None,
    top: Annotated[
        str, typer.Option(metavar="|".join(TOPS), help="The whole probe, or the classifier alone.")
    ] = "probe",
    clock_mhz: Annotated[
        float | None, typer.Option(help="Clock to aim at with --top forest; by default that of the board.")
    ] = None,
    flows_per_second: Annotated[
        float | None,
        typer.Option(help="Flows it must classify; by default those the link brings, with --top forest one a clock."),
    ] = None,
    loadable: Annotated[bool, typer.Option("--loadable", help="It can take another forest while it runs.")] = False,
    short_records: Annotated[
        bool,
        typer.Option("--short-records", help="Flows below the minimum of packets leave as records too, unclassified."),
    ] = False,
    anonymise: Annotated[
        bool, typer.Option("--anonymise", help="It keeps and sends keyed pseudonyms in place of addresses.")
    ] = False,
    early: Annotated[
        int,
        typer.Option(metavar="N", help="Judge flows at their N-th packet, by a forest that is bound to so many."),
    ] = 0,
    ip_checksum: Annotated[
        bool, typer.Option("--ip-checksum", help="It does not use frames whose IPv4 header has a wrong checksum.")
    ] = False,
    block_rams: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="How many block RAMs may hold tables of an unrolled forest in place of logic, which makes it smaller "
            "and its latency longer; by default none, or with --top forest all of the device if logic does not fit.",
        ),
    ] = None,
    features: Annotated[
        str | None, typer.Option(metavar="A,B,…", help="Columns of an estimator; by default those it was fitted with.")
    ] = None,
    trust_pickle: Annotated[
        bool, typer.Option("--trust-pickle", help="Read a pickle, which can run any program.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Turn a forest into a circuit with test vectors, a check and a manifest.

    Examples:

        python -m compiler export

        python -m compiler export forest.json --board icebreaker -o probe

        python -m compiler export model.onnx --features maxpl,spl,syn

        python -m compiler export forest.json --board icebreaker --top forest -o core && pytest core

        python -m compiler export forest.json --board lfe5u-85f --top forest --clock-mhz 200 -o core

        python -m compiler export forest.json --board icebreaker --top forest --flows-per-second 200000 -o core

        python -m compiler export forest.json --board lfe5u-85f --top forest --clock-mhz 100 --block-rams 28 -o core
    """
    loaded = load(forest or REFERENCE, features.split(",") if features else None, trust_pickle)
    for warning in loaded.verify():
        warn(warning)
    with progress("exporting") as tell:
        manifest = export(
            loaded,
            out,
            board=board,
            architecture=architecture,
            top=top,
            clock_hz=None if clock_mhz is None else 1e6 * clock_mhz,
            flows_per_s=flows_per_second,
            loadable=loadable,
            block_rams=block_rams,
            options=ProbeOptions(
                short_records=short_records, anonymise=anonymise, early=early, ip_checksum=ip_checksum
            ),
            tell=tell,
        )
    if as_json:
        _print_json(manifest.as_json())
        return
    what = f"probe with forest {loaded.id}" if top == "probe" else f"forest {loaded.id} alone"
    print(f"{out}: {what} for {board}, build {manifest.build_id}")
    print(manifest.architecture["reason"])
    print(f"latency {_count(manifest.latency_cycles, 'clock')}, interval {_count(manifest.interval_cycles, 'clock')}")
    if loaded.monitor_only:
        print(MONITOR_ONLY)


@app.command("explore")
def explore_command(
    forest: Annotated[
        Path | None, typer.Argument(metavar="[MODEL]", help="As for export; by default the reference forest.")
    ] = None,
    board: Annotated[str, typer.Option(metavar="|".join(TARGETS), help="Whose device is to be filled.")] = "icebreaker",
    out: Annotated[Path, typer.Option("-o", "--out", help="Picture to write, PNG.")] = Path("explore.png"),
    place: Annotated[
        bool, typer.Option("--place", help="Place and route those that are best, which takes minutes.")
    ] = False,
    features: Annotated[
        str | None, typer.Option(metavar="A,B,…", help="Columns of an estimator; by default those it was fitted with.")
    ] = None,
    trust_pickle: Annotated[
        bool, typer.Option("--trust-pickle", help="Read a pickle, which can run any program.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what circuits a forest could become on a device: size against flows per second, and which are best.

    Examples:

        python -m compiler explore forest.json --board icebreaker

        python -m compiler explore forest.json --board lfe5u-85f --place -o front.png
    """
    import_extra("matplotlib", "plot", "explore")
    loaded = load(forest or REFERENCE, features.split(",") if features else None, trust_pickle)
    loaded.verify()
    device = target_named(board).device
    check_file_target(out)
    with progress("planning") as tell:
        points = exploring.explore(loaded, device)
        if place:
            points = exploring.place(points, device, tell)
        with replacing(out) as fresh:
            exploring.plot(points, device, f"{loaded.name}, {len(loaded.trees)} trees, on {device.name}", fresh)
    if as_json:
        _print_json([_point_entry(point) for point in points])
        return
    table = Table(box=None, pad_edge=False)
    for name in (
        "",
        "architecture",
        "stages",
        "lanes",
        "logic cells",
        "registers",
        "block RAMs",
        "MHz",
        "flows/s",
        "latency",
    ):
        table.add_column(name, justify="left" if name in ("", "architecture") else "right")
    if place:
        for name in ("placed: cells", "registers", "block RAMs", "MHz"):
            table.add_column(name, justify="right")
    for point in points:
        table.add_row(*_point_row(point, place))
    Console(width=None if sys.stdout.isatty() else 200).print(table)
    print(f"* no other that fits is as fast with fewer logic cells; {out}: the picture")


def _point_entry(point: "exploring.Point") -> dict[str, Any]:
    return {
        "architecture": point.plan.architecture,
        **point.plan.entry,
        "summary": point.plan.summary,
        "estimate": asdict(point.plan.estimate),
        "flows_per_s": round(point.flows_per_s),
        "best": point.best,
        "placed": asdict(point.placed) if point.placed else None,
    }


def _point_row(point: "exploring.Point", place: bool) -> list[str]:
    estimate = point.plan.estimate
    row = [
        "*" if point.best else "",
        point.plan.architecture,
        str(point.plan.stages),
        str(point.plan.lanes),
        str(estimate.logic_cells),
        str(estimate.registers),
        str(estimate.block_rams),
        f"{estimate.clock_hz / 1e6:.0f}",
        f"{point.flows_per_s:.0f}",
        str(estimate.latency),
    ]
    if place and point.best:
        placed = point.placed
        row += (
            [str(placed.logic_cells), str(placed.registers), str(placed.block_rams), f"{placed.clock_hz / 1e6:.1f}"]
            if placed
            else ["does not fit", "", "", ""]
        )
    return row


@app.command("build")
def build_command(directory: Annotated[Path, typer.Argument(help="An export.")], as_json: AsJson = False) -> None:
    """Synthesise, place and route an export; write bitstream, resources and clock into it.

    Example:

        python -m compiler build probe
    """
    with progress("building") as tell:
        manifest = build(directory, tell=tell)
    if as_json:
        _print_json({"resources": manifest.resources, "clock": manifest.clock})
    else:
        print(_build_summary(manifest))
    clock = manifest.clock
    if not clock["met"]:
        raise CheckFailed(
            f"{directory}: clock missed: {clock['fmax_hz'] / 1e6:.1f} of {clock['asked_hz'] / 1e6:.1f} MHz "
            f"after {_count(clock['seeds_tried'], 'seed')}"
        )


@app.command("tables")
def tables_command(
    forest: Annotated[Path, typer.Argument(metavar="FOREST", help="forest.json of the forest that is to come.")],
    directory: Annotated[Path, typer.Option("--export", help="The export, made with --loadable.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="File to write.")] = Path("forest.tables"),
) -> None:
    """Write a forest as the tables that a running walker can be loaded with.

    Example:

        python -m compiler tables new.json --export core -o new.tables
    """
    loaded = load(forest)
    for warning in loaded.verify():
        warn(warning)
    print(f"{out}: forest {loaded.id}, {write_tables(loaded, directory, out)} bytes")


@app.command("prove")
def prove_command(directory: Annotated[Path, typer.Argument(help="An export.")], as_json: AsJson = False) -> None:
    """Prove that the forest circuit of an export equals its forest for all inputs.

    Exit code 1 when it does not; the line then says for which flow, and at which tree and node.

    Example:

        python -m compiler prove probe
    """
    import_extra("z3", "prove", "prove")
    # Only here, because it needs the solver.
    from .proof import prove

    with progress("proving") as tell:
        proof = prove(directory, tell=tell)
    if as_json:
        _print_json(read_manifest(directory).evidence["proved"])
    else:
        classes = read_manifest(directory).forest.get("classes")
        answer = "sums and the highest of them" if classes else "sum and the band"
        print(
            f"{directory}: equal for all inputs: {_count(proof.trees, 'tree')}, their {answer}, "
            f"{_proved_besides(proof.figures)}, {proof.seconds:.1f} s"
        )


def _proved_besides(figures: Mapping[str, int]) -> str:
    """What belongs to the architecture of the circuit."""
    if "thresholds" in figures:
        return f"the search for ranks among {_count(figures['thresholds'], 'threshold')}"
    if "registers" in figures:
        return f"{_count(figures['registers'], 'register')} at the same depth on every way"
    return f"{_count(figures['rows'], 'row')}, the steps and turns of {_count(figures['lanes'], 'lane')}"


_NOT_COUNTS = ("logic_cells", "of", "alone")
"""What a manifest says of resources beside the counts of a netlist's cells."""


def _build_summary(manifest: Manifest) -> str:
    used, clock = manifest.resources, manifest.clock
    counts = ", ".join(f"{count} {name}" for name, count in used.items() if name not in _NOT_COUNTS)
    lines = [f"{used['logic_cells']} of {used['of']} logic cells: {counts}"]
    if alone := used.get("alone"):
        lines.append(f"without the shell around it: {alone['lut4']} lut4, {alone['carry']} carry, {alone['ff']} ff")
    reached, asked = clock["fmax_hz"] / 1e6, clock["asked_hz"] / 1e6
    lines.append(f"{reached:.1f} MHz where {asked:.1f} MHz are asked for, seed {clock['seed']}")
    return "\n".join(lines)


@app.command("report")
def report_command(
    directory: Annotated[Path, typer.Argument(help="An export.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Page to write, HTML.")] = Path("report.html"),
    trees: Annotated[
        str, typer.Option(metavar="N|all", help="How many trees are drawn in full; an overview shows all of them.")
    ] = str(DRAWN_TREES),
) -> None:
    """Write a page about an export that needs nothing else: trees, thresholds, circuit, timing, evidence.

    Everything on it is from the forest.json and the manifest.json of the export; run it again after a build or a check.

    Examples:

        python -m compiler report probe

        python -m compiler report probe --trees all -o probe.html
    """
    if trees != "all" and not trees.isdecimal():
        raise InputError(f"--trees must be a number or all, not {trees!r}")
    with progress("reporting") as tell:
        report = write_report(directory, out, trees=None if trees == "all" else int(trees), tell=tell)
    for name in report.changed:
        warn(f"{directory / name}: is not as exported")
    print(f"{out}: forest {report.forest.id}, {report.drawn} of {_count(len(report.forest.trees), 'tree')} drawn")
    if report.forest.monitor_only:
        print(MONITOR_ONLY)


@app.command("flash")
def flash_command(directory: Annotated[Path, typer.Argument(help="An export that has been built.")]) -> None:
    """Write the bitstream of an export into the board.

    Example:

        python -m compiler flash probe
    """
    manifest = read_manifest(directory)
    board = target_named(manifest.board["name"])
    bitstream = directory / board.device.family.bitstream
    if bitstream.name not in manifest.files:
        raise InputError(f"{directory}: has no bitstream; run python -m compiler build {directory} (top probe)")
    if not bitstream.is_file() or sha256(bitstream.read_bytes()) != manifest.files[bitstream.name]:
        raise InputError(f"{bitstream}: is not the bitstream that was built; build again")
    try:
        with progress(f"flashing {manifest.board['title']}"):
            flash(bitstream, board)
    except (ToolMissing, BoardMissing, ToolError) as error:
        raise InputError(f"cannot flash {manifest.board['name']}: {error}") from None
    print(f"{manifest.board['name']} holds build {manifest.build_id} of forest {manifest.forest['id']}")


@app.command("boards")
def boards_command(as_json: AsJson = False) -> None:
    """List the boards, and the devices that take the forest alone.

    Example:

        python -m compiler boards --json
    """
    rows = [
        {
            "name": target.name,
            "device": target.device.name,
            "logic_cells": target.device.logic_cells,
            "clock_mhz": target.clock_hz / 1e6,
            "table_entries": target.table_entries if isinstance(target, Board) else None,
            "tops": [top for top in TOPS if top not in FLASHABLE or isinstance(target, Board)],
        }
        for target in TARGETS.values()
    ]
    _print_table(rows, as_json)


@app.command("features")
def features_command(as_json: AsJson = False) -> None:
    """List the features that a forest may use.

    Example:

        python -m compiler features
    """
    rows = [
        {
            "name": feature.name,
            "bits": feature.bits,
            "fraction": feature.fraction,
            "unit": feature.unit,
            "saturates": feature.saturates,
            "meaning": feature.meaning,
        }
        for feature in CATALOGUE.values()
    ]
    _print_table(rows, as_json)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _print_json(document: Any) -> None:
    print(json.dumps(document, indent=1, ensure_ascii=False))


def _print_table(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        _print_json(rows)
        return
    # Long texts are broken over lines; names and numbers stay whole.
    table = Table(box=None, pad_edge=False)
    for key, value in rows[0].items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        prose = key == "meaning"
        table.add_column(
            key.replace("_", " "), justify="right" if number else "left", no_wrap=not prose, overflow="fold"
        )
    for row in rows:
        table.add_row(*map(_cell, row.values()))
    # A pipe has no width to fit into.
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    run(app)
