"""Collectors that nobody here wrote take what the circuit sends over UDP, and read the same records as we do."""

import contextlib
import csv
import itertools
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from compiler.errors import InputError
from sim.capture import read_capture
from sim.collector_link import CollectorLink
from sim.cxx import CxxCompiler
from sim.headers import decode_frame
from sim.made_frames import tcp_frame
from sim.replay import replay
from tests.sim.capture_files import pcap

SLICE = Path(__file__).parents[2] / "training" / "data" / "test.pcap.gz"
FRAMES = 6000
IN_IPV6 = bytes.fromhex("20010db8") + bytes(8)
VERDICTS = {"spam": 1, "uncertain": 0, "background": -1}


def needed(*tools: str, package: str) -> None:
    missing = [tool for tool in tools if shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin") is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)} (Debian: {package})")


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as chosen:
        chosen.bind(("127.0.0.1", 0))
        return chosen.getsockname()[1]


@contextlib.contextmanager
def running(arguments: list[str], port: int) -> Iterator[None]:
    """A collector that listens, until the block ends."""
    server = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, server)
        yield
    finally:
        # Both take it as the wish to write what they have and end.
        server.send_signal(signal.SIGINT)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def wait_for(port: int, server: subprocess.Popen) -> None:
    """Until somebody has the port."""
    for _ in range(200):
        assert server.poll() is None, "the collector has ended"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                return
        time.sleep(0.05)
    raise TimeoutError("the collector does not listen")


def capture_of_both_versions(path):
    """Frames of the sample, then the packets of the first of them again in IPv6."""
    frames = list(itertools.islice(read_capture(SLICE), FRAMES))
    again = []
    for frame in frames[: FRAMES // 3]:
        _, packet = decode_frame(frame.data, frame.wire_length, None)
        if packet is not None:
            data, wire = tcp_frame(
                source=IN_IPV6 + packet.source.to_bytes(4, "big"),
                destination=IN_IPV6 + packet.destination.to_bytes(4, "big"),
                source_port=packet.source_port,
                destination_port=packet.destination_port,
                flags=packet.flags,
                window=packet.window,
                ttl=packet.ttl,
                payload=packet.length - 40,
            )
            again.append((frame.time_ns - frames[0].time_ns + frames[-1].time_ns, data, wire))
    path.write_bytes(pcap([(frame.time_ns, frame.data, frame.wire_length) for frame in frames] + again))
    return path


def sent_to(port, probe, directory):
    """What the model says that the compiled circuit, which sends it, sends; as rows of a record file."""
    try:
        CxxCompiler()
    except InputError as error:
        pytest.skip(str(error))
    capture = capture_of_both_versions(directory / "capture.pcap")
    replay(capture, probe, directory / "circuit.csv", engine="compiled", collector=f"127.0.0.1:{port}")
    replay(capture, probe, directory / "model.csv", engine="model")
    with (directory / "model.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 100
    assert sum(":" in row["client_ip"] for row in rows) > 30
    assert {row["verdict"] for row in rows} == set(VERDICTS)
    return rows


def counts(row):
    names = ("client_ip", "client_port", "server_ip", "server_port")
    names += ("packets", "octets", "response_packets", "response_octets")
    return tuple(row[name] for name in names)


def test_nfcapd_reads_flows_packets_and_bytes_both_ways(mail_probe, tmp_path):
    needed("nfcapd", "nfdump", package="nfdump")
    port, flows = free_port(), tmp_path / "flows"
    flows.mkdir()
    arguments = ["nfcapd", "-w", str(flows), "-p", str(port), "-b", "127.0.0.1", "-t", "3600"]
    with running(arguments, port):
        rows = sent_to(port, mail_probe, tmp_path)
        time.sleep(0.5)
    form = "fmt:%sa,%sp,%da,%dp,%pkt,%byt,%opkt,%obyt,%pr"
    said = subprocess.run(
        ["nfdump", "-R", str(flows), "-q", "-N", "-6", "-o", form], check=True, capture_output=True, text=True
    ).stdout
    read = [tuple(value.strip() for value in line.split(",")) for line in said.splitlines() if line.count(",") == 8]
    assert {line[8] for line in read} == {"6"}
    assert sorted(line[:8] for line in read) == sorted(map(counts, rows))


PRIMITIVES = """\
name=response_packets field_type=29305:2 len=4 semantics=u_int
name=response_octets field_type=29305:1 len=4 semantics=u_int
name=verdict field_type=32473:1001 len=1 semantics=u_int
name=score field_type=32473:1003 len=4 semantics=u_int
"""
"""What nfacctd has to be told of: the reverse elements of RFC 5103, and our own."""


def test_nfacctd_reads_the_verdict_too(mail_probe, tmp_path):
    needed("nfacctd", package="pmacct")
    port, out = free_port(), tmp_path / "flows.csv"
    (tmp_path / "primitives").write_text(PRIMITIVES)
    settings = {
        "nfacctd_ip": "127.0.0.1",
        "nfacctd_port": port,
        "plugins": "print",
        "print_output": "csv",
        "print_output_file": out,
        "print_output_file_append": "true",
        "print_refresh_time": 1,
        "aggregate_primitives": tmp_path / "primitives",
        "aggregate": "src_host, dst_host, src_port, dst_port, timestamp_start, timestamp_end, "
        "response_packets, response_octets, verdict, score",
        "daemonize": "false",
    }
    (tmp_path / "settings").write_text("".join(f"{name}: {value}\n" for name, value in settings.items()))
    arguments = [shutil.which("nfacctd", path=f"{os.environ['PATH']}:/usr/sbin"), "-f", str(tmp_path / "settings")]
    with running(arguments, port):
        rows = sent_to(port, mail_probe, tmp_path)
        read = []
        for _ in range(100):
            time.sleep(0.1)
            if out.exists() and len(read := read_rows(out)) == len(rows):
                break

    def expected(row):
        return (*counts(row), str(VERDICTS[row["verdict"]] % (1 << 8)), str(int(row["score"]) % (1 << 32)))

    # It reads our signed integers as unsigned ones.
    assert sorted(read) == sorted(map(expected, rows))


def read_rows(path):
    names = ("SRC_IP", "SRC_PORT", "DST_IP", "DST_PORT", "PACKETS", "BYTES", "response_packets", "response_octets")
    names += ("verdict", "score")
    with path.open() as file:
        # A header begins every part that was appended.
        return [tuple(row[name] for name in names) for row in csv.DictReader(file) if row["SRC_IP"] != "SRC_IP"]


@pytest.mark.parametrize(
    "target", ["localhost", ":9995", "localhost:", "localhost:0", "localhost:65536", "localhost:x"]
)
def test_wrong_targets(target):
    with pytest.raises(InputError, match=f"^--collector: must be HOST:PORT, not '{target}'$"):
        CollectorLink(target)


def test_a_host_that_does_not_exist():
    with pytest.raises(InputError, match=r"^--collector: no\.such\.host\.invalid: "):
        CollectorLink("no.such.host.invalid:9995")


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_each_message_is_a_datagram(family, host):
    try:
        server = socket.socket(family, socket.SOCK_DGRAM)
        server.bind((host, 0))
    except OSError:
        pytest.skip(f"this machine has no {host}")
    with server:
        port = server.getsockname()[1]
        with CollectorLink(f"[{host}]:{port}" if ":" in host else f"{host}:{port}") as link:
            link.send(b"one")
            link.send(b"another")
        server.settimeout(5)
        assert [server.recv(100), server.recv(100)] == [b"one", b"another"]
