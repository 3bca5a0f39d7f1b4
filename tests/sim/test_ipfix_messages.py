"""sim.ipfix_messages: messages whole, bent and cut; templates, sequence numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.information_elements import Element
from sim.ipfix_messages import Collector, DataRecord, Undecodable

A, B, OWN = Element(1), Element(2), Element(1001, 32473)
TEMPLATE = {256: [(A, 4), (B, 2), (OWN, 1)]}


def number(value, size):
    return value.to_bytes(size, "big")


def a_set(identity, body):
    return number(identity, 2) + number(4 + len(body), 2) + body


def template_set(templates, scopes=None):
    body = b""
    for identity, fields in templates.items():
        body += number(identity, 2) + number(len(fields), 2) + (b"" if scopes is None else number(scopes, 2))
        for element, size in fields:
            if element.enterprise is None:
                body += number(element.number, 2) + number(size, 2)
            else:
                body += number(element.number | 0x8000, 2) + number(size, 2) + number(element.enterprise, 4)
    return a_set(2 if scopes is None else 3, body)


def message(*sets, sequence=0, domain=7, seconds=1_700_000_000):
    body = b"".join(sets)
    return b"\0\x0a" + number(16 + len(body), 2) + b"".join(number(n, 4) for n in (seconds, sequence, domain)) + body


RECORD = bytes([0, 0, 1, 2, 3, 4, 0xFE])


def test_header_and_records():
    read = Collector().read(message(template_set(TEMPLATE), a_set(256, RECORD * 2 + b"\0\0"), sequence=9))
    assert read.header == (1_700_000_000, 9, 7)
    assert len(read.records) == 2
    record = read.records[0]
    assert record == DataRecord(256, False, {A: b"\0\0\1\2", B: b"\3\4", OWN: b"\xfe"})
    assert (record.unsigned(A), record.unsigned(OWN), record.signed(OWN)) == (0x0102, 0xFE, -2)


def test_options_and_variable_length():
    collector = Collector()
    collector.read(message(template_set({300: [(A, 4), (B, 0xFFFF)]}, scopes=1)))
    long = bytes(range(256))
    read = collector.read(message(a_set(300, bytes(4) + b"\3abc" + bytes(4) + b"\xff\1\0" + long + bytes(4) + b"\0")))
    assert [record.values[B] for record in read.records] == [b"abc", long, b""]
    assert all(record.options for record in read.records)


def test_data_before_its_template_is_said_not_fatal():
    collector = Collector()
    read = collector.read(message(a_set(256, RECORD)))
    assert read.records == ()
    assert read.undecodable == (Undecodable(256, "its template has not come"),)
    # How many records that was is not known, so the next sequence number is taken as it is.
    assert collector.read(message(template_set(TEMPLATE), sequence=40)).missing == 0
    assert len(collector.read(message(a_set(256, RECORD), sequence=40)).records) == 1


def test_templates_belong_to_a_domain():
    collector = Collector()
    collector.read(message(template_set(TEMPLATE), domain=1))
    assert len(collector.read(message(a_set(256, RECORD), domain=1)).records) == 1
    assert collector.read(message(a_set(256, RECORD), domain=2)).undecodable


def test_a_template_is_replaced_or_withdrawn():
    collector = Collector()
    collector.read(message(template_set(TEMPLATE), template_set({300: [(A, 1)]}, scopes=1)))
    collector.read(message(template_set({256: [(A, 7)], 257: [(A, 1)]})))
    assert collector.read(message(a_set(256, RECORD))).records[0].values == {A: RECORD}
    collector.read(message(a_set(2, number(256, 2) + bytes(2))))
    assert set(collector.templates[7]) == {257, 300}
    collector.read(message(a_set(2, number(2, 2) + bytes(2))))
    assert set(collector.templates[7]) == {300}
    collector.read(message(a_set(3, number(3, 2) + bytes(2))))
    assert collector.templates[7] == {}


def test_an_element_twice_cannot_be_read():
    read = Collector().read(message(template_set({256: [(A, 1), (A, 1)]}), a_set(256, b"\1\2")))
    assert read.undecodable == (Undecodable(256, "its template repeats element 1"),)


def test_sequence_numbers():
    collector = Collector()
    collector.read(message(template_set(TEMPLATE), a_set(256, RECORD * 3), sequence=2**32 - 2))
    read = collector.read(message(a_set(256, RECORD), sequence=1))
    assert (read.missing, read.restarted) == (0, False)
    read = collector.read(message(a_set(256, RECORD), sequence=5))
    assert (read.missing, read.restarted) == (3, False)
    read = collector.read(message(a_set(256, RECORD), sequence=0))
    assert (read.missing, read.restarted) == (0, True)
    assert collector.read(message(sequence=1)).missing == 0


GOOD = message(template_set(TEMPLATE), a_set(256, RECORD))


@pytest.mark.parametrize(
    ("bent", "complaint"),
    [
        (b"", r"header of 16 bytes, not 0, at byte 0"),
        (b"\0\x09" + GOOD[2:], r"version must be 10, not 9, at byte 0"),
        (GOOD + b"\0", r"length must be the \d+ bytes of the message, not \d+, at byte 2"),
        (message(b"\0\2\0"), r"set must have a header of 4 bytes, at byte 16"),
        (message(a_set(4, b"\0")), r"number of a set must be 2, 3 or at least 256, not 4, at byte 16"),
        (
            message(number(256, 2) + number(9, 2) + b"\0"),
            r"end in its message, not after 9 bytes, at byte 16",
        ),
        (
            message(a_set(256, b"")),
            r"must hold a record and end in its message, not after 4 bytes, at byte 16",
        ),
        (
            message(template_set({255: [(A, 1)]})),
            r"number of a template must be at least 256, not 255, at byte 20",
        ),
        (message(template_set({256: [(A, 0)]})), r"Records of a template must have bytes, at byte 20"),
        (message(template_set(TEMPLATE, scopes=0)), r"1 to 3 scopes, not 0, at byte 24"),
        (message(template_set(TEMPLATE, scopes=4)), r"1 to 3 scopes, not 4, at byte 24"),
        (message(a_set(2, template_set(TEMPLATE)[4:-4])), r"A record must end in its set, at byte"),
        (message(template_set(TEMPLATE), a_set(256, RECORD[:6])), r"at least 7 bytes, at byte"),
        (message(template_set(TEMPLATE), a_set(256, RECORD + b"\0\1")), r"Padding must be zero, at byte"),
        (message(template_set({256: [(A, 0xFFFF)]}), a_set(256, b"\4abc")), r"Element 1 must end in its set"),
        (message(template_set({256: [(A, 0xFFFF)]}), a_set(256, b"\xff\0")), r"A record must end in its set"),
    ],
)
def test_malformed(bent, complaint):
    with pytest.raises(ValueError, match=complaint):
        Collector().read(bent)


def test_a_malformed_message_leaves_nothing_behind():
    collector = Collector()
    with pytest.raises(ValueError, match="Padding"):
        collector.read(message(template_set(TEMPLATE), a_set(256, RECORD + b"\1")))
    assert collector.read(message(a_set(256, RECORD))).undecodable


_ELEMENTS = st.builds(Element, st.integers(1, 0x7FFF), st.sampled_from([None, 29305, 32473]))
_SIZES = st.one_of(st.integers(1, 40), st.just(0xFFFF))


@st.composite
def _templates_and_values(draw):
    fields = draw(st.lists(st.tuples(_ELEMENTS, _SIZES), min_size=1, max_size=12, unique_by=lambda field: field[0]))
    records = draw(st.integers(1, 4))
    sizes = dict(fields)

    def value(size):
        if size == 0xFFFF:
            return draw(st.one_of(st.binary(max_size=20), st.binary(min_size=250, max_size=300)))
        return draw(st.binary(min_size=size, max_size=size))

    return fields, [{element: value(size) for element, size in sizes.items()} for _ in range(records)]


@given(_templates_and_values(), st.booleans())
def test_what_goes_in_comes_out(case, options):
    fields, records = case

    def encoded(element, size, values):
        value = values[element]
        if size != 0xFFFF:
            return value
        return (bytes([len(value)]) if len(value) < 255 else b"\xff" + number(len(value), 2)) + value

    body = b"".join(encoded(element, size, values) for values in records for element, size in fields)
    templates = template_set({999: fields}, scopes=1 if options else None)
    read = Collector().read(message(templates, a_set(999, body)))
    assert [record.values for record in read.records] == records
    assert all(record.options == options for record in read.records)


@given(st.data())
def test_whatever_comes_is_read_or_refused(data):
    bent = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        bent[data.draw(st.integers(0, len(bent) - 1))] = data.draw(st.integers(0, 255))
    bent = bytes(bent[: data.draw(st.integers(0, len(bent)))]) + data.draw(st.binary(max_size=5))
    collector = Collector()
    refused = None
    try:
        collector.read(bent)
    except ValueError as error:
        refused = str(error)
    assert refused is None or ("at byte" in refused and collector.templates == {})
