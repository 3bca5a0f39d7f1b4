"""quiet: the nets of a circuit that stay as they are at the start while some inputs do.

Registers that begin as said and never change as long as all those that are so far known do not, by induction over the
clocks. So a walker into which nothing is loaded is one that cannot be loaded.
"""

from collections.abc import Mapping

from .netlist import Adder, Bit, Gate, Register
from .walker_netlist import WalkerNetlist

__all__ = ["quiet"]

_Value = bool | None


def quiet(netlist: WalkerNetlist, inputs: Mapping[int, bool]) -> dict[int, bool]:
    """Nets that are constant while the inputs are, registers among them from the start on."""
    registers = {bit: driver for bit, driver in netlist.drivers.items() if isinstance(driver, Register)}
    gates = [bit for bit in netlist.in_order if bit not in registers]
    still = {bit: netlist.initial[bit] for bit in registers if bit in netlist.initial}
    while True:
        values: dict[Bit, _Value] = {"0": False, "1": True, **inputs, **still}
        for bit in gates:
            values[bit] = _value(netlist.drivers[bit], values)
        moved = [bit for bit, value in still.items() if _next(registers[bit], values, value) is not value]
        if not moved:
            return {bit: value for bit, value in values.items() if isinstance(bit, int) and value is not None}
        for bit in moved:
            del still[bit]


def _next(register: Register, values: Mapping[Bit, _Value], value: bool) -> _Value:
    if values.get(register.enable) is False:
        return value
    return values.get(register.data)


def _value(driver: Gate | Adder, values: Mapping[Bit, _Value]) -> _Value:
    if isinstance(driver, Adder):
        return _sum(driver, values)
    read = [values.get(bit) for bit in driver.reads]
    match driver.kind:
        case "$_BUF_":
            return read[0]
        case "$_NOT_":
            return None if read[0] is None else not read[0]
        case "$_AND_" | "$_OR_":
            strong = driver.kind == "$_OR_"
            return strong if strong in read else None if None in read else not strong
        case "$_XOR_" | "$_XNOR_":
            return None if None in read else (read[0] != read[1]) == (driver.kind == "$_XOR_")
        case "$_MUX_":
            zero, one, select = read
            return zero if zero == one else None if select is None else one if select else zero
    raise ValueError(f"Gate must be one of those of a netlist, not {driver.kind!r}")


def _sum(adder: Adder, values: Mapping[Bit, _Value]) -> _Value:
    words = [[values.get(bit) for bit in word] for word in (adder.a, adder.b)]
    if any(None in word for word in words):
        return None
    total = 0
    for word in words:
        total += sum(bit << at for at, bit in enumerate(word))
        total -= 1 << len(word) if adder.signed and word[-1] else 0
    return bool(total >> adder.bit & 1)
