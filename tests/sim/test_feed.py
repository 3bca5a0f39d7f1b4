"""``python -m sim feed``: the very code that feeds a board, on pins that lead into the simulated circuit."""

import contextlib
import dataclasses
import random
import stat
import sys
from pathlib import Path

import pytest

import compiler
from boards import BOARDS
from compiler.cli import run
from compiler.errors import CheckFailed, InputError
from compiler.features import accumulators_of
from compiler.forest_json import forest_text
from compiler.manifest import read_manifest
from compiler.plan import plan_forest
from compiler.probe_plan import probe_parameters
from compiler.table_file import table_image_for
from hdl.entry_layout import EntryLayout
from hdl.item import ItemKind
from hdl.tally import Counter
from hdl.verdict import Verdict, VerdictReason
from sim import feed as feed_module
from sim.__main__ import app
from sim.capture import CapturedFrame
from sim.export_records import ExportedCounters, ExportedRecord
from sim.feed import Fed, FeedParameters, Receiver, feed, feed_capture, verdict_line
from sim.feed_key import key_of, parse_key
from sim.feed_link import BoardLink, LineReader, paced
from sim.identity import Endpoint
from sim.items import Item, items_of, parse_item, setup_item
from sim.load import Load
from sim.load_check import mirrored
from sim.made_frames import tcp_frame
from sim.probe import SoftwareProbe
from sim.probe_check import as_exported
from sim.record_file import RecordWriter
from sim.replay import read_probe, software_probe
from sim.table_loading import chunk_items
from tests.flow_records import random_record
from tests.forests import SMALL_FOREST, grown_forest
from tests.sim.capture_files import pcap
from tests.sim.simulated_board import SimulatedBoard

KEY = 0x1122334455667788
START_NS = 1_700_000_000_250 * 1_000_000
CLIENT, SERVER = b"\x0a\0\0\1", b"\x0a\0\0\2"


def conversation(port, *, start_ms=0, payload=100):
    """Frames of a short session, headers only, as a capture file holds them."""
    made = []
    for step, (forward, flags) in enumerate([(1, 0x02), (0, 0x12), (1, 0x10), (1, 0x18), (0, 0x11), (1, 0x11)]):
        ends = (CLIENT, SERVER, port, 25) if forward else (SERVER, CLIENT, 25, port)
        source, destination, source_port, destination_port = ends
        data, wire_length = tcp_frame(
            source=source,
            destination=destination,
            source_port=source_port,
            destination_port=destination_port,
            flags=flags,
            payload=payload if flags == 0x18 else 0,
        )
        made.append((START_NS + (start_ms + 40 * step) * 1_000_000, data, wire_length))
    return made


FRAMES = sorted(frame for n in range(4) for frame in conversation(2000 + n, start_ms=7 * n, payload=100 + n))


class Kept(RecordWriter):
    def __init__(self):
        self.records = []

    def record(self, record: ExportedRecord) -> None:
        self.records.append(record)


class BoardLine:
    """The reader of a simulated board's line: as it runs only when it is used, no thread may do that."""

    def __init__(self, board):
        self._board = board

    def come(self):
        yield self._board.read()

    def until_quiet(self):
        silent = 0
        while silent < 8:
            self._board.sleep(500e-6)
            chunk = self._board.read()
            silent = 0 if chunk else silent + 1
            yield chunk


@pytest.fixture(scope="module")
def forest():
    return grown_forest(names=("maxpl", "rsp"), seed=3)


@pytest.fixture(scope="module")
def export(forest, tmp_path_factory):
    directory = tmp_path_factory.mktemp("feed") / "probe"
    compiler.export(forest, directory, board="icebreaker", top="probe")
    return directory


@pytest.fixture
def parameters(forest, export):
    board = BOARDS["icebreaker"]
    plan = plan_forest(forest, board.device, board.clock_hz)
    parameters = probe_parameters(forest, board, plan, read_manifest(export).build_id)
    return dataclasses.replace(parameters, table=dataclasses.replace(parameters.table, sets=4))


@pytest.fixture
def board(parameters):
    board = SimulatedBoard(parameters)
    board.sleep(200e-6)  # until the table is clear
    return board


def captured():
    return [CapturedFrame(time_ns, wire_length, data) for time_ns, data, wire_length in FRAMES]


def test_a_board_gives_the_records_of_the_model(board, forest, export):
    epoch_ms = START_NS // 10**9 * 1000
    items = list(items_of(captured(), epoch_ms=epoch_ms, headers_only=True))
    model = SoftwareProbe(forest, sets=4, ways=4, key=KEY)
    manifest = read_manifest(export)
    build_id = int(manifest.build_id, 16)
    expected = [as_exported(record, epoch_ms, build_id) for record in model.run(items)]
    assert len(expected) == 4

    kept = Kept()
    link = BoardLink(board.exchange, name="board", clock=board.clock, sleep=board.sleep)
    told = []
    receiver = Receiver(BoardLine(board), "line", manifest, kept)
    fed = feed(link, setup_item(KEY, epoch_ms), items, receiver, told.append)

    assert kept.records == expected
    assert (fed.items, fed.frames) == (len(items), len(FRAMES))
    assert told[-1] == fed.items
    assert fed.losses == {}
    assert fed.records.total() == 4
    assert fed.counters.frames == len(FRAMES) + fed.refused
    assert fed.counters.counters[Counter.FRAMES_EXPORTED] == len(FRAMES)


def test_what_is_refused_is_sent_again(parameters, export):
    """With room for one record and a slow line a flush keeps the probe busy, and it says so."""
    board = SimulatedBoard(dataclasses.replace(parameters, record_slots=2))
    board.sleep(200e-6)
    epoch_ms = START_NS // 10**9 * 1000
    *items, flush = items_of(captured(), epoch_ms=epoch_ms, headers_only=True)
    late = items[-1]._replace(time_ms=flush.time_ms)
    kept = Kept()
    link = BoardLink(board.exchange, name="board", clock=board.clock, sleep=board.sleep)
    receiver = Receiver(BoardLine(board), "line", read_manifest(export), kept)
    # Of the frames right behind a flush one is read and waits for the table, the others are refused until it is free.
    fed = feed(link, setup_item(KEY, epoch_ms), [*items, flush, *[late] * 3, flush], receiver)
    assert fed.refused > 0
    assert fed.counters.counters[Counter.FRAMES_OVERRUN] == fed.refused
    assert fed.counters.counters[Counter.FRAMES_USED] == len(FRAMES) + 3
    assert [record.packets for record in kept.records] == [6, 6, 6, 6, 3]


def test_a_second_session_is_told_what_the_probe_sends(board, export):
    epoch_ms = START_NS // 10**9 * 1000
    items = list(items_of(captured(), epoch_ms=epoch_ms, headers_only=True))
    for session in range(2):
        kept = Kept()
        link = BoardLink(board.exchange, name="board", clock=board.clock, sleep=board.sleep)
        receiver = Receiver(BoardLine(board), "line", read_manifest(export), kept)
        fed = feed(link, setup_item(KEY + session, epoch_ms), items, receiver)
        assert fed.losses == {}
        assert len(kept.records) == 4


def test_another_build_is_said(board, export):
    manifest = dataclasses.replace(read_manifest(export), build_id="01234567")
    link = BoardLink(board.exchange, name="board", clock=board.clock, sleep=board.sleep)
    receiver = Receiver(BoardLine(board), "/dev/line", manifest, Kept())
    tick = Item(ItemKind.TICK, 0, body=bytes(4))
    with pytest.raises(InputError, match=r"/dev/line: the board holds build [0-9a-f]{8}, not 01234567 of the export"):
        feed(link, setup_item(KEY, 0), [tick], receiver)


def silent_clock():
    now = [0.0]

    def sleep(seconds):
        now[0] += seconds

    return (lambda: now[0]), sleep, now


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (lambda content: bytes(len(content)), r"dev: refuses every item; is the board connected, flashed"),
        (
            lambda content: b"\xff\x80" + bytes(len(content) - 2),
            r"dev: answers ff80000000000000, which no probe does",
        ),
        (lambda content: b"\xff" * (len(content) - 1) + b"\xfe", r"dev: answers f{15}e, which no probe does"),
    ],
)
def test_a_link_without_a_probe(answer, complaint):
    clock, sleep, _ = silent_clock()
    link = BoardLink(answer, name="dev", clock=clock, sleep=sleep)
    with pytest.raises(InputError, match=complaint):
        link.send(Item(ItemKind.FLUSH, 0))


def test_the_first_byte_of_an_answer_may_be_mixed():
    clock, sleep, _ = silent_clock()
    answers = iter([b"\xf0" + bytes(7), b"\x0f" + b"\xff" * 7])
    link = BoardLink(lambda content: next(answers), name="dev", clock=clock, sleep=sleep)
    link.send(Item(ItemKind.FLUSH, 0))
    assert (link.sent, link.refused) == (1, 1)


def test_pace():
    clock, sleep, now = silent_clock()
    items = [Item(ItemKind.TICK, time_ms) for time_ms in (0, 250, 1250, 1100, 1251)]
    came = [(item.time_ms, round(now[0], 6)) for item in paced(items, clock, sleep)]
    assert came == [(0, 0.0), (250, 0.0), (1250, 1.0), (1100, 1.0), (1251, 1.001)]


def test_line_reader_reads_beside_and_until_it_is_quiet():
    chunks = iter([b"a", b"", b"b", b"c"])
    with LineReader(lambda: next(chunks, b"")) as line:
        assert b"".join(line.until_quiet(0.2)) == b"abc"
        assert list(line.come()) == []


def test_line_reader_passes_errors_on():
    def broken():
        raise InputError("port: gone")

    with LineReader(broken) as line, pytest.raises(InputError, match="port: gone"):
        list(line.until_quiet(1))


def test_keys(tmp_path):
    assert key_of(None) != key_of(None)
    path = tmp_path / "key"
    key = key_of(path)
    assert key_of(path) == key == int(path.read_text(), 16)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("0123456789ABCDEF\n")
    assert key_of(path) == 0x0123456789ABCDEF
    for wrong in ("", "0123", "0123456789abcdeg", "+123456789abcdef", "01234567 9abcdef"):
        path.write_text(wrong)
        with pytest.raises(InputError, match=r"key: must be 16 hexadecimal digits"):
            key_of(path)
    with pytest.raises(InputError, match="--key: must be 16"):
        parse_key("x", "--key")


@pytest.mark.parametrize("to_file", [False, True])
def test_command_feeds_and_writes(to_file, board, export, tmp_path, monkeypatch, capsys):
    """From the capture file to the file of records, with only the two devices replaced."""
    (tmp_path / "few.pcap").write_bytes(pcap(FRAMES))

    @contextlib.contextmanager
    def open_spi(device, speed_hz):
        assert (device, speed_hz) == ("/dev/spidev0.0", 6_000_000)
        yield board.exchange

    @contextlib.contextmanager
    def open_line(port):
        assert port == "/dev/ttyS9"
        yield board.read

    monkeypatch.setattr(feed_module, "open_spi", open_spi)
    monkeypatch.setattr(feed_module, "open_line", open_line)
    monkeypatch.setattr(feed_module, "LineReader", lambda read: contextlib.nullcontext(BoardLine(board)))
    monkeypatch.chdir(tmp_path)
    arguments = ["few.pcap", "--device", "/dev/spidev0.0", "--records", "/dev/ttyS9", "--export", str(export)]
    more = ["-o", "records.csv"] if to_file else []
    monkeypatch.setattr("sys.argv", ["sim", "feed", *arguments, *more])
    with pytest.raises(SystemExit) as end:
        run(app)
    said = capsys.readouterr()
    assert (end.value.code, said.err) == (0, "")
    assert "4 records from 24 frames" in said.out
    assert len([line for line in said.out.splitlines() if "->" in line]) == (0 if to_file else 4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["few.pcap", *more[1:]]
    if to_file:
        rows = sorted(Path("records.csv").read_text().splitlines()[1:])
        assert len(rows) == 4
        assert rows[0].startswith("2023-11-14T22:13:20.250Z,2023-11-14T22:13:20.450Z,10.0.0.1,2000,10.0.0.2,25,4,")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"pace": "slow"}, r"--pace: must be real or fast, not 'slow'"),
        ({"out": Path("r.csv")}, r"--out: needs --records"),
        ({"records": "/dev/ttyS9"}, r"--records: needs --export"),
        ({"device": "/dev/tty0"}, r"--device: must begin with /dev/spidev or ftdi://, not '/dev/tty0'"),
    ],
)
def test_wrong_parameters(changes, complaint, tmp_path):
    (tmp_path / "few.pcap").write_bytes(pcap(FRAMES))
    parameters = FeedParameters(**({"device": "/dev/spidev0.0"} | changes))
    with pytest.raises(InputError, match=complaint):
        feed_capture(tmp_path / "few.pcap", parameters)


@pytest.mark.parametrize(("module", "device"), [("spidev", "/dev/spidev0.0"), ("pyftdi.spi", "ftdi://ftdi:232h/1")])
def test_a_missing_package_is_one_line(module, device, tmp_path, monkeypatch):
    (tmp_path / "few.pcap").write_bytes(pcap(FRAMES))
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        InputError, match=rf"{device}: needs the package {module.split('.')[0]}, .*: pip install -e '.\[feed\]'"
    ):
        feed_capture(tmp_path / "few.pcap", FeedParameters(device))


def test_verdict_line():
    layout = EntryLayout(accumulators_of(("maxpl", "rsp")))
    drawn = random_record(random.Random(1), layout)
    side = dict.fromkeys(layout.accumulators, 3)
    flow = dataclasses.replace(
        drawn.flow,
        version=4,
        initiator=Endpoint(0x0A000001, 2000),
        responder=Endpoint(0x0A000002, 25),
        first_ms=250,
        last_ms=300,
        forward=side,
        response=side,
    )
    certain = drawn._replace(flow=flow, score=17, verdict=Verdict.SPAM, reason=VerdictReason.DECIDED)
    record = as_exported(certain, 1_700_000_000_000, 2)
    begin = "2023-11-14T22:13:20.250Z [10.0.0.1]:2000 -> [10.0.0.2]:25 6 packets: "
    assert verdict_line(record) == begin + "spam, score 17, monitor only"
    record = dataclasses.replace(
        record, verdict=Verdict.UNCERTAIN, reason=VerdictReason.ONE_SIDED, score=-4, monitor_only=False
    )
    assert verdict_line(record) == begin + "uncertain (one sided), score -4"


def load_parameters(export, directory):
    """Of a feed that loads a board, from files in a directory."""
    (directory / "capture.pcap").write_bytes(pcap(FRAMES[:12]))
    (directory / "other.json").write_text(forest_text(mirrored(SMALL_FOREST)))
    load, out = Load(directory / "other.json", after=6), directory / "records.csv"
    return FeedParameters("/dev/spidev0.0", records="line", export=export, out=out, load=load)


def test_tables_are_fed_behind_so_many_frames(loadable_probe, tmp_path, monkeypatch):
    sent = []

    def exchange(content):
        sent.append(parse_item(content))
        return b"\xff" * len(content)

    monkeypatch.setattr(feed_module, "open_spi", lambda *_: contextlib.nullcontext(exchange))
    parameters = dataclasses.replace(load_parameters(loadable_probe, tmp_path), records=None, out=None)
    fed = feed_capture(tmp_path / "capture.pcap", parameters)
    other = mirrored(SMALL_FOREST)
    chunks = chunk_items(table_image_for(other, loadable_probe))
    assert [item for item in sent if item.kind.is_chunk] == chunks
    begin = sent.index(chunks[0])
    assert sent[begin : begin + len(chunks)] == chunks
    assert sum(item.kind is ItemKind.FRAME for item in sent[:begin]) == 6
    assert (fed.frames, fed.items) == (12, len(sent) - 2)
    # What a board makes of it.
    probe = read_probe(loadable_probe)
    model = software_probe(probe, KEY, [other])
    assert {record.forest.id for record in model.run(sent)} == {other.id}


def test_a_board_that_refuses_its_tables_is_said(loadable_probe, tmp_path, monkeypatch):
    counters = ExportedCounters(
        counters={Counter.TABLES_REFUSED: 1}, fill=0, seconds=0, forest_id=int(SMALL_FOREST.id, 16), build_id=0
    )
    for name in ("open_spi", "open_line", "LineReader"):
        monkeypatch.setattr(feed_module, name, lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(feed_module, "feed", lambda *_: Fed(counters=counters))
    said = f"the board has forest {SMALL_FOREST.id}, not {mirrored(SMALL_FOREST).id}; table images refused: 1"
    parameters = load_parameters(loadable_probe, tmp_path)
    with pytest.raises(CheckFailed, match=said):
        feed_capture(tmp_path / "capture.pcap", parameters)
    assert not parameters.out.exists()


def test_a_load_needs_to_know_the_export(tmp_path):
    parameters = FeedParameters("/dev/spidev0.0", load=Load(tmp_path / "other.json"))
    with pytest.raises(InputError, match="--forest: needs --export, the export that the board holds"):
        feed_capture(tmp_path / "capture.pcap", parameters)
