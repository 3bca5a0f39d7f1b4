"""``training import``."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Annotated

import typer

from compiler.cli import progress, warn
from compiler.errors import InputError
from compiler.features import CATALOGUE
from sim.identity import Endpoint

from ..flow_file import FLOW_COLUMNS, check_target, write_rows
from ..imports.imported_flow import ImportedFlow, oriented
from ..imports.readers import READERS
from ..labels import LabelTable, read_labels
from ..maillog.log_times import parse_zone
from ..maillog.sessions import number_of
from .addresses import parse_servers
from .options import OptionalLabels, Ports, Servers, parse_ports

__all__ = ["import_flows"]

_DIGITS = 6


def import_flows(
    files: Annotated[list[Path], typer.Argument(help="Files of one tool, plain or gzipped.")],
    tool: Annotated[str, typer.Option("--from", metavar="TOOL", help=f"What wrote them: {', '.join(READERS)}.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write, .csv or .parquet.")],
    labels: OptionalLabels = None,
    server: Servers = None,
    ports: Ports = "25",
    timezone: Annotated[str, typer.Option(help="Of nfdump's times: Europe/Warsaw or +01:00.")] = "UTC",
    whole: Annotated[
        bool, typer.Option("--whole", help="Take flows whose flags are not told as seen from their SYN on.")
    ] = False,
) -> None:
    """Make a file of flows from those that nfdump, nfstream or Zeek measured, to train on.

    Features that they do not carry are absent: empty in CSV, null in Parquet. A file is a source: its name is what
    other commands call it.

    [bold]Example[/]: python -m training import conn.log --from zeek --labels labels.csv -o border.csv
    """
    check_target(out)
    if tool not in READERS:
        raise InputError(f"--from: must be one of {', '.join(READERS)}, not {tool!r}")
    servers = parse_servers(server)
    table = None if labels is None else read_labels(labels)
    tally, zone = Counter(), parse_zone(timezone) if timezone != "UTC" else UTC
    seen: set[tuple] = set()
    absent = set(CATALOGUE)

    def rows() -> Iterator[tuple]:
        for path in files:
            for flow in _taken(path, tool, zone, parse_ports(ports), tally):
                identity = (flow.start_s, flow.client_ip, flow.client_port, flow.server_ip, flow.server_port)
                if identity in seen:
                    tally["duplicates"] += 1
                    continue
                seen.add(identity)
                tally["flows"] += 1
                row = _row(flow, table, servers, whole)
                tally["labelled"] += row[FLOW_COLUMNS.index("label")] != ""
                tally["no syn told"] += row[FLOW_COLUMNS.index("syn_seen")] is None
                absent.difference_update(name for name, value in flow.features.items() if value is not None)
                yield row
        if not tally["flows"]:
            names = ", ".join(map(str, files))
            raise InputError(f"{names}: no TCP flow of --ports {ports} among {tally['read']} flows")
        if table is not None and not tally["labelled"]:
            raise InputError(f"{labels}: no label matches a flow of {', '.join(map(str, files))}")

    with progress(f"reading {files[0].name}"):
        write_rows(out, FLOW_COLUMNS, rows())
    for name, words in (("duplicates", "flows came more than once and count once"), ("too long", _TOO_LONG)):
        if tally[name]:
            warn(f"{tally[name]} {words}")
    if tally["no syn told"]:
        warn(f"of {tally['no syn told']} flows it is not told whether they began with a SYN; --whole takes them so")
    labelled = "" if table is None else f", {tally['labelled']} of them labelled"
    print(f"{out}: {tally['flows']} flows of {tally['read']}{labelled}")
    print(f"features: {' '.join(name for name in CATALOGUE if name not in absent)}")
    print(f"absent: {' '.join(name for name in CATALOGUE if name in absent)}")


_TOO_LONG = "flows have more packets or octets than a probe counts and are left out"


def _taken(path: Path, tool: str, zone: tzinfo, ports: frozenset[int] | None, tally: Counter) -> Iterator[ImportedFlow]:
    for flow in READERS[tool](path, zone):
        tally["read"] += 1
        mine = oriented(flow, ports)
        if mine is None:
            continue
        if not mine.fits:
            tally["too long"] += 1
            continue
        for address in (mine.client_ip, mine.server_ip):
            if number_of(address) is None:
                raise InputError(f"{path}: flow {tally['read']}: must be between addresses, not {address!r}")
        yield mine


def _row(flow: ImportedFlow, table: LabelTable | None, servers: frozenset[str], whole: bool) -> tuple:
    ends = (
        Endpoint(number_of(flow.client_ip), flow.client_port),
        Endpoint(number_of(flow.server_ip), flow.server_port),
    )
    found = None if table is None else table.find(*ends, flow.start_s)
    outgoing = flow.client_ip in servers or (found is not None and found.label == "outgoing")
    syn_seen = (True if whole else None) if flow.syn_seen is None else flow.syn_seen
    return (
        f"{flow.start_s:.{_DIGITS}f}",
        *(flow.client_ip, flow.client_port, flow.server_ip, flow.server_port),
        flow.server_ip if outgoing else flow.client_ip,
        *(("", "") if found is None else (found.label, found.sublabel)),
        None if syn_seen is None else int(syn_seen),
        flow.packets,
        *flow.features.values(),
    )
