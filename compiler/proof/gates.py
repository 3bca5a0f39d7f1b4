"""Gates: nets as terms for the solver."""

import z3

from ..errors import CheckFailed
from .netlist import Adder, Bit, Gate, Netlist, Register

__all__ = ["Gates"]

_TERMS = {
    "$_BUF_": lambda a: a,
    "$_NOT_": lambda a: z3.Not(a),
    "$_AND_": lambda a, b: z3.And(a, b),
    "$_OR_": lambda a, b: z3.Or(a, b),
    "$_XOR_": lambda a, b: z3.Xor(a, b),
    "$_XNOR_": lambda a, b: a == b,
    "$_MUX_": lambda a, b, s: z3.If(s, b, a),
}


class Gates:
    """Terms of nets over inputs and registers, which are variables; each is built once.

    Parameters
    ----------
    through: take registers for wires
    known: terms of nets that are given, so that nothing behind them is looked at
    """

    def __init__(self, netlist: Netlist, *, through: bool = False, known: dict[int, z3.BoolRef] | None = None):
        self.netlist, self._through = netlist, through
        self._terms: dict[Bit, z3.BoolRef] = {"0": z3.BoolVal(False), "1": z3.BoolVal(True), **(known or {})}
        if not through:
            for bit, driver in netlist.drivers.items():
                if isinstance(driver, Register):
                    self._terms.setdefault(bit, z3.Bool(f"register_{bit}"))

    def of(self, bit: Bit) -> z3.BoolRef:
        """The term of a net."""
        if bit == "x":
            # Undefined: it may be anything, each time anew.
            return z3.FreshBool("undefined")
        if bit not in self._terms:
            given = frozenset(other for other in self._terms if isinstance(other, int))
            for other in self.netlist.cone((bit,), given):
                self._terms[other] = self._term(other)
        return self._terms[bit]

    def _term(self, bit: int) -> z3.BoolRef:
        driver = self.netlist.drivers.get(bit)
        match driver:
            case Gate(kind, reads):
                return _TERMS[kind](*(self.of(read) for read in reads))
            case Register(data=data) if self._through:
                return self.of(data)
            case Adder(name=name):
                raise CheckFailed(f"{self.netlist.name}: adder {name} stands where only gates should")
        return z3.Bool(f"net_{bit}")

    def require(self, holds: z3.BoolRef, otherwise: str) -> None:
        """Raise :class:`CheckFailed` unless a term is always true."""
        solver = z3.Solver()
        solver.add(z3.Not(holds))
        if solver.check() != z3.unsat:
            raise CheckFailed(otherwise)
