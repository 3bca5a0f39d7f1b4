"""Flows of captures as nfstream and tshark measure them: what nobody here wrote, and every difference explained."""

import gzip
import shutil
import subprocess
from collections import defaultdict

import pytest

from compiler.features import REFERENCE_COLUMNS
from hdl.accumulator import FLAG_BITS, OCTETS, PACKETS, Accumulator
from sim.extraction import extract_flows
from sim.identity import address_text
from sim.table_parameters import TableParameters
from tests.training.cases import CAPTURES, SLICE

FLAG_COUNTS = {name: Accumulator("add", "one", bit) for name, bit in FLAG_BITS.items() if bit < 6}
KEPT = {**REFERENCE_COLUMNS, **FLAG_COUNTS}
MEASURED = TableParameters(
    idle_ms=None,
    active_ms=None,
    linger_ms=None,
    ports=None,
    orientation="first",
    accumulators=tuple(dict.fromkeys(KEPT.values())),
)
"""Flows as other programs have them: no timeouts, and forward is the way of the first packet."""

MAIL = sorted((CAPTURES / "mail").glob("*.pcap*")) if CAPTURES.is_dir() else []
CASES = [pytest.param(SLICE / f"{part}.pcap.gz", id=part) for part in ("learn", "test")]
CASES += [pytest.param(path, id=path.name) for path in MAIL]
if not MAIL:
    reason = "needs the captures in ../shared/data, which are not all free to copy"
    CASES.append(pytest.param(None, id="mail", marks=pytest.mark.skip(reason=reason)))

GOES_ON = "suricata-verify__smtp-to-comma_10.7.29.101_49898-178.63.41.150_25.pcap"
"""A length in it makes no sense from packet 19 on. We say so and stop, as tshark does; nfstream reads on, and takes for
packets what comes then."""


@pytest.fixture
def capture(request, tmp_path):
    """A capture as a plain file."""
    path = request.param
    if path.suffix != ".gz":
        return path
    plain = tmp_path / path.stem
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    return plain


def measured(path):
    """Accumulators of both ways of every flow, by its ends."""
    cuts, flows = [], {}
    for record in extract_flows([path], MEASURED, cuts.append).flows.records():
        ends = ((address_text(record.version, end.address), end.port) for end in (record.initiator, record.responder))
        flows[tuple(ends)] = record.forward, record.response
    assert bool(cuts) == (path.name == GOES_ON)
    return flows


# nfstream

NFSTREAM = {
    "packets": PACKETS,
    "bytes": OCTETS,
    "min_ps": Accumulator("min", "length"),
    "max_ps": Accumulator("max", "length"),
    **{f"{name.lower()}_packets": accumulator for name, accumulator in FLAG_COUNTS.items()},
}

NEVER_S = 1 << 40


def of_nfstream(path):
    """What nfstream counts of IP lengths: packets, bytes, extremes, flags."""
    nfstream = pytest.importorskip("nfstream", reason="needs the package nfstream, of the extra test")
    flows = {}
    streamer = nfstream.NFStreamer(
        source=str(path),
        accounting_mode=1,
        statistical_analysis=True,
        n_dissections=0,
        n_meters=1,
        idle_timeout=NEVER_S,
        active_timeout=NEVER_S,
        decode_tunnels=False,
    )
    for flow in streamer:
        if flow.protocol == 6:
            ends = (flow.src_ip, flow.src_port), (flow.dst_ip, flow.dst_port)
            assert ends not in flows
            flows[ends] = tuple(
                {name: getattr(flow, f"{way}_{name}") for name in NFSTREAM} for way in ("src2dst", "dst2src")
            )
    return flows


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("capture", CASES, indirect=True)
def test_nfstream(capture):
    theirs = of_nfstream(capture)
    ours = {
        ends: tuple({name: side[accumulator] for name, accumulator in NFSTREAM.items()} for side in sides)
        for ends, sides in measured(capture).items()
    }
    if capture.name == GOES_ON:
        assert ours.keys() == theirs.keys()
        assert ours != theirs
    else:
        assert ours == theirs


# tshark

FIELDS = (
    *("ip.src", "ip.dst", "ip.len", "ip.ttl", "ipv6.src", "ipv6.dst", "ipv6.plen", "ipv6.hlim"),
    *("tcp.srcport", "tcp.dstport", "tcp.window_size_value", "tcp.flags"),
)


def of_tshark(path):
    """What the fields of single packets, as tshark decodes them, add up to."""
    fields = [part for field in FIELDS for part in ("-e", field)]
    # TCP headers that ICMP quotes are not packets of a flow.
    arguments = ["tshark", "-n", "-r", str(path), "-Y", "tcp && !icmp && !icmpv6", "-T", "fields", "-E", "separator=;"]
    said = subprocess.run([*arguments, *fields], capture_output=True, text=True, check=False)
    assert said.returncode == 0 or path.name == GOES_ON, said.stderr
    flows = {}
    for line in said.stdout.splitlines():
        source4, destination4, length, ttl, source6, destination6, payload, hops, *tcp = line.split(";")
        source_port, destination_port, window, flags = (int(value, 0) for value in tcp)
        packet = {
            "length": int(length) if length else 40 + int(payload),
            "window": window,
            "ttl": int(ttl or hops),
            "flags": flags & 0xFF,
        }
        sender, receiver = (source4 or source6, source_port), (destination4 or destination6, destination_port)
        ends = (
            (sender, receiver) if (sender, receiver) in flows or (receiver, sender) not in flows else (receiver, sender)
        )
        sides = flows.setdefault(ends, (defaultdict(int), defaultdict(int)))
        side = sides[ends[0] != sender]
        empty = side[PACKETS] == 0
        for accumulator in MEASURED.accumulators:
            side[accumulator] = updated(accumulator, side[accumulator], empty, packet)
    return flows


def updated(accumulator, value, empty, packet):
    """One more packet; written here again, as that of the project is what is tested."""
    operand = {"one": 1, "length_squared": packet["length"] ** 2} | packet
    if accumulator.flag is not None and not packet["flags"] >> accumulator.flag & 1:
        return value
    if accumulator.operation == "add":
        return value + operand[accumulator.operand]
    if empty:
        return operand[accumulator.operand]
    return (min if accumulator.operation == "min" else max)(value, operand[accumulator.operand])


@pytest.mark.skipif(shutil.which("tshark") is None, reason="needs tshark (Debian: tshark)")
@pytest.mark.parametrize("capture", CASES, indirect=True)
def test_tshark(capture):
    theirs, ours = of_tshark(capture), measured(capture)
    assert ours.keys() == theirs.keys()
    for ends, sides in ours.items():
        for side, other in zip(sides, theirs[ends], strict=True):
            assert {name: side[a] for name, a in KEPT.items()} == {name: other[a] for name, a in KEPT.items()}, ends
