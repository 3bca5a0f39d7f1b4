"""What the commands take that measure a labelled capture in several ways."""

from pathlib import Path
from typing import Annotated

import typer

from compiler.cli import progress, warn
from compiler.errors import InputError

from ..labelled_capture import LabelledCapture
from ..labels import read_labels
from ..packet_log import read_packets
from .addresses import parse_servers
from .options import parse_ports

__all__ = ["Budget", "Capture", "Seed", "Trees", "read_capture"]

Capture = Annotated[Path, typer.Argument(help="A pcap or pcapng file, held in memory.")]
Budget = Annotated[float, typer.Option(min=0, help="False alarms per 10 000 legitimate flows.")]
Trees = Annotated[int, typer.Option(min=1, max=4096, help="Number of trees.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of trees and folds.")]


def read_capture(
    capture: Path, labels: Path, server: list[str] | None, ports: str, name: str | None = None
) -> LabelledCapture:
    """The capture with its labels; options that make no sense raise :class:`~compiler.errors.InputError`."""
    tracked = parse_ports(ports)
    table = read_labels(labels)
    with progress(f"reading {capture.name}"):
        logs = read_packets(capture, tracked, warn)
    if not logs:
        raise InputError(f"{capture}: no TCP packet of port {ports.replace(',', ' or ')} (--ports)")
    return LabelledCapture(name or capture.name.split(".")[0], logs, table, parse_servers(server), tracked)
