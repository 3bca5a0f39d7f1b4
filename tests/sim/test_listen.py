"""``python -m sim listen`` over loopback and over a pseudo terminal, to a board made of the software probe."""

import contextlib
import csv
import os
import queue
import socket
import sys
import threading
import time
import tty

import pytest

import compiler
from compiler.cli import run
from compiler.errors import CheckFailed, InputError
from compiler.forest_json import forest_text
from compiler.manifest import read_manifest
from hdl.cobs import cobs_decode, cobs_encode
from hdl.item import ItemKind
from sim.__main__ import app
from sim.capture import CapturedFrame
from sim.ipfix_writer import IpfixWriter, probe_messages
from sim.items import Item, items_of, key_of_setup, parse_item
from sim.listen import ListenParameters, listen
from sim.load_check import mirrored
from sim.replay import read_probe, software_probe
from sim.tap_devices import open_tap
from tests.forests import SMALL_FOREST, grown_forest
from tests.sim.test_feed import FRAMES, START_NS


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    directory = tmp_path_factory.mktemp("listen") / "probe"
    compiler.export(grown_forest(names=("maxpl", "rsp"), seed=3), directory, board="icebreaker_rmii", top="probe")
    return directory


class Board:
    """Takes items and gives messages; from its set-up on it sees the same frames again and again."""

    def __init__(self, export):
        self._export, self.others = export, []
        self._items: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self.set_ups: list[Item] = []
        self.messages: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def take(self, data: bytes) -> None:
        item = parse_item(data)
        if item.kind is ItemKind.SETUP:
            self.set_ups.append(item)
            threading.Thread(target=self._run, args=(item,), daemon=True).start()
        else:
            self._items.put(item)

    def _run(self, setup: Item) -> None:
        probe = read_probe(self._export)
        epoch_ms = int.from_bytes(setup.body[:8], "big")
        writer = IpfixWriter(probe.parameters.export, probe.parameters.table.layout, epoch_ms)
        for message in probe_messages(
            software_probe(probe, key_of_setup(setup), self.others), writer, self._seen(epoch_ms)
        ):
            self.messages.put(message)

    def _seen(self, epoch_ms):
        shift_ns = epoch_ms * 1_000_000 - START_NS
        frames = [CapturedFrame(time_ns + shift_ns, length, data) for time_ns, data, length in FRAMES]
        *items, _ = items_of(frames, epoch_ms=epoch_ms)
        yield from items
        # Behind a set-up that comes again nothing may follow.
        with contextlib.suppress(queue.Empty):
            while (item := self._items.get(timeout=20)).kind is not ItemKind.FLUSH:
                yield item
            yield item


@contextlib.contextmanager
def udp_board(export, *, lost=(), others=()):
    """A board on loopback that does not get datagrams of these numbers, and may be loaded with other forests."""
    board, stopped = Board(export), threading.Event()
    board.others += others
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.bind(("127.0.0.1", 0))
        link.settimeout(0.01)

        def serve():
            peer, number = None, -1
            while not stopped.is_set():
                with contextlib.suppress(TimeoutError):
                    data, sender = link.recvfrom(2000)
                    number += 1
                    if number in lost:
                        continue
                    peer = sender
                    board.take(data)
                while peer is not None and not board.messages.empty():
                    link.sendto(board.messages.get(), peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield board, f"udp://127.0.0.1:{link.getsockname()[1]}"
        stopped.set()
        thread.join()


@contextlib.contextmanager
def serial_board(export):
    """A board behind a pseudo terminal."""
    pytest.importorskip("serial")
    board, stopped = Board(export), threading.Event()
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    os.set_blocking(ours, False)

    def serve():
        came = b""
        while not stopped.is_set():
            with contextlib.suppress(BlockingIOError):
                came += os.read(ours, 1000)
            *pieces, came = came.split(b"\0")
            for piece in filter(None, pieces):
                board.take(cobs_decode(piece))
            while not board.messages.empty():
                os.write(ours, cobs_encode(board.messages.get()))
            time.sleep(0.002)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield board, os.ttyname(theirs)
    stopped.set()
    thread.join()
    os.close(ours)
    os.close(theirs)


def called(arguments, monkeypatch, capsys):
    """Exit code and what was said."""
    monkeypatch.setattr(sys, "argv", ["sim", "listen", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        run(app)
    return ended.value.code or 0, capsys.readouterr()


@pytest.mark.parametrize("kind", [udp_board, serial_board])
def test_a_board_is_set_up_and_its_records_come(kind, export, tmp_path, monkeypatch, capsys):
    key_file, out = tmp_path / "key", tmp_path / "records.csv"
    before_ms = time.time_ns() // 1_000_000
    with kind(export) as (board, device):
        arguments = ("--device", device, "--export", export, "--key-file", key_file, "--seconds", 1, "-o", out)
        code, said = called(arguments, monkeypatch, capsys)
    assert (code, said.err) == (0, "")
    assert said.out.startswith(f"{out}: 4 records from {len(FRAMES)} frames: ")
    (setup,) = board.set_ups
    assert key_of_setup(setup) == int(key_file.read_text(), 16)
    epoch_ms, seconds = int.from_bytes(setup.body[:8], "big"), int.from_bytes(setup.body[16:], "big")
    assert before_ms <= epoch_ms <= time.time_ns() // 1_000_000
    assert seconds == epoch_ms // 1000
    rows = list(csv.DictReader(out.open()))
    assert sorted(int(row["client_port"]) for row in rows) == [2000, 2001, 2002, 2003]
    assert {row["build_id"] for row in rows} == {read_manifest(export).build_id}


def test_a_set_up_that_was_lost_is_sent_again(export):
    lines = []
    with udp_board(export, lost=[0]) as (board, device):
        heard = listen(ListenParameters(device, export, seconds=0), say=lines.append)
    assert len(board.set_ups) == 1
    assert heard.records.total() == len(lines) == 4


@pytest.fixture(scope="module")
def loadable(tmp_path_factory):
    directory = tmp_path_factory.mktemp("loadable") / "probe"
    compiler.export(SMALL_FOREST, directory, board="icebreaker_rmii", top="probe", loadable=True)
    return directory


@pytest.fixture
def other(tmp_path):
    path = tmp_path / "other.json"
    path.write_text(forest_text(mirrored(SMALL_FOREST)))
    return path


@pytest.mark.parametrize("lost", [[], [1], [5]])
def test_a_board_is_loaded_with_another_forest(lost, loadable, other, tmp_path, monkeypatch, capsys):
    """The datagram behind the set-up is the first chunk."""
    out, forest = tmp_path / "records.csv", mirrored(SMALL_FOREST)
    with udp_board(loadable, lost=lost, others=[forest]) as (board, device):
        arguments = ("--device", device, "--export", loadable, "--forest", other, "--seconds", 0, "-o", out)
        code, said = called(arguments, monkeypatch, capsys)
    assert (code, said.err) == (0, "")
    assert len(board.set_ups) == 1
    assert {row["forest_id"] for row in csv.DictReader(out.open())} == {forest.id}


def test_a_board_that_keeps_its_forest(loadable, other, tmp_path):
    with (
        udp_board(loadable, lost=range(1, 1000)) as (_, device),
        pytest.raises(CheckFailed, match="the board has forest"),
    ):
        listen(ListenParameters(device, loadable, forest=other, out=tmp_path / "r.csv", patience_s=1))
    assert not (tmp_path / "r.csv").exists()


def test_a_board_that_cannot_be_loaded(export, other):
    with pytest.raises(InputError, match="is no walker whose tables can be loaded; export with --loadable"):
        listen(ListenParameters("udp://127.0.0.1", export, forest=other))


def test_a_board_that_does_not_answer(export, tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        device = f"udp://127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(InputError, match=f"^{device}: does not answer; is the board connected"):
            listen(ListenParameters(device, export, out=tmp_path / "r.csv", patience_s=0.2))
    assert not (tmp_path / "r.csv").exists()


def test_a_board_of_another_build(export, tmp_path):
    other = tmp_path / "other"
    compiler.export(grown_forest(names=("maxpl", "rsp"), seed=4), other, board="icebreaker_rmii", top="probe")
    with udp_board(other) as (_, device), pytest.raises(InputError, match="the board holds build"):
        listen(ListenParameters(device, export, seconds=5))


def test_strangers_have_no_say():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as board, open_tap("udp://127.0.0.1:9") as tap:
        tap.send(b"hello")
        # Whoever it is, it is not the port that was asked for.
        board.sendto(b"stranger", ("127.0.0.1", _own_port(tap)))
        assert tap.read() == b""


def _own_port(tap):
    """The port that a device was bound to."""
    (link,) = [cell.cell_contents for cell in tap.send.__closure__ if isinstance(cell.cell_contents, socket.socket)]
    return link.getsockname()[1]


@pytest.mark.parametrize("device", ["udp://", "udp://probe", "udp://10.0.0.1:0", "udp://10.0.0.1:70000", "udp://::1"])
def test_an_address_that_is_none(device, export, monkeypatch, capsys):
    code, said = called(("--device", device, "--export", export), monkeypatch, capsys)
    assert code == 2
    assert said.err.splitlines() == [
        f"error: --device: must be udp://ADDRESS or udp://ADDRESS:PORT with an IPv4 address, not {device!r}"
    ]


def test_a_serial_port_that_is_not_there(export, tmp_path, monkeypatch, capsys):
    pytest.importorskip("serial")
    code, said = called(("--device", tmp_path / "no", "--export", export), monkeypatch, capsys)
    assert code == 2
    assert len(said.err.splitlines()) == 1
    assert str(tmp_path / "no") in said.err


def test_an_export_of_a_board_that_is_fed(tmp_path):
    compiler.export(grown_forest(names=("maxpl", "rsp"), seed=3), tmp_path / "fed", board="icebreaker", top="probe")
    with pytest.raises(InputError, match="is for iCEBreaker, which listens to no wire; python -m sim feed feeds it"):
        listen(ListenParameters("udp://127.0.0.1", tmp_path / "fed"))
