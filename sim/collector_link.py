"""CollectorLink: IPFIX messages to a collector over UDP, a datagram each (RFC 7011, 10.3)."""

import contextlib
import socket
import time

from compiler.errors import InputError

__all__ = ["CollectorLink"]

MESSAGES_PER_S = 4000
"""As many as a board can send: collectors that read slower than this lose datagrams without a word."""


class CollectorLink:
    """Where messages go; a context that closes its socket.

    Parameters
    ----------
    target:
        ``HOST:PORT``, an IPv6 address in brackets. :class:`InputError` when it is none, or has no address.
    """

    def __init__(self, target: str):
        host, colon, port = target.rpartition(":")
        if not colon or not host or not port.isdecimal() or int(port) not in range(1, 1 << 16):
            raise InputError(f"--collector: must be HOST:PORT, not {target!r}")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        try:
            found = socket.getaddrinfo(host, int(port), type=socket.SOCK_DGRAM)
        except OSError as error:
            raise InputError(f"--collector: {host}: {error.strerror or error}") from None
        family, kind, protocol, _, self._address = found[0]
        self._socket = socket.socket(family, kind, protocol)
        self._next = time.monotonic()

    def send(self, message: bytes) -> None:
        """Send a message, no sooner than the one before allows."""
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = max(self._next, time.monotonic()) + 1 / MESSAGES_PER_S
        # Of an earlier datagram, when nobody listens on this machine; over UDP nobody has to.
        with contextlib.suppress(ConnectionRefusedError):
            self._socket.sendto(message, self._address)

    def __enter__(self) -> "CollectorLink":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
