"""What the commands take that measure a labelled capture in several ways."""

import ipaddress
from pathlib import Path
from typing import Annotated

import typer

from compiler.cli import progress, warn
from compiler.errors import InputError

from ..labelled_capture import LabelledCapture
from ..labels import read_labels
from ..packet_log import read_packets
from .options import parse_ports

__all__ = ["Budget", "Capture", "Labels", "Seed", "Servers", "Trees", "read_capture"]

Capture = Annotated[Path, typer.Argument(help="A pcap or pcapng file, held in memory.")]
Labels = Annotated[Path, typer.Option(help="Table of labels, CSV, to join with the flows.")]
Servers = Annotated[
    list[str] | None, typer.Option(help="Address of an own server: flows it opens are put down to the other side.")
]
Budget = Annotated[float, typer.Option(min=0, help="False alarms per 10 000 legitimate flows.")]
Trees = Annotated[int, typer.Option(min=1, max=4096, help="Number of trees.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of trees and folds.")]


def read_capture(capture: Path, labels: Path, server: list[str] | None, ports: str) -> LabelledCapture:
    """The capture with its labels; options that make no sense raise :class:`~compiler.errors.InputError`."""
    tracked = parse_ports(ports)
    table = read_labels(labels)
    servers = frozenset(_address(text) for text in server or ())
    with progress(f"reading {capture.name}"):
        logs = read_packets(capture, tracked, warn)
    if not logs:
        raise InputError(f"{capture}: no TCP packet of port {ports.replace(',', ' or ')} (--ports)")
    return LabelledCapture(capture.name.split(".")[0], logs, table, servers, tracked)


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise InputError(f"--server: must be an IP address, not {text!r}") from None
