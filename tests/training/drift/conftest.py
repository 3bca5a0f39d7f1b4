"""A forest with its histograms, and what a probe with it exports of the test capture."""

import pytest

from compiler.forest import Forest
from tests.training.cases import SLICE, exported_messages, run_training


@pytest.fixture(scope="session")
def fitted(flow_files, tmp_path_factory):
    """forest.json of two forests: of either part of the slice."""
    folder = tmp_path_factory.mktemp("fitted")
    paths = [folder / f"{flows.stem}.json" for flows in flow_files]
    for flows, path in zip(flow_files, paths, strict=True):
        assert run_training("fit", flows, "--ports", "25,587", "--trees", 5, "-o", path) == 0
    return paths


@pytest.fixture(scope="session")
def exported_file(fitted, tmp_path_factory):
    """IPFIX messages of a probe that has seen the test capture."""
    path = tmp_path_factory.mktemp("exported") / "records.ipfix"
    path.write_bytes(b"".join(exported_messages(Forest.from_json(fitted[0]), SLICE / "test.pcap.gz")))
    return path
