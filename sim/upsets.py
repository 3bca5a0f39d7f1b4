"""Upsets: single bits of a running circuit's memories that turn over at random moments."""

import random
from collections.abc import Sequence

from .compiled import CompiledCircuit

__all__ = ["Upsets"]


class Upsets:
    """What :class:`~sim.compiled_streams.CompiledStreams` calls between clocks; always the same for the same seed.

    Every bit of the memories is hit with the same chance.

    Parameters
    ----------
    circuit: whose bits turn over
    memories: names of its memories
    count: bits
    mean_cycles: clocks from one to the next, on the average

    Attributes
    ----------
    done: bits that have turned over
    """

    def __init__(self, circuit: CompiledCircuit, memories: Sequence[str], *, count: int, mean_cycles: int, seed: int):
        self.done = 0
        self._circuit, self._count, self._mean_cycles = circuit, count, mean_cycles
        self._memories = [circuit.memories[name] for name in memories]
        self._bits = [memory.depth * memory.width for memory in self._memories]
        self._random = random.Random(seed)
        self._due = circuit.cycles + self._gap()

    def __call__(self) -> int:
        while self.done < self._count and self._circuit.cycles >= self._due:
            (memory,) = self._random.choices(self._memories, self._bits)
            self._circuit.flip(memory.name, self._random.randrange(memory.depth), self._random.randrange(memory.width))
            self.done += 1
            self._due += self._gap()
        # Once all are done nothing is due any more.
        return self._due - self._circuit.cycles if self.done < self._count else 1 << 30

    def _gap(self) -> int:
        return self._random.randint(1, 2 * self._mean_cycles - 1)
