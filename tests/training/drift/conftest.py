"""A forest with its histograms, and what a probe with it exports of the test capture."""

import pytest

from compiler.export_fields import export_messages
from compiler.features import accumulators_of
from compiler.forest import Forest
from hdl.entry_layout import EntryLayout
from sim.capture import read_capture
from sim.ipfix_writer import IpfixWriter, probe_messages
from sim.items import items_of
from sim.probe import SoftwareProbe
from tests.training.cases import SLICE, run_training


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
    """IPFIX messages of a probe that has seen the test capture, in software."""
    forest = Forest.from_json(fitted[0])
    frames = list(read_capture(SLICE / "test.pcap.gz"))
    layout = EntryLayout(accumulators_of(forest.feature_names))
    parameters = export_messages(layout, forest_id=int(forest.id, 16), build_id=1)
    writer = IpfixWriter(parameters, layout, frames[0].time_ns // 1_000_000_000 * 1000)
    path = tmp_path_factory.mktemp("exported") / "records.ipfix"
    path.write_bytes(b"".join(probe_messages(SoftwareProbe(forest, sets=256), writer, items_of(frames))))
    return path
