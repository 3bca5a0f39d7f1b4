"""Gates: nets as terms for the solver."""

from collections.abc import Sequence

import z3

from ..errors import CheckFailed
from .netlist import Adder, Bit, Comparison, Gate, Netlist, Register
from .rom import Lookup

__all__ = ["Gates", "TERMS"]

TERMS = {
    "$_BUF_": lambda a: a,
    "$_NOT_": lambda a: z3.Not(a),
    "$_AND_": lambda a, b: z3.And(a, b),
    "$_OR_": lambda a, b: z3.Or(a, b),
    "$_XOR_": lambda a, b: z3.Xor(a, b),
    "$_XNOR_": lambda a, b: a == b,
    "$_MUX_": lambda a, b, s: z3.If(s, b, a),
}
"""What the gates make of what they read."""

_COMPARISONS = {
    ("$lt", True): lambda a, b: a < b,
    ("$le", True): lambda a, b: a <= b,
    ("$gt", True): lambda a, b: a > b,
    ("$ge", True): lambda a, b: a >= b,
    ("$lt", False): z3.ULT,
    ("$le", False): z3.ULE,
    ("$gt", False): z3.UGT,
    ("$ge", False): z3.UGE,
}
"""The comparisons of words by their signs."""


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
                return TERMS[kind](*(self.of(read) for read in reads))
            case Comparison(kind=kind, a=a, b=b, signed=signed):
                width = max(len(a), len(b))
                return _COMPARISONS[kind, signed](self.word(a, signed, width), self.word(b, signed, width))
            case Lookup(address=address, table=table):
                return _looked_up(tuple(self.of(other) for other in address), table, {})
            case Register(data=data) if self._through:
                return self.of(data)
            case Adder(name=name):
                raise CheckFailed(f"{self.netlist.name}: adder {name} stands where only gates should")
        return z3.Bool(f"net_{bit}")

    def word(self, bits: Sequence[Bit], signed: bool, width: int) -> z3.BitVecRef:
        """The term of a word, the least significant bit first, extended by its sign or zeros to a width."""
        terms = [z3.If(self.of(bit), z3.BitVecVal(1, 1), z3.BitVecVal(0, 1)) for bit in reversed(bits)]
        word = z3.Concat(*terms) if len(terms) > 1 else terms[0]
        return (z3.SignExt if signed else z3.ZeroExt)(width - len(bits), word)

    def require(self, holds: z3.BoolRef, otherwise: str) -> None:
        """Raise :class:`CheckFailed` unless a term is always true."""
        solver = z3.Solver()
        solver.add(z3.Not(holds))
        if solver.check() != z3.unsat:
            raise CheckFailed(otherwise)


def _looked_up(address: Sequence[z3.BoolRef], table: int, known: dict[tuple[int, int], z3.BoolRef]) -> z3.BoolRef:
    """The bit of a table at an address, decided by the highest bit of it first; equal parts become one term."""
    size = 1 << len(address)
    if table in (0, (1 << size) - 1):
        return z3.BoolVal(table != 0)
    if (size, table) not in known:
        half = size >> 1
        clear, is_set = table & (1 << half) - 1, table >> half
        rest = address[:-1]
        if clear == is_set:
            known[size, table] = _looked_up(rest, clear, known)
        else:
            known[size, table] = z3.If(address[-1], _looked_up(rest, is_set, known), _looked_up(rest, clear, known))
    return known[size, table]
