"""What a board hangs on: a Raspberry Pi's SPI port or an FTDI cable for items, a serial port for messages."""

import contextlib
from collections.abc import Callable, Iterator

from compiler.errors import InputError
from compiler.extras import import_extra

__all__ = ["BAUD", "READ_TIMEOUT_S", "naming", "open_line", "open_spi"]

BAUD = 3_000_000
"""Of the probe's serial line, 8N1."""

_FTDI = "ftdi://"
_SPIDEV = "/dev/spidev"
READ_TIMEOUT_S = 0.05
"""How long a moment is in which nothing comes."""


@contextlib.contextmanager
def open_spi(device: str, speed_hz: int) -> Iterator[Callable[[bytes], bytes]]:
    """A function that sends bytes under one chip select, in mode 0, and gives as many that came back.

    Parameters
    ----------
    device: ``/dev/spidevBUS.SELECT`` or a URL of pyftdi such as ``ftdi://ftdi:232h/1``
    speed_hz: of the clock; the probe takes a quarter of its own
    """
    if device.startswith(_FTDI):
        opened = _open_ftdi(device, speed_hz)
    elif device.startswith(_SPIDEV):
        opened = _open_spidev(device, speed_hz)
    else:
        raise InputError(f"--device: must begin with {_SPIDEV} or {_FTDI}, not {device!r}")
    with opened as exchange:
        yield exchange


@contextlib.contextmanager
def _open_spidev(device: str, speed_hz: int) -> Iterator[Callable[[bytes], bytes]]:
    port = import_extra("spidev", "feed", device).SpiDev()
    with naming(device, OSError):
        port.open_path(device)
        port.max_speed_hz = speed_hz
        port.mode = 0

    def exchange(content: bytes) -> bytes:
        # One transfer, so that chip select stays low: items of headers are far below the driver's 4096 bytes.
        with naming(device, OSError):
            return bytes(port.xfer2(content))

    try:
        yield exchange
    finally:
        port.close()


@contextlib.contextmanager
def _open_ftdi(device: str, speed_hz: int) -> Iterator[Callable[[bytes], bytes]]:
    spi, usbtools = (import_extra(f"pyftdi.{module}", "feed", device) for module in ("spi", "usbtools"))
    # A cable that is not there is any of them, and so is one that is pulled out.
    errors = (OSError, ValueError, usbtools.UsbToolsError)
    controller = spi.SpiController()
    with naming(device, *errors):
        controller.configure(device)
        port = controller.get_port(cs=0, freq=speed_hz, mode=0)

    def exchange(content: bytes) -> bytes:
        with naming(device, *errors):
            return bytes(port.exchange(content, duplex=True))

    try:
        yield exchange
    finally:
        controller.close()


@contextlib.contextmanager
def open_line(port: str) -> Iterator[Callable[[], bytes]]:
    """A function that gives the bytes that have come over a serial port, nothing when none have for a moment."""
    serial = import_extra("serial", "feed", port)
    with naming(port, OSError, ValueError):
        line = serial.Serial(port, BAUD, timeout=READ_TIMEOUT_S)
        line.reset_input_buffer()

    def read() -> bytes:
        with naming(port, OSError):
            # What waits, or the first byte to come.
            return line.read(max(1, line.in_waiting))

    with line:
        yield read


@contextlib.contextmanager
def naming(device: str, *errors: type[Exception]) -> Iterator[None]:
    """Turn what goes wrong with a device into one line that names it."""
    try:
        yield
    except errors as error:
        said = getattr(error, "strerror", None) or str(error)
        if "No backend available" in said:
            said = "libusb is not installed (Debian, Ubuntu: apt install libusb-1.0-0)"
        raise InputError(f"{device}: {said}") from None
