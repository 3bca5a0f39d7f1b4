"""``training flows``."""

from collections.abc import Callable
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from compiler.cli import progress, warn
from compiler.errors import InputError
from compiler.features import CATALOGUE, REFERENCE_COLUMNS, accumulators_of
from hdl.flow_table_parameters import MAX_EARLY
from hdl.item import FrameOutcome
from sim.table_parameters import TableParameters

from ..flow_file import RAW_COLUMNS, check_target, flow_columns, flow_rows, raw_rows, write_rows
from ..labels import FlowLabel, read_labels
from ..measure import MeasuredCapture, addresses_of, measure_captures
from ..sampling import refuse_sampled
from .addresses import parse_servers
from .options import OptionalLabels, Orientation, Ports, Servers, parse_ports

__all__ = ["flows"]


def flows(
    captures: Annotated[
        list[Path], typer.Argument(help="pcap or pcapng files; each is measured by itself, unless --joined.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write, .csv or .parquet.")],
    labels: OptionalLabels = None,
    server: Servers = None,
    ports: Ports = "25",
    orientation: Orientation = "initiator",
    joined: Annotated[
        bool,
        typer.Option("--joined", help="The files are one capture, cut into pieces: flows go on from file to file."),
    ] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Raw accumulators, no timeouts unless given.")] = False,
    prefix: Annotated[
        int,
        typer.Option(
            metavar="N", help="Flows as they are at their N-th packet, both ways, for a forest to judge early."
        ),
    ] = 0,
    idle: Annotated[float | None, typer.Option(help="Seconds without a packet that end a flow [120].")] = None,
    active: Annotated[float | None, typer.Option(help="Seconds after which a flow is cut [1800].")] = None,
    linger: Annotated[float | None, typer.Option(help="Seconds that a closed flow stays [2].")] = None,
) -> None:
    """Measure the flows of captures, one row a flow.

    Examples:

        python -m training flows mail.pcap -o flows.csv

        python -m training flows mail.pcap --labels labels.csv --server 192.0.2.25 --ports 25,587 -o flows.parquet

        python -m training flows mail.pcap0 mail.pcap1 --joined --ports all -o flows.csv
    """
    check_target(out, inputs=captures)
    if raw and labels is not None:
        raise InputError("--labels: cannot be joined to raw accumulators")
    if prefix and (raw or not 2 <= prefix <= MAX_EARLY):
        wrong = "has no meaning with --raw" if raw else f"must be 0 or from 2 to {MAX_EARLY}, not {prefix}"
        raise InputError(f"--prefix: {wrong}")
    parameters = TableParameters(
        idle_ms=_milliseconds("idle", idle, None if raw else 120_000),
        active_ms=_milliseconds("active", active, None if raw else 1_800_000),
        linger_ms=_milliseconds("linger", linger, None if raw else 2_000),
        ports=parse_ports(ports),
        orientation=orientation,
        accumulators=tuple(REFERENCE_COLUMNS.values()) if raw else accumulators_of(tuple(CATALOGUE)),
        early=prefix,
    )
    servers = parse_servers(server)
    table = None if labels is None else read_labels(labels)
    measured = [_measure(paths, parameters) for paths in ([captures] if joined else [[path] for path in captures])]
    seen = set().union(*(servers & addresses_of(capture) for capture in measured)) if servers else set()
    frames = sum(capture.outcomes.total() for capture in measured)
    used = sum(capture.outcomes[FrameOutcome.USED] for capture in measured)
    count = sum(len(capture.flows) for capture in measured)
    _refuse_empty(captures, ports, frames, count)
    if unseen := sorted(servers - seen):
        raise InputError(f"--server: {', '.join(unseen)} is at no end of any flow of these captures")
    if not raw:
        for paths, capture in zip([captures] if joined else [[path] for path in captures], measured, strict=True):
            refuse_sampled(paths[0], capture.flows)
    found = [[None] * len(capture.flows) if table is None else table.join(capture.flows) for capture in measured]
    labelled = "" if table is None else f", {_count_labelled(found, labels)} of them labelled"
    rows = chain.from_iterable(
        raw_rows(capture) if raw else flow_rows(capture, of_capture, servers, prefix)
        for capture, of_capture in zip(measured, found, strict=True)
    )
    with progress(f"writing {out.name}"):
        write_rows(out, RAW_COLUMNS if raw else flow_columns(prefix), rows)
    print(f"{out}: {count} flows from {used} of {frames} frames{labelled}")


def _measure(paths: list[Path], parameters: TableParameters) -> MeasuredCapture:
    name = paths[0].name if len(paths) == 1 else f"{len(paths)} files"
    with progress(f"measuring {name}") as update:
        size = sum(path.stat().st_size for path in paths if path.is_file())
        shown = partial(_show_share, update, f"measuring {name}", size)
        return measure_captures(paths, parameters, warn, shown if size else None)


def _show_share(update: Callable[[str], None], doing: str, size: int, done: int) -> None:
    share = min(done / size, 1)
    update(f"{doing} {'━' * round(20 * share):20} {share:4.0%}")


def _refuse_empty(captures: list[Path], ports: str, frames: int, flows: int) -> None:
    names = ", ".join(map(str, captures))
    if not frames:
        raise InputError(f"{names}: no frames")
    if not flows:
        tracked = "" if ports == "all" else f" of port {ports.replace(',', ' or ')}"
        raise InputError(f"{names}: no TCP flow{tracked} in {frames} frames (--ports)")


def _count_labelled(found: list[list[FlowLabel | None]], labels: Path) -> int:
    labelled = sum(label is not None for of_capture in found for label in of_capture)
    if not labelled:
        raise InputError(f"{labels}: no label matches a flow of these captures")
    return labelled


def _milliseconds(name: str, seconds: float | None, default_ms: int | None) -> int | None:
    if seconds is None:
        return default_ms
    if not 0.001 <= seconds <= 1e9:
        raise InputError(f"--{name}: must be from 0.001 to 1e9 seconds, not {seconds}")
    return round(seconds * 1000)
