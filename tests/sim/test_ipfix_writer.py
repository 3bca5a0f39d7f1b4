"""The messages of a probe: what our Collector, the PyPI package ipfix and the records themselves say of them."""

import io
import random
from datetime import UTC, datetime

import ipfix.ie
import ipfix.reader
import pytest

from compiler.export_fields import export_messages
from compiler.features import CATALOGUE, UNIVERSAL, accumulators_of
from compiler.information_elements import OWN_ENTERPRISE, Element, Iana, Own, element_of, own
from hdl.cobs import cobs_encode
from hdl.entry_layout import EntryLayout
from hdl.ipfix import REVERSE_ENTERPRISE
from hdl.item import ItemKind
from hdl.tally import Counter, counters_of
from hdl.verdict import Verdict, VerdictReason
from sim.export_records import ExportedCounters, ExportedRecord, ExportStream
from sim.ipfix_messages import Collector
from sim.ipfix_writer import IpfixWriter, probe_counters, probe_messages
from sim.items import Item
from sim.probe import ProbeRecord, SoftwareProbe
from tests.flow_records import FOREST, random_record
from tests.forests import grown_forest
from tests.hdl.test_flow_table import random_items

EPOCH_MS = 1_700_000_000_000
FOREST_ID, BUILD_ID = 0xDEADBEEF, 0x80000001
WIDE = tuple(name for name in CATALOGUE if all(a.width <= 32 for a in CATALOGUE[name].needs))
"""Names whose accumulators use most of our elements."""


@pytest.fixture(scope="module")
def known_elements():
    """Tell the package ipfix all elements that a probe may send, ours by what docs/records.md says of them."""
    ipfix.ie.clear_infomodel()
    ipfix.ie.use_iana_default()
    ipfix.ie.use_5103_default()
    kinds = {Own.verdict: "signed8", Own.score: "signed32"}
    for element in Own:
        kind = kinds.get(element, "unsigned64")
        for number, name in ((element, element.name), (element | 0x4000, f"reverse_{element.name}")):
            ipfix.ie.for_spec(f"{name}({OWN_ENTERPRISE}/{number})<{kind}>")
    for counter in Counter:
        ipfix.ie.for_spec(f"{counter.name}({OWN_ENTERPRISE}/{1100 + counter})<unsigned64>[8]")
    yield
    ipfix.ie.clear_infomodel()


def random_layout_and_records(rng, count):
    names = tuple(rng.sample(WIDE, 6)) if rng.random() < 0.7 else UNIVERSAL
    layout = EntryLayout(accumulators_of(names))
    return layout, [random_record(rng, layout) for _ in range(count)]


def name_in_package(element: Element) -> str:
    return ipfix.ie.for_template_entry(element.enterprise or 0, element.number, 0).name


@pytest.mark.parametrize("seed", range(12))
def test_package_ipfix_reads_the_same(seed, known_elements):
    rng = random.Random(seed)
    layout, records = random_layout_and_records(rng, 6)
    loadable = seed % 2 == 1
    parameters = export_messages(layout, forest_id=FOREST_ID, build_id=BUILD_ID, loadable=loadable)
    counters = {counter: rng.getrandbits(64) for counter in counters_of(loadable=loadable)}
    writer = IpfixWriter(parameters, layout, EPOCH_MS)
    writer.tick(1_700_000_321)
    messages = [*writer.announcement(counters, 0xFFFE, FOREST), *map(writer.record, records)]

    # Every value of the package is the one of our decoder.
    reader = ipfix.reader.from_stream(io.BytesIO(b"".join(messages)))
    theirs = list(reader.namedict_iterator())
    collector = Collector()
    read = [collector.read(message) for message in messages]
    ours = [record for message in read for record in message.records]
    assert len(theirs) == len(ours) == 1 + len(records)
    for their, our in zip(theirs, ours, strict=True):
        assert len(their) == len(our.values)
        for element, raw in our.values.items():
            assert as_integer(their[name_in_package(element)], raw) == int.from_bytes(raw, "big"), element
    assert [message.header.sequence for message in read] == [0, 0, *range(1, 1 + len(records))]
    assert {message.header.export_seconds for message in read} == {1_700_000_321}
    assert {message.header.domain for message in read} == {BUILD_ID}
    assert sum(message.missing for message in read) == 0

    # And what the package says is what went in.
    assert theirs[0]["flowTableFill"] == 0xFFFE
    assert {counter: theirs[0][counter.name] for counter in counters} == counters
    for record, said in zip(records, theirs[1:], strict=True):
        check_against_record(record, said, layout)
        assert said["forestId"] == theirs[0]["forestId"] == (int(FOREST.id, 16) if loadable else FOREST_ID)
        assert said["monitorOnly"] == (FOREST.monitor_only if loadable else 0)


def as_integer(value, raw):
    """A value of the package as the unsigned integer that its bytes are."""
    if isinstance(value, datetime):
        milliseconds = round(value.replace(tzinfo=UTC).timestamp() * 1000)
        return milliseconds if len(raw) == 8 else milliseconds // 1000
    if isinstance(value, bytes):
        return int.from_bytes(value, "big")
    return int(value) & (1 << 8 * len(raw)) - 1


def check_against_record(record: ProbeRecord, said, layout):
    flow = record.flow
    version = "IPv4" if flow.version == 4 else "IPv6"
    assert int(said[f"source{version}Address"]) == flow.initiator.address
    assert int(said[f"destination{version}Address"]) == flow.responder.address
    assert (said["sourceTransportPort"], said["destinationTransportPort"]) == (
        flow.initiator.port,
        flow.responder.port,
    )
    assert (said["protocolIdentifier"], said["flowEndReason"]) == (6, flow.end_reason)
    start = said["flowStartMilliseconds"].replace(tzinfo=UTC).timestamp()
    assert round(start * 1000) == EPOCH_MS + flow.first_ms
    assert (said["verdict"], said["verdictReason"], said["score"]) == (
        record.verdict,
        record.reason,
        record.score,
    )
    assert said["buildId"] == BUILD_ID
    assert said["biflowDirection"] == flow.syn
    for response, side in ((False, flow.forward), (True, flow.response)):
        for accumulator in layout.accumulators:
            element = element_of(accumulator, response=response)
            value = said[name_in_package(element)]
            value = int.from_bytes(value, "big") if isinstance(value, bytes) else value
            assert value == side[accumulator], element


def test_reverse_elements_have_their_names(known_elements):
    assert name_in_package(Element(Iana.octetDeltaCount, REVERSE_ENTERPRISE)) == "reverseOctetDeltaCount"
    assert name_in_package(own(Own.windowMaximum).reverse) == "reverse_windowMaximum"


def run_of(items):
    forest = grown_forest(names=("maxpl", "rsp"), min_packets=1)
    probe = SoftwareProbe(forest, sets=2, ways=2, idle_ms=1000, active_ms=4000, linger_ms=300, key=5)
    layout = EntryLayout(accumulators_of(forest.feature_names))
    parameters = export_messages(layout, forest_id=int(forest.id, 16), build_id=BUILD_ID)
    messages = list(probe_messages(probe, IpfixWriter(parameters, layout, EPOCH_MS), items))
    return forest, probe, messages


def test_stream_of_a_software_probe():
    *mixed, flush = random_items(random.Random(1), 1200)
    first = Item(ItemKind.TICK, 0, body=(1_700_000_000).to_bytes(4, "big"))
    items = [first, *(item for item in mixed if item.kind is not ItemKind.FLUSH), flush]
    forest, probe, messages = run_of(items)
    fresh = SoftwareProbe(forest, sets=2, ways=2, idle_ms=1000, active_ms=4000, linger_ms=300, key=5)
    records = list(fresh.run(items))
    assert len(records) > 128

    stream = ExportStream()
    said = [entry for message in messages for entry in stream.feed(cobs_encode(message))]
    assert (stream.bad_frames, stream.missing, stream.undecodable) == (0, 0, {})
    flows = [entry for entry in said if isinstance(entry, ExportedRecord)]
    assert [(f.initiator, f.first_ms, f.last_ms, f.forward, f.response, f.score) for f in flows] == [
        (
            *(r.flow.initiator, EPOCH_MS + r.flow.first_ms, EPOCH_MS + r.flow.last_ms),
            *(r.flow.forward, r.flow.response, r.score),
        )
        for r in records
    ]
    assert [(f.verdict, f.reason, f.end_reason) for f in flows] == [
        (r.verdict, r.reason, r.flow.end_reason) for r in records
    ]
    counters = [index for index, entry in enumerate(said) if isinstance(entry, ExportedCounters)]
    assert counters[0] == 0
    assert counters[1] == 65, "again after 64 records"
    last = said[counters[-1]]
    assert counters[-1] == len(said) - 1
    assert last.counters == probe_counters(probe)
    assert last.fill == 0
    assert sum(last.counters[Counter(n)] for n in range(11)) == probe.counters["frames"]


def test_announcements_after_ticks():
    ticks = [Item(ItemKind.TICK, t * 100, body=(1_700_000_000 + t // 10).to_bytes(4, "big")) for t in range(1300)]
    _, _, messages = run_of(ticks)
    collector = Collector()
    times = [read.header.export_seconds for read in map(collector.read, messages) if read.records]
    assert times == [1_700_000_000, 1_700_000_059, 1_700_000_119]  # the first tick counts too


def test_what_comes_joined_late_or_bent_is_counted():
    items = [
        Item(ItemKind.TICK, 0, body=(1_700_000_000).to_bytes(4, "big")),
        *random_items(random.Random(2), 300),
    ]
    _, _, messages = run_of(items)
    line = b"".join(map(cobs_encode, messages))

    whole = list(ExportStream().feed(line))
    late = ExportStream()
    seen = [entry for begin in range(100, len(line), 7) for entry in late.feed(line[begin : begin + 7])]
    assert late.bad_frames == 1
    # All records until templates come again cannot be read.
    assert set(late.undecodable) == {
        "template 256: its template has not come",
        "template 258: its template has not come",
    } | ({"template 257: its template has not come"} & set(late.undecodable))
    assert seen == whole[len(whole) - len(seen) :]

    bent = bytearray(line)
    at = line.index(b"\0", line.index(b"\0") + 1) - 20
    bent[at] = 0
    stream = ExportStream()
    seen = list(stream.feed(bytes(bent)))
    assert stream.bad_frames == 2
    assert stream.missing == 1
    assert seen == whole[1:]


def test_zeros_and_endless_pieces():
    stream = ExportStream()
    assert list(stream.feed(b"\0\0\0")) == []
    assert stream.bad_frames == 0
    for _ in range(100):
        assert list(stream.feed(b"\1" * 10_000)) == []
    assert len(stream._piece) < 70_000
    assert list(stream.feed(b"\0")) == []
    assert stream.bad_frames == 1


def test_values_without_meaning_are_counted():
    layout = EntryLayout(accumulators_of(("maxpl", "rsp")))
    parameters = export_messages(layout, forest_id=1, build_id=2)
    record = random_record(random.Random(3), layout)
    writer = IpfixWriter(parameters, layout, EPOCH_MS)
    writer.tick(1)
    stream = ExportStream()
    list(stream.feed(b"".join(map(cobs_encode, writer.announcement(dict.fromkeys(Counter, 0), 0, FOREST)))))
    for wrong in ({"verdict": 7}, {"reason": 9}):
        assert list(stream.feed(cobs_encode(writer.record(record._replace(**wrong))))) == []
    assert stream.undecodable == {"7 is not a valid Verdict": 1, "9 is not a valid VerdictReason": 1}
    (entry,) = stream.feed(cobs_encode(writer.record(record)))
    assert (entry.verdict, entry.reason) == (Verdict(record.verdict), VerdictReason(record.reason))
