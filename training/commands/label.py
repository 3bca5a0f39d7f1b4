"""``training label``."""

import csv
from pathlib import Path
from typing import Annotated

import typer

from compiler.atomic import check_file_target, replacing
from compiler.cli import progress, warn
from compiler.errors import InputError
from sim.table_parameters import TableParameters

from ..maillog.labelling import LABEL_COLUMNS, label_flows
from ..maillog.log_times import parse_zone
from ..maillog.summary import print_labelling
from ..measure import measure_captures
from .addresses import parse_servers
from .options import parse_ports

__all__ = ["label"]

_IDLE_MS = 1_800_000
"""Mail servers wait for minutes; whoever comes back later on the same port without a SYN is somebody else."""


def label(
    captures: Annotated[list[Path], typer.Argument(help="pcap or pcapng files; several are one capture in pieces.")],
    maillog: Annotated[Path, typer.Option(help="Log of Postfix or Exim, plain or gzipped.")],
    server: Annotated[list[str], typer.Option(help="Address of an own server; give each.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Table of labels to write, .csv.")],
    spamd: Annotated[
        list[Path] | None,
        typer.Option(help="Log of spamd, amavis or rspamd, where their lines are not in the mail log."),
    ] = None,
    dnsbl: Annotated[
        Path | None,
        typer.Option(help="Zone file of a blacklist: its clients are dnsbl, unless their mail was judged."),
    ] = None,
    ports: Annotated[str, typer.Option(help="Ports of mail, with commas.")] = "25,465,587",
    year: Annotated[int | None, typer.Option(help="Of the log's first line, if it has none; default: found.")] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Of lines that have none: Europe/Warsaw or +01:00; default: found.")
    ] = None,
) -> None:
    """Label the flows of a capture from the logs of the mail server.

    [bold]Example[/]: python -m training label mail.pcap --maillog mail.log --spamd spamd.log --server 192.0.2.25
    -o labels.csv
    """
    check_file_target(out, (".csv",))
    servers = parse_servers(server)
    zone = None if timezone is None else parse_zone(timezone)
    if year is not None and not 1970 <= year <= 9998:
        raise InputError(f"--year: must be from 1970 to 9998, not {year}")
    parameters = TableParameters(idle_ms=_IDLE_MS, active_ms=None, ports=parse_ports(ports))
    with progress("measuring flows") as update:
        measured = measure_captures(captures, parameters, warn)
        if not len(measured.flows):
            frames = measured.outcomes.total()
            raise InputError(f"{', '.join(map(str, captures))}: no TCP flow of --ports {ports} in {frames} frames")

        def show(name: str, done: int, size: int) -> None:
            update(f"reading {name} {min(done / size, 1):4.0%}")

        result = label_flows(
            measured.flows,
            servers,
            maillog,
            spamd or [],
            dnsbl=dnsbl,
            year=year,
            zone=zone,
            on_progress=show,
        )
    for message in result.warnings:
        warn(message)
    with replacing(out) as fresh, fresh.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(LABEL_COLUMNS)
        writer.writerows(result.rows)
    print_labelling(result)
    print(f"{out}: labels of {len(result.rows)} flows of {len(measured.flows)}")
