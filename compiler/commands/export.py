"""``compiler export``."""

from pathlib import Path
from typing import Annotated

import typer

from boards import TARGETS

from ..cli import progress, warn
from ..design import TOPS
from ..exporting import export
from ..loading import REFERENCE, load
from ..plan import ARCHITECTURES
from ..probe_options import ProbeOptions
from .output import MONITOR_ONLY, AsJson, counted, print_json

__all__ = ["export_command"]


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
        print_json(manifest.as_json())
        return
    what = f"probe with forest {loaded.id}" if top == "probe" else f"forest {loaded.id} alone"
    print(f"{out}: {what} for {board}, build {manifest.build_id}")
    print(manifest.architecture["reason"])
    print(f"latency {counted(manifest.latency_cycles, 'clock')}, interval {counted(manifest.interval_cycles, 'clock')}")
    if loaded.monitor_only:
        print(MONITOR_ONLY)
