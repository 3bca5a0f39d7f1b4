"""Files of IPFIX messages are read as the line is, and what cannot be read is counted or refused."""

import random
from collections import Counter

import pytest

from compiler.errors import InputError
from compiler.export_fields import export_messages
from compiler.features import UNIVERSAL, accumulators_of
from hdl.cobs import cobs_encode
from hdl.entry_layout import EntryLayout
from hdl.tally import counters_of
from sim.export_records import ExportedRecord, ExportStream
from sim.ipfix_writer import IpfixWriter
from sim.record_reader import read_ipfix_records
from tests.flow_records import FOREST, random_record

COUNTERS = dict.fromkeys(counters_of(loadable=False), 3)


@pytest.fixture(scope="module")
def messages():
    """An announcement, three records, an announcement, two records."""
    rng = random.Random(4)
    layout = EntryLayout(accumulators_of(UNIVERSAL))
    writer = IpfixWriter(export_messages(layout, forest_id=1, build_id=2), layout, 1_700_000_000_000)

    def records(count):
        return [writer.record(random_record(rng, layout)) for _ in range(count)]

    return [
        *writer.announcement(COUNTERS, 5, FOREST),
        *records(3),
        *writer.announcement(COUNTERS, 5, FOREST),
        *records(2),
    ]


def test_a_file_holds_what_the_line_said(messages, tmp_path):
    path = tmp_path / "r.ipfix"
    path.write_bytes(b"".join(messages))
    stream, unread = ExportStream(), Counter()
    said = [entry for message in messages for entry in stream.feed(cobs_encode(message))]
    assert list(read_ipfix_records(path, unread)) == [entry for entry in said if isinstance(entry, ExportedRecord)]
    assert not unread


def test_what_is_not_there_is_counted(messages, tmp_path):
    path = tmp_path / "r.ipfix"
    path.write_bytes(b"".join([*messages[:3], *messages[4:]]))
    unread = Counter()
    assert len(list(read_ipfix_records(path, unread))) == 4
    assert unread == {"missing": 1}
    # Without the first templates nothing can be read until they come again.
    path.write_bytes(b"".join(messages[2:]))
    unread.clear()
    assert len(list(read_ipfix_records(path, unread))) == 2
    assert sum(unread.values()) == 3
    assert all("its template has not come" in reason for reason in unread)


@pytest.mark.parametrize("cut", [-1, -30])
def test_a_file_that_is_cut_is_refused(messages, tmp_path, cut):
    path = tmp_path / "r.ipfix"
    content = b"".join(messages)
    path.write_bytes(content[:cut])
    at = len(content) - len(messages[-1])
    with pytest.raises(InputError, match=f"r.ipfix: the message at byte {at} is no IPFIX: "):
        list(read_ipfix_records(path))


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "r.ipfix"
    path.write_bytes(b"start,verdict\n2026-11-23,spam\n" * 9)
    with pytest.raises(InputError, match="the message at byte 0 is no IPFIX"):
        list(read_ipfix_records(path))
    path.write_bytes(b"")
    assert list(read_ipfix_records(path)) == []
