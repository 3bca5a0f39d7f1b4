"""Answer checks: what a forest circuit is given in a clock, and what it must answer in it."""

from compiler.manifest import Manifest
from compiler.vectors import Vectors

__all__ = ["AnswerCheck", "RankCheck", "WalkCheck", "answer_check"]


class _Answers:
    """What is expected, and what has been wrong so far."""

    def __init__(self, manifest: Manifest, vectors: Vectors):
        self._fields = {field["name"]: field for field in manifest.answer}
        self._expected = list(zip(vectors.scores.tolist(), vectors.decisions.tolist(), strict=True))
        self._latency, self._interval = manifest.latency_cycles, manifest.interval_cycles
        self.mismatches = 0

    def is_right(self, number: int, answer: int) -> bool:
        """Whether a payload of the output is the answer to a flow."""
        values = {name: self._field(answer, name) for name in self._fields}
        # Score and verdict or class, and of a walker whether it had a forest to classify with.
        return values.pop("classified", 1) == 1 and tuple(values.values()) == self._expected[number]

    def _expect(self, since_first: int, valid: int, answer: int) -> None:
        """One answer every interval from the clock in which the first is due, right, and none in between."""
        number, offset = divmod(since_first, self._interval)
        due = number >= 0 and offset == 0
        if bool(valid) != due or (due and not self.is_right(number, answer)):
            self.mismatches += 1

    def _field(self, answer: int, name: str) -> int:
        field = self._fields[name]
        value = answer >> field["offset"] & (1 << field["bits"]) - 1
        return value - (1 << field["bits"]) if field["signed"] and value >> field["bits"] - 1 else value


class AnswerCheck(_Answers):
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
        super().__init__(manifest, vectors)
        offsets = [feature["offset"] for feature in manifest.features]
        self._payloads = [
            sum(value << offset for value, offset in zip(row, offsets, strict=True)) for row in vectors.rows.tolist()
        ]
        self.cycles = (len(self._payloads) - 1) * self._interval + self._latency + 1

    def finished(self, cycle: int) -> bool:
        """Whether nothing more is to come in a clock."""
        return cycle == self.cycles

    def offered(self, cycle: int) -> int | None:
        """The payload of the flow that is offered in a clock, if one is."""
        number, offset = divmod(cycle, self._interval)
        return self._payloads[number] if offset == 0 and number < len(self._payloads) else None

    def observe(self, cycle: int, *, ready: int, valid: int, answer: int) -> None:
        """Compare what the circuit says in a clock: ready of its input, valid and payload of its output."""
        if self.offered(cycle) is not None and not ready:
            self.mismatches += 1
        self._expect(cycle - self._latency, valid, answer)


class WalkCheck(_Answers):
    """Feature after feature as they are taken, answers in the order of the flows and none of them late.

    Parameters
    ----------
    manifest, vectors:
        As of :class:`AnswerCheck`.

    Attributes
    ----------
    cycles:
        Clocks in which the last answer is due at the latest; then the clocks that it took.
    mismatches:
        Answers so far that were wrong, late or too many.
    """

    def __init__(self, manifest: Manifest, vectors: Vectors):
        super().__init__(manifest, vectors)
        self._words = serial_words(vectors, manifest.architecture["size"]["value_bits"])
        self._flows, features = len(vectors), len(manifest.features)
        # Flows come no faster than their features, one a clock, and a clock behind the last.
        self._latency += features + 1
        self._interval = max(self._interval, features + 1)
        self.cycles = self._latency + self._flows * self._interval
        self._taken = self._answered = 0

    def finished(self, cycle: int) -> bool:
        """Whether all flows have been answered, or should have been."""
        if self._answered == self._flows:
            self.cycles = min(self.cycles, cycle)
        elif cycle == self.cycles:
            self.mismatches += self._flows - self._answered
        return cycle == self.cycles

    def offered(self, cycle: int) -> int | None:
        """The payload of the feature that is offered in a clock, if one is."""
        return self._words[self._taken] if self._taken < len(self._words) else None

    def observe(self, cycle: int, *, ready: int, valid: int, answer: int) -> None:
        """Compare what the circuit says in a clock: ready of its input, valid and payload of its output."""
        if ready and self._taken < len(self._words):
            self._taken += 1
        if valid:
            number = self._answered
            late = cycle > self._latency + number * self._interval
            if number == self._flows or late or not self.is_right(number, answer):
                self.mismatches += 1
            self._answered = min(number + 1, self._flows)


class RankCheck(_Answers):
    """Feature after feature as they are taken, a flow every interval, each answer in the clock in which it is due.

    Parameters
    ----------
    manifest, vectors:
        As of :class:`AnswerCheck`.

    Attributes
    ----------
    cycles:
        Clocks from the first feature to the last answer, both counted.
    mismatches:
        Flows so far that were not taken in their time, and answers that were wrong, missing or not due.
    """

    def __init__(self, manifest: Manifest, vectors: Vectors):
        super().__init__(manifest, vectors)
        self._words = serial_words(vectors, manifest.architecture["value_bits"])
        self._features, self._taken = len(manifest.features), 0
        # The search for the last feature is over with the interval.
        searched = manifest.architecture["rank_bits"][-1] + 1
        self._due = self._interval - searched + self._latency
        self.cycles = self._due + (len(vectors) - 1) * self._interval + 1

    def finished(self, cycle: int) -> bool:
        """Whether nothing more is to come in a clock."""
        return cycle == self.cycles

    def offered(self, cycle: int) -> int | None:
        """The payload of the feature that is offered in a clock, if one is."""
        return self._words[self._taken] if self._taken < len(self._words) else None

    def observe(self, cycle: int, *, ready: int, valid: int, answer: int) -> None:
        """Compare what the circuit says in a clock: ready of its input, valid and payload of its output."""
        if ready and self._taken < len(self._words):
            flow, feature = divmod(self._taken, self._features)
            if feature == 0 and cycle != flow * self._interval:
                self.mismatches += 1
            self._taken += 1
        self._expect(cycle - self._due, valid, answer)


_CHECKS = {"unrolled": AnswerCheck, "walker": WalkCheck, "ranked": RankCheck}


def answer_check(manifest: Manifest, vectors: Vectors) -> AnswerCheck | WalkCheck | RankCheck:
    """The check for the architecture of an export."""
    return _CHECKS[manifest.architecture["name"]](manifest, vectors)


def serial_words(vectors: Vectors, value_bits: int) -> list[int]:
    """The payloads of all flows, feature after feature: the value, and above its bits whether it is the last."""
    last = 1 << value_bits
    return [
        value | (last if at == len(row) - 1 else 0) for row in vectors.rows.tolist() for at, value in enumerate(row)
    ]
