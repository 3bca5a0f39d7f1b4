"""WaitStates: states of an FSM in which it does nothing but wait for a memory behind a register."""

from collections.abc import Callable

from amaranth.hdl import Module

__all__ = ["WaitStates"]


def _nothing() -> None:
    pass


class WaitStates:
    """To be made before an FSM, whose states then say which of them are waited before.

    Parameters
    ----------
    m: the module of the FSM
    registered: there is a register; else nothing is waited for
    """

    def __init__(self, m: Module, *, registered: bool):
        self._m, self._registered = m, registered
        self._asked: dict[str, tuple[int, Callable[[], None]]] = {}

    def before(self, state: str, cycles: int = 1, meanwhile: Callable[[], None] = _nothing) -> str:
        """The state to go to, to be in ``state`` so many cycles later; ``meanwhile`` adds what holds until then."""
        if not self._registered:
            return state
        self._asked[state] = (cycles, meanwhile)
        return f"{state}_WAIT_{cycles}"

    def add(self) -> None:
        """Adds all states that were asked for, behind those of the FSM."""
        m = self._m
        for state, (cycles, meanwhile) in self._asked.items():
            for left in range(cycles, 0, -1):
                with m.State(f"{state}_WAIT_{left}"):
                    meanwhile()
                    m.next = state if left == 1 else f"{state}_WAIT_{left - 1}"
