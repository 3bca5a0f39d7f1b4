"""What the tests of training share: running its commands, where data lies, small made-up flows."""

import csv
import sys
from pathlib import Path

import numpy as np
import pytest

from compiler.cli import run
from training.__main__ import app

__all__ = ["CAPTURES", "MAILLAB", "SLICE", "random_flows", "run_training", "table_of"]

REPOSITORY = Path(__file__).parents[2]
SLICE = REPOSITORY / "training" / "data"
CAPTURES = REPOSITORY.parent / "shared" / "data" / "captures"
MAILLAB = REPOSITORY.parent / "shared" / "data" / "maillab" / "main"


def run_training(*arguments) -> int:
    """The exit code of ``python -m training`` with these arguments."""
    given, sys.argv = sys.argv, ["training", *map(str, arguments)]
    try:
        with pytest.raises(SystemExit) as stopped:
            run(app)
    finally:
        sys.argv = given
    return stopped.value.code


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
