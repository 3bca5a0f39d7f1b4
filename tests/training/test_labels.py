"""training.labels: which label a flow gets when several are near."""

import pytest

from compiler.errors import InputError
from sim.identity import Endpoint
from training.csv_file import read_rows
from training.labels import FlowLabel, LabelTable

CLIENT, SERVER = Endpoint(1, 40000), Endpoint(2, 25)


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
    found = TABLE.find(CLIENT, SERVER, start_s)
    assert (found and found.label) == label


def test_either_end_may_be_called_client():
    assert TABLE.find(SERVER, CLIENT, 100.0).label == "spam"
    assert TABLE.find(Endpoint(1, 40001), SERVER, 100.0) is None


@pytest.mark.parametrize("content", [b"\xff\xfe\n", b'a,b\n"1,2\n', b"\x1f\x8b\x08\x00broken", b"a,b\n1,\x002\n3\n"])
def test_unreadable_tables(tmp_path, content):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"table\.csv: "):
        list(read_rows(path, ()))
