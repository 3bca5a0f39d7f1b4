"""AnswerCheck: which flow a forest circuit is given in a clock, and what it must answer in it."""

from compiler.manifest import Manifest
from compiler.vectors import Vectors

__all__ = ["AnswerCheck"]


class AnswerCheck:
    """A new flow every interval, each answer in the clock in which it is due and in no other.

    Parameters
    ----------
    manifest:
        Of the export: the layouts of the streams, latency and interval.
    vectors:
        The flows, and the answers that are expected.

    Attributes
    ----------
    cycles:
        Clocks from the first flow to the last answer, both counted.
    mismatches:
        Clocks so far in which a flow was not taken, or an answer was wrong, missing or not due.
    """

    def __init__(self, manifest: Manifest, vectors: Vectors):
        self._latency, self._interval = manifest.latency_cycles, manifest.interval_cycles
        offsets = [feature["offset"] for feature in manifest.features]
        self._payloads = [
            sum(value << offset for value, offset in zip(row, offsets, strict=True)) for row in vectors.rows.tolist()
        ]
        self._fields = {field["name"]: field for field in manifest.answer}
        self._expected = list(zip(vectors.scores.tolist(), vectors.verdicts.tolist(), strict=True))
        self.cycles = (len(self._payloads) - 1) * self._interval + self._latency + 1
        self.mismatches = 0

    def offered(self, cycle: int) -> int | None:
        """The payload of the flow that is offered in a clock, if one is."""
        number, offset = divmod(cycle, self._interval)
        return self._payloads[number] if offset == 0 and number < len(self._payloads) else None

    def observe(self, cycle: int, *, ready: int, valid: int, answer: int) -> None:
        """Compare what the circuit says in a clock: ready of its input, valid and payload of its output."""
        if self.offered(cycle) is not None and not ready:
            self.mismatches += 1
        number, offset = divmod(cycle - self._latency, self._interval)
        due = number >= 0 and offset == 0
        if bool(valid) != due or (due and self._decoded(answer) != self._expected[number]):
            self.mismatches += 1

    def _decoded(self, answer: int) -> tuple[int, int]:
        return self._field(answer, "score"), self._field(answer, "verdict")

    def _field(self, answer: int, name: str) -> int:
        field = self._fields[name]
        value = answer >> field["offset"] & (1 << field["bits"]) - 1
        return value - (1 << field["bits"]) if field["signed"] and value >> field["bits"] - 1 else value
