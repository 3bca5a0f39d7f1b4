"""``sim replay --forest``: records are of the forest of their turn, and wrong input is said."""

import csv
import dataclasses
import io
import re
import shutil
from pathlib import Path

import pytest

from compiler.cli import run
from compiler.forest_json import forest_text
from compiler.manifest import read_manifest, write_manifest
from sim.__main__ import app
from sim.load_check import mirrored
from tests.forests import SMALL_FOREST, grown_forest

SLICE = Path(__file__).parents[2] / "training" / "data" / "test.pcap.gz"
FOREST, OTHER = SMALL_FOREST, mirrored(SMALL_FOREST)


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    path = tmp_path_factory.mktemp("other") / "other.json"
    path.write_text(forest_text(OTHER))
    return path


@pytest.fixture
def replay(loadable_probe, tmp_path, monkeypatch, capsys):
    """Runs ``sim replay`` and gives its exit code, the rows it wrote and what it said."""

    def call(*arguments, export=loadable_probe):
        out = tmp_path / "records.csv"
        line = ["sim", "replay", SLICE, "--export", export, "-o", out, *arguments]
        monkeypatch.setattr("sys.argv", [*map(str, line)])
        with pytest.raises(SystemExit) as end:
            run(app)
        rows = list(csv.DictReader(io.StringIO(out.read_text()))) if out.exists() else None
        return end.value.code, rows, capsys.readouterr()

    return call


def test_verdicts_change_with_the_load(replay, other):
    limit = ("--limit", 4000)
    before, behind, loaded = (
        replay(*limit, *options)[1] for options in ((), ("--forest", other), ("--forest", other, "--load-after", 3000))
    )
    change = [row["forest_id"] for row in loaded].index(OTHER.id)
    assert 10 < change < len(loaded) - 10
    assert loaded == before[:change] + behind[change:]
    assert {row["forest_id"] for row in behind} == {OTHER.id}
    verdicts = [[row["verdict"] for row in rows[change:]] for rows in (before, loaded)]
    assert verdicts[0] != verdicts[1]
    # The build is the same, so what was learnt of its templates holds.
    assert len({row["build_id"] for row in loaded}) == 1
    assert {row["monitor_only"] for row in loaded[change:]} == {str(int(OTHER.monitor_only))}


@pytest.mark.parametrize(
    ("forest", "options", "complaint"),
    [
        (
            OTHER,
            ("--limit", 50, "--load-after", 51),
            "--load-after: must be at most 50, the frames that there are, not 51",
        ),
        (
            dataclasses.replace(OTHER, ports=(587,)),
            (),
            r"forest 'grown': ports must be \(25,\), as of the forest of .*",
        ),
        (
            grown_forest(names=("maxpl",), trees=1),
            (),
            "forest 'grown': must have the features that .* was exported with",
        ),
        (grown_forest(names=("maxpl", "rsp"), trees=9), (), "forest 'grown': is too large for .*"),
        (None, (), ".*: .*"),
    ],
)
def test_wrong_input_is_one_line(replay, tmp_path, forest, options, complaint):
    path = tmp_path / "forest.json"
    path.write_text("{}" if forest is None else forest_text(forest))
    code, rows, said = replay("--forest", path, *options)
    assert (code, rows, said.out) == (2, None, "")
    assert re.fullmatch(f"error: {complaint}\n", said.err)


def test_a_probe_that_cannot_be_loaded(replay, loadable_probe, other, tmp_path):
    fixed = shutil.copytree(loadable_probe, tmp_path / "fixed")
    manifest = read_manifest(fixed)
    architecture = {**manifest.architecture, "loadable": False, "double": False}
    write_manifest(dataclasses.replace(manifest, architecture=architecture), fixed)
    code, rows, said = replay("--forest", other, export=fixed)
    assert (code, rows) == (2, None)
    assert "is no walker whose tables can be loaded; export with --loadable" in said.err
