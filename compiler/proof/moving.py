"""moving: a forest circuit in the clocks in which its pipeline moves and is not reset."""

from collections.abc import Mapping
from dataclasses import replace

from .netlist import Adder, Bit, Comparison, Driver, Gate, Netlist, Register
from .rom import Lookup

__all__ = ["OUTPUT_OF", "moving"]

OUTPUT_OF = {
    "$_BUF_": lambda a: a,
    "$_NOT_": lambda a: not a,
    "$_AND_": lambda a, b: a and b,
    "$_OR_": lambda a, b: a or b,
    "$_XOR_": lambda a, b: a != b,
    "$_XNOR_": lambda a, b: a == b,
    "$_MUX_": lambda a, b, s: b if s else a,
}
"""What the gates make of what they read."""

_CASES = ((False, False), (False, True), (True, True))
"""``o__valid`` and ``o__ready`` when the pipeline moves."""


def moving(netlist: Netlist) -> Netlist:
    """The netlist with those nets as constants that are the same whenever the pipeline moves.

    What stands only for the other clocks is out of it: the data inputs of registers while they hold or are reset.
    """
    (valid,), (ready,), (reset,) = (netlist.net(name) for name in ("o__valid", "o__ready", "rst"))
    registers = frozenset(bit for bit, driver in netlist.drivers.items() if isinstance(driver, Register))
    seen: dict[Bit, tuple[bool, ...]] = {
        "0": (False,) * len(_CASES),
        "1": (True,) * len(_CASES),
        valid: tuple(case[0] for case in _CASES),
        ready: tuple(case[1] for case in _CASES),
        reset: (False,) * len(_CASES),
    }
    order = list(netlist.cone(list(netlist.drivers), registers - {valid}))
    for bit in order:
        driver = netlist.drivers.get(bit)
        if isinstance(driver, Gate) and all(read in seen for read in driver.reads):
            reads = zip(*(seen[read] for read in driver.reads), strict=True)
            seen[bit] = tuple(bool(OUTPUT_OF[driver.kind](*read)) for read in reads)
    constants: dict[Bit, Bit] = {
        bit: "1" if values[0] else "0" for bit, values in seen.items() if len(set(values)) == 1 and isinstance(bit, int)
    }
    drivers = {bit: _folded(driver, constants) for bit, driver in netlist.drivers.items() if bit not in constants}
    return replace(netlist, drivers=drivers)


def _folded(driver: Driver, constants: Mapping[Bit, Bit]) -> Driver:
    match driver:
        case Gate(kind, reads):
            reads = tuple(constants.get(read, read) for read in reads)
            if kind == "$_MUX_" and reads[2] in ("0", "1"):
                return Gate("$_BUF_", (reads[int(reads[2])],))
            return Gate(kind, reads)
        case Adder() | Comparison():
            a, b = (tuple(constants.get(bit, bit) for bit in word) for word in (driver.a, driver.b))
            return driver._replace(a=a, b=b)
        case Lookup():
            return driver._replace(address=tuple(constants.get(bit, bit) for bit in driver.address))
        case Register():
            return driver._replace(data=constants.get(driver.data, driver.data))
