"""hdl.ipfix: programs of messages, byte by byte against RFC 7011 and back through the decoder."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.information_elements import Element
from hdl.ipfix import ExportField, Live, Opcode, Source, data_message, template_message
from hdl.tally import Counter
from sim.ipfix_messages import Collector
from sim.ipfix_writer import ProgramValues, run_program

LIVE = {live: 0xA0 + live for live in Live}
NOTHING = ProgramValues(LIVE, 0)


def test_template_message_byte_by_byte():
    fields = [ExportField(8, 4, Source.literal(0)), ExportField(1001, 1, Source.literal(0), 32473)]
    program = template_message(0x01020304, {256: fields}, {258: fields[::-1]})
    header = "000a 003a 0000 00a0 0000 00a1 0102 0304"
    # 256 with 2 fields: element 8 of 4 bytes, element 1001 of enterprise 32473 of 1 byte.
    templates = "0002 0014 0100 0002 0008 0004 83e9 0001 0000 7ed9"
    # 258 with 2 fields, of which the first is the scope.
    options = "0003 0016 0102 0002 0001 83e9 0001 0000 7ed9 0008 0004"
    assert run_program(program, NOTHING) == bytes.fromhex(f"{header} {templates} {options}")


def test_data_message_byte_by_byte():
    fields = [
        ExportField(4, 1, Source.literal(6)),
        ExportField(7, 2, Source.record(1, 16)),
        ExportField(27, 8, Source.words([2, 3])),
        ExportField(152, 8, Source.time(0)),
        ExportField(1100, 8, Source.counter(2), 32473),
        ExportField(1003, 4, Source.live(Live.SCORE), 32473),
        ExportField(1001, 1, Source.live(Live.VERDICT), 32473),
    ]
    program = data_message(7, 256, fields)
    values = ProgramValues(
        LIVE | {Live.SCORE: -2, Live.VERDICT: -1},
        0x10000000000,
        (0xFFFFFFFF, 0xAABBCCDD, 0x01020304, 0x05060708),
        {counter: 0x1122334455667700 + counter for counter in Counter},
    )
    assert run_program(program, values) == bytes.fromhex(
        "000a 0034 0000 00a0 0000 00a1 0000 0007 0100 0024 "
        "06aa bb01 0203 0405 0607 0800 0001 00ff ffff ff11 2233 4455 6677 02ff ffff feff"
    )


@pytest.mark.parametrize("live", list(Live))
def test_size_of_a_live_value_holds_its_bytes(live):
    assert live.size in (1, 2, 4)
    steps = Source.live(live).steps(live.size)
    assert [step.operand for step in steps] == [live << 2 | byte for byte in reversed(range(live.size))]


def test_only_the_last_step_is_the_last():
    program = data_message(1, 256, [ExportField(4, 1, Source.literal(6))])
    assert [step.last for step in program] == [False] * (len(program) - 1) + [True]


@st.composite
def _fields(draw):
    """A field, its value in a record of 32 random words, and that value as bytes."""
    kind = draw(st.sampled_from(Opcode))
    index = draw(st.integers(0, 31))
    match kind:
        case Opcode.LITERAL:
            size = draw(st.integers(1, 16))
            value = draw(st.integers(0, 256**size - 1))
            return size, Source.literal(value), lambda values: value
        case Opcode.RECORD:
            shift = draw(st.sampled_from([0, 8, 16, 24]))
            size = draw(st.integers(1, 4 - shift // 8))
            return size, Source.record(index, shift), lambda values: values.record[index] >> shift
        case Opcode.TIME:
            return 8, Source.time(index), lambda values: values.epoch_ms + values.record[index]
        case Opcode.COUNTER:
            counter = draw(st.sampled_from(Counter))
            return 8, Source.counter(counter), lambda values: values.counters[counter]
        case Opcode.LIVE:
            live = draw(st.sampled_from(Live))
            return live.size, Source.live(live), lambda values: values.live[live]


_ELEMENTS = st.builds(Element, st.integers(1, 0x7FFF), st.sampled_from([None, 29305, 32473]))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(_ELEMENTS, _fields()), min_size=1, max_size=12, unique_by=lambda drawn: drawn[0]),
    st.integers(0, 2**42 - 1),
    st.booleans(),
    st.integers(0, 2**32),
)
def test_the_decoder_reads_what_a_program_says(drawn, epoch_ms, options, seed):
    rng = random.Random(seed)
    record = [rng.getrandbits(32) for _ in range(32)]
    live = {live: rng.getrandbits(8 * live.size) - (256**live.size >> 1) for live in Live}
    live |= {Live.SECONDS: 1_700_000_000, Live.SEQUENCE: 0}
    counters = {counter: rng.getrandbits(64) for counter in Counter}
    values = ProgramValues(live, epoch_ms, record, counters)
    fields = [ExportField(element.number, size, source, element.enterprise) for element, (size, source, _) in drawn]
    announced = ({}, {300: fields}) if options else ({300: fields}, {})
    collector = Collector()
    collector.read(run_program(template_message(9, *announced), values))
    (read,) = collector.read(run_program(data_message(9, 300, fields), values)).records
    assert read.options == options
    for element, (size, _, value) in drawn:
        assert read.unsigned(element) == value(values) & 256**size - 1
        assert len(read.values[element]) == size
