"""training.labels: which label a flow gets when several are near."""

import pytest

from compiler.errors import InputError
from hdl.accumulator import OCTETS, PACKETS
from hdl.verdict import EndReason
from sim.flow_record import FlowRecord
from sim.identity import Endpoint
from training.labels import FlowLabel, LabelTable, read_rows

CLIENT, SERVER = Endpoint(1, 40000), Endpoint(2, 25)


def flow(initiator=CLIENT, responder=SERVER):
    return FlowRecord(
        version=4,
        initiator=initiator,
        responder=responder,
        initiator_high=initiator > responder,
        first_ms=0,
        last_ms=0,
        end_reason=EndReason.FORCED,
        syn=True,
        fin_forward=False,
        fin_response=False,
        closing=False,
        forward={PACKETS: 1, OCTETS: 40},
        response={PACKETS: 0, OCTETS: 0},
    )


TABLE = LabelTable(
    [
        FlowLabel(200.0, 0.0, CLIENT, SERVER, "ham", "second use of the port"),
        FlowLabel(100.0, 50.0, CLIENT, SERVER, "spam", "first"),
    ]
)


@pytest.mark.parametrize(
    ("start_s", "label"),
    [(98.9, None), (99.5, "spam"), (130.0, "spam"), (151.0, "spam"), (152.0, None), (200.5, "ham"), (201.5, None)],
)
def test_time_decides_between_uses_of_a_port(start_s, label):
    found = TABLE.find(flow(), start_s)
    assert (found and found.label) == label


def test_either_end_may_be_called_client():
    assert TABLE.find(flow(SERVER, CLIENT), 100.0).label == "spam"
    assert TABLE.find(flow(Endpoint(1, 40001)), 100.0) is None


@pytest.mark.parametrize("content", [b"\xff\xfe\n", b'a,b\n"1,2\n', b"\x1f\x8b\x08\x00broken", b"a,b\n1,\x002\n3\n"])
def test_unreadable_tables(tmp_path, content):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"table\.csv: "):
        list(read_rows(path, ()))
