"""CompiledStreams: a stream into a compiled circuit and one out of it, clocked in machine code."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from .compiled import CompiledCircuit
from .compiled_library import Exchange

__all__ = ["CompiledStreams", "Pauses"]

_ROOM = 1 << 15
"""Most payloads that come out of one call."""


@dataclass(frozen=True)
class Pauses:
    """Random clocks in which a stream stands still, always the same for the same seed.

    Parameters
    ----------
    before_input: chance of another clock before each payload that goes in
    of_output: chance of a clock in which none is taken
    """

    seed: int
    before_input: float = 0.0
    of_output: float = 0.0


class CompiledStreams:
    """Two streams of a compiled circuit; payloads that come out are of up to 32 bits.

    What goes in stays until it is taken. No clock passes outside of the calls, and between them both streams stand
    still.

    Parameters
    ----------
    circuit: whose they are
    i, o: their names
    pauses: of both, none by default
    between: called now and then between two clocks; gives the clocks until it is called again, at most
    """

    def __init__(
        self,
        circuit: CompiledCircuit,
        *,
        i: str = "i",
        o: str = "o",
        pauses: Pauses | None = None,
        between: Callable[[], int] | None = None,
    ):
        if (width := circuit.ports[f"{o}__payload"].width) > 32:
            raise ValueError(f"Payloads that come out must be of at most 32 bits, not {width}")
        self._circuit, self._between = circuit, between
        self._answers = np.empty(_ROOM, np.uint32)
        self._exchange = exchange = Exchange()
        exchange.chunks = circuit.ports[f"{i}__payload"].size_bytes // 4
        exchange.answers, exchange.room = self._answers.ctypes.data, len(self._answers)
        for side, name in (("i", i), ("o", o)):
            for signal in ("valid", "ready", "payload"):
                setattr(exchange, f"{side}_{signal}", circuit.ports[f"{name}__{signal}"].address)
        if pauses is not None:
            # Any state of the generator but 0 will do; those of neighbouring seeds are to be far apart.
            exchange.random = (pauses.seed * 0x9E3779B1 + 1) & 0xFFFF_FFFF or 1
            exchange.i_pause, exchange.o_pause = map(_chance, (pauses.before_input, pauses.of_output))

    def put(self, payloads: np.ndarray, *, idle_cycles: int) -> Iterator[np.ndarray]:
        """Clock until all payloads have gone in, and give what comes out meanwhile, as unsigned integers of 32 bits.

        Payloads are rows of integers of 32 bits, the least significant first; a row of one may be the integer itself.
        Raises :class:`TimeoutError` when nothing has gone in or come out for ``idle_cycles`` clocks.
        """
        words = np.ascontiguousarray(payloads, dtype=np.uint32)
        exchange = self._exchange
        exchange.words, exchange.count, exchange.taken = words.ctypes.data, words.size // exchange.chunks, 0
        exchange.idle = 0
        while exchange.taken < exchange.count:
            if exchange.idle >= idle_cycles:
                raise TimeoutError(f"Nothing goes in or comes out for {idle_cycles} cycles")
            yield self._call(idle_cycles)

    def drain(self, *, idle_cycles: int) -> Iterator[np.ndarray]:
        """Clock until nothing has come out for so many clocks, and give what comes."""
        exchange = self._exchange
        exchange.words, exchange.count, exchange.taken = None, 0, 0
        exchange.idle = 0
        while exchange.idle < idle_cycles:
            yield self._call(idle_cycles)

    def _call(self, idle_cycles: int) -> np.ndarray:
        self._exchange.given, self._exchange.idle_limit = 0, idle_cycles
        self._circuit.exchange(self._exchange, None if self._between is None else self._between())
        return self._answers[: self._exchange.given].copy()


def _chance(probability: float) -> int:
    """In units of 2^-32."""
    return min(int(probability * 2**32), 2**32 - 1)
