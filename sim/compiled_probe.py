"""CompiledProbe: the probe of an export as machine code, items in at the link, bytes out as on the serial line."""

import contextlib
import copy
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from hdl.item import framed, padded
from hdl.item import framed_words as framed_words_layout
from hdl.probe import ProbeParameters
from hdl.probe_line import ProbeLine

from .compiled import CompiledCircuit
from .compiled_streams import CompiledStreams, Pauses
from .compiling import compile_component
from .items import Item, setup_item
from .probe_timing import quiet_cycles

__all__ = ["CompiledProbe", "framed_bytes", "framed_words", "item_payloads"]

_BATCH = 100
"""Items that are handed over at once."""

_CLEARING_CYCLES = 64
"""While the table is cleared, the probe is asked this often whether it is ready."""


class CompiledProbe:
    """A probe that is simulated at some million clocks a second. It takes the next item as soon as it can.

    Parameters
    ----------
    parameters: of the probe
    say: see :func:`~sim.compiling.compile_circuit`

    Attributes
    ----------
    circuit: that is stepped
    """

    def __init__(self, parameters: ProbeParameters, *, say: Callable[[str], None] = lambda _: None):
        line = ProbeLine(parameters=parameters)
        self._library = compile_component(line, say=say)
        self.circuit = CompiledCircuit(self._library)
        self._quiet_cycles = quiet_cycles(parameters)
        self._item_bytes = 1 if parameters.pipeline is None else parameters.pipeline.item_bytes

    def renewed(self) -> "CompiledProbe":
        """Another one, as it is at the start; its circuit need not be made again."""
        another = copy.copy(self)
        another.circuit = CompiledCircuit(self._library)
        return another

    @property
    def cycles(self) -> int:
        """Clocks that have passed."""
        return self.circuit.cycles

    def run(
        self,
        items: Iterable[Item | bytes],
        *,
        key: int | None,
        epoch_ms: int,
        pauses: Pauses | None = None,
        between: Callable[[], int] | None = None,
        tell: Callable[[int], None] = lambda _: None,
        vcd: Path | None = None,
    ) -> Iterator[bytes]:
        """Set the probe up, feed it items and give what it sends, until it is quiet.

        Parameters
        ----------
        items: bytes are an item as they are, right or wrong
        key, epoch_ms: of the set-up item that comes first; without a key there is none
        pauses: random gaps between bytes at both ends
        between: see :class:`~sim.compiled_streams.CompiledStreams`
        tell: called with the number of items taken so far
        vcd: file for the waveforms
        """
        streams = CompiledStreams(self.circuit, pauses=pauses, between=between)
        with contextlib.nullcontext() if vcd is None else self.circuit.waveforms(vcd):
            if key is not None:
                yield from self._put(streams, [setup_item(key, epoch_ms)])
                yield from self._until_ready(streams)
            items, taken = iter(items), 0
            while batch := list(itertools.islice(items, _BATCH)):
                yield from self._put(streams, batch)
                taken += len(batch)
                tell(taken)
            yield from map(_as_bytes, streams.drain(idle_cycles=self._quiet_cycles))

    def _put(self, streams: CompiledStreams, items: Sequence[Item | bytes]) -> Iterator[bytes]:
        words = item_payloads([i if isinstance(i, bytes) else i.to_bytes() for i in items], self._item_bytes)
        return map(_as_bytes, streams.put(words, idle_cycles=self._quiet_cycles))

    def _until_ready(self, streams: CompiledStreams) -> Iterator[bytes]:
        limit = self.cycles + self._quiet_cycles
        while not self.circuit.get("ready"):
            if self.cycles > limit:
                raise TimeoutError(f"Not ready {self._quiet_cycles} cycles after the set-up")
            yield from map(_as_bytes, streams.drain(idle_cycles=_CLEARING_CYCLES))


def item_payloads(items: Sequence[bytes], item_bytes: int) -> np.ndarray:
    """The payloads of the item stream of a probe, as rows of integers of 32 bits; an item of no bytes has none."""
    return framed_bytes(items) if item_bytes == 1 else framed_words([padded(item) for item in items], item_bytes)


def framed_bytes(frames: Sequence[bytes]) -> np.ndarray:
    """The payloads of a stream of :func:`hdl.item.framed` bytes."""
    layout = framed(8)
    lengths = np.array([len(frame) for frame in frames if frame], dtype=np.int64)
    words = np.frombuffer(b"".join(frames), np.uint8).astype(np.uint32)
    ends = np.cumsum(lengths)
    words[ends - lengths] |= 1 << layout["first"].offset
    words[ends - 1] |= 1 << layout["last"].offset
    return words


def framed_words(frames: Sequence[bytes], size: int) -> np.ndarray:
    """The payloads of a stream of :func:`hdl.item.framed_words` of ``size`` bytes, in rows."""
    layout = framed_words_layout(size)
    frames = [frame for frame in frames if frame]
    lengths = np.array([len(frame) for frame in frames], dtype=np.int64)
    counts = -(-lengths // size)
    ends = np.cumsum(counts)
    filled = b"".join(frame.ljust(count * size, b"\0") for frame, count in zip(frames, counts.tolist(), strict=True))
    # The first byte is the most significant of a word, so its chunks come the other way round.
    chunks = np.frombuffer(filled, ">u4").reshape(-1, size // 4)[:, ::-1].astype(np.uint32)
    held = np.full(len(chunks), size, np.uint32)
    held[ends - 1] = lengths - (counts - 1) * size
    more = held << (layout["bytes"].offset - 8 * size)
    more[ends - counts] |= 1 << (layout["first"].offset - 8 * size)
    more[ends - 1] |= 1 << (layout["last"].offset - 8 * size)
    return np.column_stack([chunks, more]).astype(np.uint32)


def _as_bytes(payloads: np.ndarray) -> bytes:
    return payloads.astype(np.uint8).tobytes()
