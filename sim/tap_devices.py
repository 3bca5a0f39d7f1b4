"""What a board that listens to a wire hangs on: a serial port both ways, or Ethernet with UDP."""

import contextlib
import ipaddress
import socket
from collections.abc import Callable, Iterator
from typing import NamedTuple

from boards.colorlight_5a75b import STATION
from compiler.errors import InputError
from compiler.extras import import_extra
from hdl.cobs import cobs_encode

from .feed_devices import BAUD, READ_TIMEOUT_S, naming
from .ipfix_messages import MAX_MESSAGE_BYTES

__all__ = ["TapDevice", "open_tap"]

_UDP = "udp://"


class TapDevice(NamedTuple):
    """Two functions: one sends an item; one gives what has come, as a serial line has it, or nothing after a moment."""

    send: Callable[[bytes], None]
    read: Callable[[], bytes]


@contextlib.contextmanager
def open_tap(device: str) -> Iterator[TapDevice]:
    """The device of a name.

    Parameters
    ----------
    device: ``udp://ADDRESS`` with ``:PORT`` if it is not the boards' own, or a serial port
    """
    with _udp(device) if device.startswith(_UDP) else _serial(device) as opened:
        yield opened


@contextlib.contextmanager
def _udp(device: str) -> Iterator[TapDevice]:
    address = _address(device)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        link.settimeout(READ_TIMEOUT_S)
        with naming(device, OSError):
            link.bind(("", 0))

        def send(item: bytes) -> None:
            with naming(device, OSError):
                link.sendto(item, address)

        def read() -> bytes:
            try:
                message, (_, port) = link.recvfrom(MAX_MESSAGE_BYTES)
            except (TimeoutError, ConnectionRefusedError):
                # The second is the answer of a machine, to an earlier datagram, that nobody listens there.
                return b""
            # A probe answers from the port that it is set up at; nobody else has a say.
            return cobs_encode(message) if port == address[1] else b""

        yield TapDevice(send, read)


def _address(device: str) -> tuple[str, int]:
    host, colon, port = device.removeprefix(_UDP).partition(":")
    with contextlib.suppress(ValueError):
        number = int(port) if colon else STATION.port
        if number in range(1, 1 << 16):
            return str(ipaddress.IPv4Address(host)), number
    raise InputError(f"--device: must be {_UDP}ADDRESS or {_UDP}ADDRESS:PORT with an IPv4 address, not {device!r}")


@contextlib.contextmanager
def _serial(device: str) -> Iterator[TapDevice]:
    serial = import_extra("serial", "feed", device)
    with naming(device, OSError, ValueError):
        line = serial.Serial(device, BAUD, timeout=READ_TIMEOUT_S)
        line.reset_input_buffer()

    def send(item: bytes) -> None:
        with naming(device, OSError):
            # The zero in front ends whatever the line has brought before.
            line.write(b"\0" + cobs_encode(item))

    def read() -> bytes:
        with naming(device, OSError):
            return line.read(max(1, line.in_waiting))

    with line:
        yield TapDevice(send, read)
