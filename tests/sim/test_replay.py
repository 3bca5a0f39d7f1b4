"""``python -m sim replay``: model and circuit give the same file, kinds of files, wrong input."""

import csv
import gzip
import io
import ipaddress
import re
from pathlib import Path

import pytest

import compiler
from compiler.cli import run
from hdl.accumulator import OCTETS, PACKETS
from hdl.item import FrameOutcome
from hdl.tally import Counter
from sim.__main__ import app
from sim.capture import read_capture
from sim.export_records import ExportedCounters, ExportedRecord, exported
from sim.ipfix_messages import Collector
from sim.items import items_of
from sim.probe import SoftwareProbe
from sim.record_file import RECORD_COLUMNS
from sim.replay import TEST_KEY, read_probe
from tests.forests import grown_forest
from tests.sim.capture_files import pcap

SLICE = Path(__file__).parents[2] / "training" / "data" / "test.pcap.gz"


@pytest.fixture
def export(mail_probe):
    return mail_probe


@pytest.fixture
def sim(monkeypatch, capsys):
    """Runs a command line and gives its exit code and what it said."""

    def call(*arguments):
        monkeypatch.setattr("sys.argv", ["sim", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            run(app)
        said = capsys.readouterr()
        return end.value.code, said.out, said.err

    return call


def messages_of(path):
    data = path.read_bytes()
    while data:
        length = int.from_bytes(data[2:4], "big")
        yield data[:length]
        data = data[length:]


def said_in(path):
    collector = Collector()
    for message in messages_of(path):
        read = collector.read(message)
        assert (read.undecodable, read.missing) == ((), 0)
        yield from map(exported, read.records)


def test_rows_are_those_of_the_software_probe(export, tmp_path, sim):
    out = tmp_path / "records.csv"
    code, stdout, stderr = sim("replay", SLICE, "--export", export, "-o", out)
    assert (code, stderr) == (0, "")
    frames = list(read_capture(SLICE))
    epoch_ms = frames[0].time_ns // 1_000_000_000 * 1000
    probe = read_probe(export)
    model = SoftwareProbe(probe.forest, sets=256, ways=4, key=TEST_KEY)
    expected = list(model.run(items_of(frames)))

    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert tuple(rows[0]) == RECORD_COLUMNS
    assert len(rows) == len(expected) > 800
    for row, record in zip(rows, expected, strict=True):
        flow = record.flow
        assert int(ipaddress.ip_address(row["client_ip"])) == flow.initiator.address
        assert int(row["server_port"]) == flow.responder.port
        assert (int(row["packets"]), int(row["octets"])) == (flow.forward[PACKETS], flow.forward[OCTETS])
        assert (int(row["response_packets"]), int(row["score"])) == (flow.response[PACKETS], record.score)
        assert (row["verdict"], row["reason"]) == (record.verdict.name.lower(), record.reason.name.lower())
        assert row["end_reason"] == flow.end_reason.name.lower()
        assert row["forest_id"] == probe.forest.id
    milliseconds = epoch_ms + expected[0].flow.first_ms
    assert rows[0]["start"].endswith(f".{milliseconds % 1000:03}Z")
    assert f"{len(rows)} records from {len(frames)} frames" in stdout


@pytest.mark.parametrize(("engines", "limit"), [(("amaranth", "compiled"), 150), (("compiled",), 100_000)])
def test_circuit_gives_the_file_of_the_model(engines, limit, export, tmp_path, sim):
    said = {}
    for engine in ("model", *engines):
        out = tmp_path / f"{engine}.ipfix"
        code, _, _ = sim("replay", SLICE, "--export", export, "--engine", engine, "--limit", limit, "-o", out)
        assert code == 0
        said[engine] = list(said_in(out))
    frames = min(limit, sum(1 for _ in read_capture(SLICE)))
    for entries in said.values():
        records = [entry for entry in entries if isinstance(entry, ExportedRecord)]
        assert records == [entry for entry in said["model"] if isinstance(entry, ExportedRecord)] != []
        # Announcements come when they come; the last counters are those of the whole replay.
        assert isinstance(entries[-1], ExportedCounters)
        assert entries[-1] == said["model"][-1]
        assert sum(entries[-1].counters[Counter(outcome)] for outcome in FrameOutcome) == frames


def test_a_probe_that_cannot_wait_loses_nothing_in_replay(tmp_path, sim):
    """Frames come without the gaps of the wire that it listens to, which its records could not keep up with."""
    export = tmp_path / "probe"
    compiler.export(grown_forest(names=("maxpl", "rsp", "slas")), export, board="colorlight_5a75b")
    probe = read_probe(export)
    assert (probe.parameters.wait, probe.waiting.wait) == (False, True)
    for engine in ("model", "compiled"):
        out = tmp_path / f"{engine}.csv"
        assert sim("replay", SLICE, "--export", export, "--engine", engine, "-o", out)[0] == 0
    assert (tmp_path / "compiled.csv").read_bytes() == (tmp_path / "model.csv").read_bytes()
    assert len((tmp_path / "model.csv").read_text().splitlines()) > 800


def test_without_a_compiler_nothing_is_written(export, tmp_path, sim, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    out, vcd = tmp_path / "records.csv", tmp_path / "probe.vcd"
    code, _, stderr = sim("replay", SLICE, "--export", export, "--engine", "compiled", "--vcd", vcd, "-o", out)
    assert (code, stderr) == (2, "error: CXX: no-such-compiler is not installed\n")
    assert list(tmp_path.iterdir()) == []


def test_whole_frames_give_the_same_records(export, tmp_path, sim):
    for name in ("headers-only", "whole"):
        out = tmp_path / f"{name}.csv"
        arguments = ("replay", SLICE, "--export", export, f"--{name}", "--limit", 2000, "-o", out)
        assert sim(*arguments)[0] == 0
    assert (tmp_path / "whole.csv").read_bytes() == (tmp_path / "headers-only.csv").read_bytes()


def test_monitor_only_is_said(tmp_path, sim):
    export = tmp_path / "probe"
    compiler.export(grown_forest(names=("maxpl",), monitor_only=True), export, board="icebreaker", top="probe")
    out = tmp_path / "records.csv"
    arguments = ("replay", SLICE, "--export", export, "--limit", 400, "-o", out)
    code, stdout, _ = sim(*arguments)
    assert code == 0
    assert "monitor only" in stdout
    assert {row["monitor_only"] for row in csv.DictReader(io.StringIO(out.read_text()))} == {"1"}


@pytest.mark.parametrize("engine", ["amaranth", "compiled"])
def test_waveforms(engine, export, tmp_path, sim):
    arguments = ("--export", export, "--engine", engine, "--limit", 2, "--vcd", tmp_path / "probe.vcd")
    code, _, _ = sim("replay", SLICE, *arguments, "-o", tmp_path / "r.ipfix")
    assert code == 0
    written = (tmp_path / "probe.vcd").read_text()
    assert written.startswith("$")
    # Down to the parts of the probe.
    for name in (" table ", " fill ", " fsm_state "):
        assert name in written


def test_parquet(export, tmp_path, sim):
    polars = pytest.importorskip("polars")
    for suffix in ("csv", "parquet"):
        out = tmp_path / f"records.{suffix}"
        arguments = ("replay", SLICE, "--export", export, "--limit", 3000, "-o", out)
        assert sim(*arguments)[0] == 0
    frame = polars.read_parquet(tmp_path / "records.parquet")
    assert tuple(frame.columns) == RECORD_COLUMNS
    rows = [[str(value) for value in row] for row in frame.iter_rows()]
    assert rows == list(csv.reader(io.StringIO((tmp_path / "records.csv").read_text())))[1:]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (
            {"--engine": "verilog"},
            r"error: --engine: must be one of model, amaranth, compiled, not 'verilog'\n",
        ),
        ({"--vcd": "x.vcd"}, r"error: --vcd: the engine model has no waveforms\n"),
        ({"--engine": "amaranth", "--vcd": "."}, r"error: \.: is a directory\n"),
        ({"--key": "0123"}, r"error: --key: must be 16 hexadecimal digits\n"),
        ({"-o": "records.txt"}, r"error: records\.txt: name must end in \.csv, \.parquet or \.ipfix\n"),
        ({"-o": "nowhere/records.csv"}, r"error: nowhere/records\.csv: the directory .*/nowhere does not exist\n"),
        ({"--export": "."}, r"error: \.: not an export: there is no manifest\.json in it\n"),
        ({"capture": "none.pcap"}, r"error: none\.pcap: No such file or directory\n"),
        ({"capture": "empty.pcap"}, r"error: empty\.pcap: holds no frames\n"),
        ({"capture": "forest.pcap"}, r"error: forest\.pcap: is not a capture \(pcap or pcapng\)\n"),
    ],
)
def test_wrong_input_is_one_line(changes, complaint, export, tmp_path, monkeypatch, sim):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.pcap").write_bytes(pcap([]))
    (tmp_path / "forest.pcap").write_text("not a capture at all")
    options = {"capture": SLICE, "--export": export, "-o": "records.csv"} | changes
    arguments = [options.pop("capture"), *(part for option in options.items() for part in option)]
    before = sorted(tmp_path.iterdir())
    code, stdout, stderr = sim("replay", *arguments)
    assert (code, stdout) == (2, "")
    assert re.fullmatch(complaint, stderr)
    assert sorted(tmp_path.iterdir()) == before


def test_an_export_without_a_probe(tmp_path, sim):
    export = tmp_path / "core"
    compiler.export(grown_forest(names=("maxpl",)), export, board="icebreaker", top="forest")
    arguments = ("replay", SLICE, "--export", export, "-o", tmp_path / "r.csv")
    code, _, stderr = sim(*arguments)
    assert code == 2
    assert "holds a forest, no probe" in stderr


def test_a_cut_capture_gives_what_was_whole(export, tmp_path, sim):
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(gzip.decompress(SLICE.read_bytes())[:50_000])
    code, stdout, stderr = sim("replay", cut, "--export", export, "-o", tmp_path / "r.csv")
    assert code == 0
    assert stderr.startswith(f"warning: {cut}: cut off after packet")
    assert "records from" in stdout
