"""HostPort: items in datagrams, messages in datagrams, made and read here by the standards alone."""

import itertools
import random
import struct
import zlib

import pytest

from hdl.datagram import Station
from hdl.datagram_sender import LONGEST_MESSAGE
from hdl.host_port import HostPort
from sim.testbench import Stalls, frames_to_payloads, simulate, stream_put, transfers
from tests.hdl.test_host_serial import CHUNKS, FLUSH, NO_ITEMS, SETUP
from tests.hdl.wire import Run, good_run, put_symbols

STATION = Station(mac=0x02_48_47_00_00_01, ip=0xC0A80132, port=47390)
_OWN_MAC, _OWN_IP = STATION.mac.to_bytes(6, "big"), STATION.ip.to_bytes(4, "big")
_HOST_MAC, _HOST_IP, _HOST_PORT = bytes.fromhex("3c5282010203"), bytes([192, 168, 1, 7]), 50123


def checksum(header: bytes) -> int:
    total = sum(struct.unpack(f">{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def datagram(
    payload: bytes,
    *,
    to_mac=_OWN_MAC,
    to_ip=_OWN_IP,
    to_port=STATION.port,
    ethertype=0x0800,
    version=0x45,
    fragment=0x4000,
    protocol=17,
    wrong_checksum=0,
    more_total=0,
    more_udp=0,
    identification=0x1234,
) -> bytes:
    """A frame without FCS."""
    total, length = 28 + len(payload) + more_total, 8 + len(payload) + more_udp
    before = struct.pack(">BBHHHBB", version, 0, total, identification, fragment, 64, protocol)
    addresses = _HOST_IP + to_ip
    value = checksum(before + b"\0\0" + addresses) ^ wrong_checksum
    header = before + value.to_bytes(2, "big") + addresses
    udp = struct.pack(">HHHH", _HOST_PORT, to_port, length, 0xBEEF)
    frame = to_mac + _HOST_MAC + ethertype.to_bytes(2, "big") + header + udp + payload
    return frame.ljust(60, b"\0")


def read_datagram(octets: bytes) -> tuple[bytes, bytes, tuple[str, ...], bytes]:
    """Addresses and payload of what was on the wire, after all of it has been checked."""
    assert octets[:8] == bytes([0x55] * 7 + [0xD5])
    frame, fcs = octets[8:-4], octets[-4:]
    assert zlib.crc32(frame) == int.from_bytes(fcs, "little")
    assert len(frame) >= 60
    assert frame[12:14] == b"\x08\x00"
    header = frame[14:34]
    assert header[0] == 0x45
    assert checksum(header) == 0
    total, protocol = int.from_bytes(header[2:4], "big"), header[9]
    assert protocol == 17
    assert len(frame) == max(60, 14 + total)
    assert not any(frame[14 + total :])
    source, destination, length, udp_checksum = struct.unpack(">HHHH", frame[34:42])
    assert (length, udp_checksum) == (total - 20, 0)
    return frame[:6], frame[6:12], (header[12:16], source, header[16:20], destination), frame[42 : 14 + total]


class Port:
    """A HostPort in simulation; ``sent`` are the octets of each carrier with the clock in which it began."""

    def __init__(self):
        self.dut = HostPort(station=STATION)
        self.items: list[bytes] = []
        self.sent: list[tuple[int, bytes]] = []
        self.stalls = Stalls(3, 0.2)

    async def receive(self, ctx, *frames):
        runs = [frame if isinstance(frame, Run) else good_run(frame) for frame in frames]
        await put_symbols(ctx, self.dut.symbols, runs, pause=lambda: 0, gap=lambda: 60, domain="rx")
        await ctx.tick().repeat(120)

    async def take(self, ctx):
        item = bytearray()
        async for payload in transfers(ctx, self.dut.items, self.stalls):
            item.append(payload.data)
            if payload.last:
                self.items.append(bytes(item))
                item.clear()

    async def listen(self, ctx):
        octets, clock, begin = bytearray(), 0, 0
        async for _, _, valid, data in ctx.tick().sample(self.dut.valid, self.dut.data):
            clock += 1
            if valid:
                begin = begin if octets else clock
                octets.append(data)
            elif octets:
                self.sent.append((begin, bytes(octets)))
                octets.clear()

    def run(self, testbench, limit_cycles=30_000):
        simulate(
            self.dut, testbench, background=[self.take, self.listen], limit_cycles=limit_cycles, clocks={"rx": 1.03}
        )


@pytest.mark.parametrize("to", [(_OWN_MAC, _OWN_IP), (b"\xff" * 6, b"\xff" * 4), (b"\xff" * 6, _OWN_IP)])
def test_items_come_in_datagrams(to):
    port = Port()
    sent = [SETUP, FLUSH, *CHUNKS]

    async def put(ctx):
        await port.receive(ctx, *(datagram(item, to_mac=to[0], to_ip=to[1]) for item in sent))

    port.run(put)
    assert port.items == sent
    assert not port.sent


_BAD = {
    "mac": datagram(SETUP, to_mac=_HOST_MAC),
    "ip": datagram(SETUP, to_ip=_HOST_IP),
    "port": datagram(SETUP, to_port=STATION.port + 1),
    "ethertype": datagram(SETUP, ethertype=0x86DD),
    "version": datagram(SETUP, version=0x46),
    "fragment": datagram(SETUP, fragment=0x2000),
    "offset": datagram(SETUP, fragment=1),
    "protocol": datagram(SETUP, protocol=6),
    "checksum": datagram(SETUP, wrong_checksum=0x0100),
    "checksum of low byte": datagram(SETUP, wrong_checksum=0x0001),
    "total length": datagram(SETUP, more_total=1),
    "total length beyond the frame": datagram(SETUP, more_total=100, more_udp=100),
    "udp length": datagram(SETUP, more_udp=-1),
    "udp length below its header": datagram(b"", more_udp=-1, more_total=-1),
    "empty": datagram(b""),
    "fcs": Run(good_run(datagram(SETUP)).content[:-1] + b"\0", None),
}


def test_bad_datagrams_and_what_is_no_item_are_ignored():
    """None of them makes anybody the collector; a good one after each comes."""
    port = Port()
    message = bytes(range(100))

    async def put(ctx):
        for bad in [*_BAD.values(), *(datagram(item) for item in NO_ITEMS)]:
            await port.receive(ctx, bad)
            await port.receive(ctx, datagram(FLUSH))
        await stream_put(ctx, port.dut.messages, frames_to_payloads([message]))
        await ctx.tick().repeat(200)

    port.run(put, limit_cycles=60_000)
    assert port.items == [FLUSH] * (len(_BAD) + len(NO_ITEMS))
    assert not port.sent


def test_messages_leave_to_whom_the_set_up_came_from():
    """Of all lengths, whole and one each; too long a one is dropped; with the gap between frames."""
    port = Port()
    rng = random.Random(6)
    lengths = [1, 17, 18, 19, 100, 103, LONGEST_MESSAGE, LONGEST_MESSAGE + 1, LONGEST_MESSAGE + 600, 40]
    messages = [rng.randbytes(length) for length in lengths]

    async def put(ctx):
        await stream_put(ctx, port.dut.messages, frames_to_payloads([b"too early"]))
        await port.receive(ctx, datagram(SETUP))
        await stream_put(ctx, port.dut.messages, frames_to_payloads(messages), Stalls(2, 0.1))
        await ctx.tick().repeat(200)

    port.run(put)
    assert [read_datagram(octets) for _, octets in port.sent] == [
        (_HOST_MAC, _OWN_MAC, (_OWN_IP, STATION.port, _HOST_IP, _HOST_PORT), message)
        for message in messages
        if len(message) <= LONGEST_MESSAGE
    ]
    for (begin, octets), (following, _) in itertools.pairwise(port.sent):
        assert following >= begin + len(octets) + 12
