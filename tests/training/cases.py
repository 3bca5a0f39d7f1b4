"""What the tests of training share: running its commands, where data lies, small made-up flows."""

import csv
import sys
from pathlib import Path

import numpy as np
import pytest

from compiler.cli import run
from compiler.export_fields import export_messages
from compiler.features import CATALOGUE, accumulators_of
from compiler.forest import Forest
from hdl.entry_layout import EntryLayout
from sim.capture import read_capture
from sim.ipfix_writer import IpfixWriter, probe_messages
from sim.items import items_of
from sim.probe import SoftwareProbe
from sim.table_parameters import TableParameters
from training.__main__ import app

__all__ = [
    "CAPTURES",
    "MAILLAB",
    "PARAMETERS",
    "PORTS",
    "SLICE",
    "exported_messages",
    "random_flows",
    "run_training",
    "table_of",
]

REPOSITORY = Path(__file__).parents[2]
SLICE = REPOSITORY / "training" / "data"
CAPTURES = REPOSITORY.parent / "shared" / "data" / "captures"
MAILLAB = REPOSITORY.parent / "shared" / "data" / "maillab" / "main"

PORTS = frozenset({25, 587})
PARAMETERS = TableParameters(
    idle_ms=120_000,
    active_ms=1_800_000,
    linger_ms=2_000,
    ports=PORTS,
    accumulators=accumulators_of(tuple(CATALOGUE)),
)
"""Of flows with every feature, as `training flows` measures them."""


def run_training(*arguments) -> int:
    """The exit code of ``python -m training`` with these arguments."""
    given, sys.argv = sys.argv, ["training", *map(str, arguments)]
    try:
        with pytest.raises(SystemExit) as stopped:
            run(app)
    finally:
        sys.argv = given
    return stopped.value.code


def exported_messages(forest: Forest, capture: Path) -> list[bytes]:
    """What a probe with this forest sends of a capture, in software."""
    frames = list(read_capture(capture))
    layout = EntryLayout(accumulators_of(forest.feature_names))
    parameters = export_messages(layout, forest_id=int(forest.id, 16), build_id=1)
    writer = IpfixWriter(parameters, layout, frames[0].time_ns // 1_000_000_000 * 1000)
    return list(probe_messages(SoftwareProbe(forest, sets=256), writer, items_of(frames)))


def table_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def random_flows(seed: int, rows: int, columns: int, *, senders: int = 20):
    """Features, classes and senders; a sender's rows are of one class and somewhat alike."""
    generator = np.random.default_rng(seed)
    sender = generator.integers(senders, size=rows)
    y = np.where(sender % 2, 1, -1)
    X = generator.integers(0, 200, (rows, columns)) + 40 * (sender % 2)[:, None]
    return X, y, np.array([f"s{number}" for number in sender])
