"""ArgMax: the highest of several scores and which of them it is."""

from collections.abc import Sequence

from amaranth.hdl import C, Const, Module, Mux, Shape, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["ArgMax"]


class ArgMax(wiring.Component):
    """Find the highest score in a tree of comparisons; of equal scores the one of the lowest index.

    Neighbours are compared, and the right one has to be higher, so that every winner of the left half of a comparison
    has a lower index than any of the right half.

    **Latency**: ``latency`` clocks of ``enable``, one for each level of comparisons but the last when they have
    registers between them; one search a clock.

    Parameters
    ----------
    count:
        Scores, at least one.
    shape:
        Shape of each, signed or not.
    registered:
        Whether there are registers between the levels.

    Attributes
    ----------
    enable:
        In: registers hold while it is low.
    score_0, score_1, …:
        In: the scores.
    best:
        Out: the highest of them.
    index:
        Out: which it is.
    """

    def __init__(self, *, count: int, shape: Shape, registered: bool = False):
        if count < 1:
            raise ValueError(f"Scores must be at least one, not {count!r}")
        self.count, self.shape, self.registered = count, Shape.cast(shape), registered
        self.latency = self.latency_of(count, registered)
        super().__init__(
            {
                "enable": In(1),
                **{f"score_{index}": In(self.shape) for index in range(count)},
                "best": Out(self.shape),
                "index": Out(range(count)),
            }
        )

    @staticmethod
    def latency_of(count: int, registered: bool) -> int:
        """Clocks from the scores to the highest of them."""
        levels = (count - 1).bit_length()
        return registered * max(0, levels - 1)

    @staticmethod
    def model(scores: Sequence[int]) -> tuple[int, int]:
        """The highest of some scores and its index."""
        best = max(scores)
        return best, list(scores).index(best)

    def elaborate(self, platform):
        m = Module()

        width = (self.count - 1).bit_length()
        standing: list[tuple[Value, Value]] = [
            (getattr(self, f"score_{index}"), C(index, width)) for index in range(self.count)
        ]
        level = 0
        while len(standing) > 1:
            pairs = zip(standing[::2], standing[1::2], strict=False)
            winners = [self._winner(m, f"{level}_{at}", *pair) for at, pair in enumerate(pairs)]
            level += 1
            standing = [*winners, *standing[len(standing) & ~1 :]]
            if self.registered and len(standing) > 1:
                standing = [(self._register(m, score), self._register(m, index)) for score, index in standing]

        best, index = standing[0]
        m.d.comb += [self.best.eq(best), self.index.eq(index)]

        return m

    def _winner(
        self, m: Module, place: str, left: tuple[Value, Value], right: tuple[Value, Value]
    ) -> tuple[Value, Value]:
        # By these names the proof finds them.
        right_wins = Signal(name=f"right_wins_{place}")
        score, index = Signal(self.shape, name=f"winner_{place}"), Signal(len(left[1]), name=f"winner_index_{place}")
        m.d.comb += [
            right_wins.eq(left[0] < right[0]),
            score.eq(Mux(right_wins, right[0], left[0])),
            index.eq(Mux(right_wins, right[1], left[1])),
        ]
        return score, index

    def _register(self, m: Module, value: Value) -> Value:
        if isinstance(value, Const):
            return value  # the index of a score that has met no other yet
        register = Signal.like(value, reset_less=True)
        with m.If(self.enable):
            m.d.sync += register.eq(value)
        return register
