"""Claims: what must hold of a circuit, and the values for which it does not."""

from collections.abc import Mapping, Sequence

import z3

from ..errors import CheckFailed

__all__ = ["Claims"]

Term = z3.BoolRef | z3.BitVecRef


class Claims:
    """Asks the solver, under assumptions.

    Parameters
    ----------
    place: of the circuit, for messages
    assumed: what may be taken for granted
    shown: terms whose values make a counterexample plain
    """

    def __init__(self, place: str, assumed: Sequence[z3.BoolRef], shown: Mapping[str, Term] | None = None):
        self.place, self._shown = place, shown or {}
        self._solver = z3.SolverFor("QF_UFBV")
        self._solver.add(*assumed)

    def equal(self, what: str, said: Term, expected: Term) -> None:
        """Raise :class:`CheckFailed` with a counterexample unless two terms are always equal."""
        if said.sort() != expected.sort():
            raise CheckFailed(f"{self.place}: {what} has not the width that it must have")
        model = self._model(said != expected)
        if model is not None:
            values = [_value(model, term) for term in (said, expected)]
            raise CheckFailed(f"{self.place}: {what} is {values[0]}, not {values[1]}{self._case(model)}")

    def always(self, what: str, holds: z3.BoolRef) -> None:
        """Raise :class:`CheckFailed` with a counterexample unless a term is always true."""
        model = self._model(z3.Not(holds))
        if model is not None:
            raise CheckFailed(f"{self.place}: {what}{self._case(model)}")

    def _model(self, wrong: z3.BoolRef) -> z3.ModelRef | None:
        self._solver.push()
        self._solver.add(wrong)
        answer = self._solver.check()
        model = self._solver.model() if answer == z3.sat else None
        reason = self._solver.reason_unknown()
        self._solver.pop()
        if answer == z3.unknown:
            raise RuntimeError(f"The solver gave up on {self.place}: {reason}")
        return model

    def _case(self, model: z3.ModelRef) -> str:
        values = ", ".join(f"{name} = {_value(model, term)}" for name, term in self._shown.items())
        return f", for {values}" if values else ""


def _value(model: z3.ModelRef, term: Term) -> int:
    value = model.eval(term, model_completion=True)
    return int(z3.is_true(value)) if z3.is_bool(value) else value.as_long()
