"""The two lines of a board: items go out and are tried again when they were refused, messages come in meanwhile."""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from compiler.errors import InputError

from .items import Item

__all__ = ["BoardLink", "LineReader", "paced"]

_TAKEN, _REFUSED = 0xFF, 0x00
PATIENCE_S = 10
"""A flush of the largest table keeps a probe busy for less than a second."""

QUIET_S = 1.0
"""Without a byte for so long after the flush, the probe has sent all it has."""


class BoardLink:
    """Sends items to a probe, again and again those that it refuses (:class:`hdl.spi_link.SpiLink`).

    Parameters
    ----------
    exchange: sends bytes under one chip select and gives as many that came back
    name: what errors call the link
    patience_s: how long one item may be refused
    pause_s: between a refusal and the next try
    clock, sleep: of the :mod:`time` that passes; a simulated board has its own

    Attributes
    ----------
    sent: items that the probe has taken
    refused: tries that it has not; it counts each as a frame that was overrun
    """

    def __init__(
        self,
        exchange: Callable[[bytes], bytes],
        *,
        name: str,
        patience_s: float = PATIENCE_S,
        pause_s: float = 0.0005,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ):
        self.sent = 0
        self.refused = 0
        self._exchange, self._name = exchange, name
        self._patience_s, self._pause_s = patience_s, pause_s
        self._clock, self._sleep = clock, sleep

    def send(self, item: Item) -> None:
        """Send an item until it has been taken.

        Raises
        ------
        InputError
            When it is refused for too long, or what comes back is no answer of a probe.
        """
        content = item.to_bytes()
        give_up = self._clock() + self._patience_s
        while not self._taken(self._exchange(content)):
            self.refused += 1
            if self._clock() > give_up:
                raise InputError(f"{self._name}: refuses every item; is the board connected, flashed and out of reset?")
            self._sleep(self._pause_s)
        self.sent += 1

    def _taken(self, answer: bytes) -> bool:
        # The answer settles a few clocks after chip select has fallen, which may be within the first byte.
        said = set(answer[1:])
        if said == {_TAKEN}:
            return True
        if said != {_REFUSED}:
            raise InputError(
                f"{self._name}: answers {answer.hex()}, which no probe does; check the wires or lower --speed-hz"
            )
        return False


class LineReader:
    """Reads the probe's serial line beside whatever else goes on, since the line does not wait.

    Parameters
    ----------
    read: gives what has come, nothing when nothing has come for a while
    """

    def __init__(self, read: Callable[[], bytes]):
        self._read = read
        self._chunks: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="serial line", daemon=True)

    def __enter__(self) -> "LineReader":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                chunk = self._read()
            except Exception as error:  # for the thread that asks
                self._chunks.put(error)
                return
            if chunk:
                self._chunks.put(chunk)

    def come(self) -> Iterator[bytes]:
        """What has come so far."""
        while not self._chunks.empty():
            yield self._checked(self._chunks.get())

    def until_quiet(self, quiet_s: float = QUIET_S) -> Iterator[bytes]:
        """What still comes, until nothing has come for so long."""
        while True:
            try:
                yield self._checked(self._chunks.get(timeout=quiet_s))
            except queue.Empty:
                return

    @staticmethod
    def _checked(chunk: bytes | Exception) -> bytes:
        if isinstance(chunk, Exception):
            raise chunk
        return chunk


def paced(
    items: Iterable[Item],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Item]:
    """The items, each when its time has come, counted from the first one that has a time."""
    begin = None
    for item in items:
        if begin is None and item.time_ms:
            begin = clock() - item.time_ms / 1000
        if begin is not None and (wait_s := begin + item.time_ms / 1000 - clock()) > 0:
            sleep(wait_s)
        yield item
