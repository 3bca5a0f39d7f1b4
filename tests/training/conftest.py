"""Fixtures of the tests of training."""

import pytest

from tests.training.cases import SLICE, run_training


@pytest.fixture(scope="session")
def flow_files(tmp_path_factory):
    """Flows of both parts of the slice."""
    folder = tmp_path_factory.mktemp("flows")
    for part in ("learn", "test"):
        labels = SLICE / f"{part}.labels.csv.gz"
        arguments = ("--labels", labels, "--ports", "25,587", "-o", folder / f"{part}.csv")
        assert run_training("flows", SLICE / f"{part}.pcap.gz", *arguments) == 0
    return folder / "learn.csv", folder / "test.csv"
