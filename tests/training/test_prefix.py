"""Flows as they are at their n-th packet: what the circuit sends early, and a forest that learns from them."""

import ipaddress

import pytest

from compiler.errors import InputError
from compiler.features import CATALOGUE
from compiler.forest import Forest
from compiler.probe_options import ProbeOptions
from sim.capture import read_capture
from sim.cxx import CxxCompiler
from tests.forests import grown_forest
from tests.sim.probe_captures import CapturesProbe
from tests.training.cases import SLICE, run_training, table_of

TEST = SLICE / "test.pcap.gz"


def flow_file(out, *, part="test", prefix=0):
    labels = ("--labels", SLICE / f"{part}.labels.csv.gz", "--ports", "25,587")
    cut = ("--prefix", prefix) if prefix else ()
    assert run_training("flows", SLICE / f"{part}.pcap.gz", *labels, *cut, "-o", out) == 0
    return out


def test_rows_are_the_early_records_of_the_circuit(tmp_path):
    try:
        CxxCompiler()
    except InputError as error:
        pytest.skip(str(error))
    rows = table_of(flow_file(tmp_path / "flows.csv", prefix=5))
    forest = grown_forest(names=tuple(CATALOGUE), ports=(25, 587), prefix=5)
    records = CapturesProbe(forest, "icebreaker", ProbeOptions(early=5)).send(read_capture(TEST), headers_only=True)

    judged = [record for record in records if record.early or record.packets < 5]
    # A flow of one packet leaves no record.
    expected = sorted(
        (
            str(ipaddress.ip_address(record.initiator.address)),
            record.initiator.port,
            record.biflow_direction,
            *(f.value(record.forward, record.response, record.last_ms - record.first_ms) for f in CATALOGUE.values()),
        )
        for record in judged
    )
    measured = sorted(
        (row["client_ip"], int(row["client_port"]), int(row["syn_seen"]), *(int(row[name]) for name in CATALOGUE))
        for row in rows
        if int(row["packets"]) > 1
    )
    assert measured == expected
    assert {row["prefix"] for row in rows} == {"5"}
    assert max(int(row["packets"]) for row in rows) == 5
    assert sum(record.early for record in judged) > 500


def test_a_flow_of_fewer_packets_is_whole(tmp_path):
    whole, cut = table_of(flow_file(tmp_path / "a.csv")), table_of(flow_file(tmp_path / "b.csv", prefix=12))
    assert "prefix" not in whole[0]
    assert len(whole) == len(cut)
    short = 0
    for one, other in zip(whole, cut, strict=True):
        assert other.pop("prefix") == "12"
        assert int(other["packets"]) == min(int(one["packets"]), 12)
        if int(one["packets"]) <= 12:
            assert one == other
            short += 1
    assert 0 < short < len(whole)


def test_fit_binds_the_forest_to_them(tmp_path):
    learn, test = (flow_file(tmp_path / f"{part}.csv", part=part, prefix=6) for part in ("learn", "test"))
    out = tmp_path / "forest.json"
    assert run_training("fit", learn, "--test", test, "--ports", "25,587", "--trees", 4, "-o", out) == 0
    assert Forest.from_json(out).prefix == 6


def test_mixtures_are_refused(tmp_path, capsys):
    whole, six, seven = (flow_file(tmp_path / f"{n}.csv", prefix=n) for n in (0, 6, 7))
    out = tmp_path / "forest.json"
    for files, complaint in (
        ((whole, six), f"{six}: must hold whole flows as the files before, not flows at their packet 6"),
        ((six, seven), f"{seven}: must hold flows at their packet 6 as the files before, not flows at their packet 7"),
        ((six, "--test", whole), "--test: must hold flows at their packet 6 as what is learnt from, not whole flows"),
    ):
        capsys.readouterr()
        assert run_training("fit", *files, "--ports", "25,587", "-o", out) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"error: {complaint}")
        assert error.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--prefix", 1], "--prefix: must be 0 or from 2 to 255, not 1"),
        (["--prefix", 256], "--prefix: must be 0 or from 2 to 255, not 256"),
        (["--prefix", 4, "--raw"], "--prefix: has no meaning with --raw"),
    ],
)
def test_wrong_prefixes(tmp_path, capsys, arguments, complaint):
    assert run_training("flows", TEST, *arguments, "-o", tmp_path / "f.csv") == 2
    assert capsys.readouterr().err == f"error: {complaint}\n"
    assert list(tmp_path.iterdir()) == []
