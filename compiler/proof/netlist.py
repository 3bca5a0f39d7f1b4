"""Netlist: the forest of an export as Yosys reads it from the emitted RTLIL, in gates, adders and registers."""

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from boards.toolchain import ToolError, ToolMissing, run_tool

from ..errors import CheckFailed, InputError
from .rom import Lookup, rom_bits

__all__ = [
    "Adder",
    "Bit",
    "Comparison",
    "Driver",
    "Gate",
    "Netlist",
    "Register",
    "check_ports",
    "netlist_fields",
    "read_module",
    "read_netlist",
]

Bit = int | str
"""A net of one bit, or a constant, ``"0"`` or ``"1"``, or ``"x"``, which may be either."""

_PASSES = (
    "proc -norom; flatten; opt_clean; memory_collect; opt_dff -nosdff; pmuxtree; simplemap; opt_clean; check -assert"
)
"""Nothing that optimises logic; an enable is told apart from the data of its register. No loops, no two drivers."""

COMPARISONS = ("$lt", "$le", "$gt", "$ge")
_GATES = {"$_NOT_": "A", "$_AND_": "AB", "$_OR_": "AB", "$_XOR_": "AB", "$_XNOR_": "AB", "$_MUX_": "ABS"}


class Gate(NamedTuple):
    """A gate and the bits it reads; of a multiplexer those for 0, for 1, and the one that selects."""

    kind: str
    reads: tuple[Bit, ...]


class Adder(NamedTuple):
    """An adder of whole words, and which bit of its sum a net is."""

    name: str
    a: tuple[Bit, ...]
    b: tuple[Bit, ...]
    signed: bool
    y: tuple[Bit, ...]
    bit: int


class Comparison(NamedTuple):
    """Whether one whole word is below another, or above or equal as ``kind`` says."""

    name: str
    kind: str
    a: tuple[Bit, ...]
    b: tuple[Bit, ...]
    signed: bool


class Register(NamedTuple):
    """A register of one bit; ``enable`` is ``"1"`` when it has none."""

    name: str
    data: Bit
    enable: Bit
    clock: Bit


Driver = Gate | Adder | Comparison | Lookup | Register


@dataclass(frozen=True)
class Netlist:
    """A flat module.

    Attributes
    ----------
    name:
        Of the module.
    nets:
        The bits of every named net, the least significant first.
    drivers:
        What drives each net that is driven.
    inputs, outputs:
        The nets of the ports.
    """

    name: str
    nets: dict[str, tuple[Bit, ...]]
    drivers: dict[int, Driver]
    inputs: frozenset[int]
    outputs: frozenset[int]

    def net(self, name: str) -> tuple[Bit, ...]:
        """The bits of a net."""
        if name not in self.nets:
            raise InputError(f"{self.name}: has no net {name!r}")
        return self.nets[name]

    @cached_property
    def names(self) -> dict[int, str]:
        """A name for every bit that has one, for messages."""
        return {
            bit: f"{name}[{index}]" if len(bits) > 1 else name
            for name, bits in self.nets.items()
            for index, bit in enumerate(bits)
            if isinstance(bit, int)
        }

    def cone(self, bits: Sequence[Bit], stop: frozenset[int] = frozenset()) -> Iterator[int]:
        """The nets that these bits depend on, each behind what it reads; not beyond ``stop``, which are left out."""
        seen = set(stop)
        ahead = [(bit, False) for bit in bits if isinstance(bit, int)]
        while ahead:
            bit, read = ahead.pop()
            if read:
                yield bit
            elif bit not in seen:
                seen.add(bit)
                ahead.append((bit, True))
                ahead += [(other, False) for other in self.reads(bit) if isinstance(other, int)]

    def reads(self, bit: int) -> tuple[Bit, ...]:
        """What a net depends on in the same clock or the one before."""
        driver = self.drivers.get(bit)
        match driver:
            case Gate():
                return driver.reads
            case Adder() | Comparison():
                return driver.a + driver.b
            case Lookup():
                return driver.address
            case Register():
                return (driver.data,)
        return ()


def read_netlist(design: Path, suffix: str) -> Netlist:
    """The module of an RTLIL file whose name ends in ``suffix``."""
    return Netlist(*netlist_fields(design, *read_module(design, suffix, _PASSES)))


def read_module(design: Path, suffix: str, passes: str) -> tuple[str, dict]:
    """Name and content of the module of an RTLIL file whose name ends in ``suffix``, after some passes of Yosys."""
    named = [line.split()[1][1:] for line in design.read_text().splitlines() if line.startswith("module ")]
    found = [name for name in named if name.endswith(suffix)]
    if len(found) != 1:
        raise InputError(f"{design}: must hold one module of a forest, not {len(found)}")
    with tempfile.TemporaryDirectory() as temporary:
        shutil.copy(design, Path(temporary) / "design.il")
        commands = f"read_rtlil design.il; hierarchy -top {found[0]}; {passes}; write_json design.json"
        try:
            run_tool("YOSYS", ["-q", "-p", commands], temporary)
        except (ToolMissing, ToolError) as error:
            raise InputError(f"{design}: {error}") from None
        return found[0], json.loads((Path(temporary) / "design.json").read_text())["modules"][found[0]]


def netlist_fields(
    design: Path, name: str, module: dict
) -> tuple[str, dict[str, tuple[Bit, ...]], dict[int, Driver], frozenset[int], frozenset[int]]:
    """The fields of :class:`Netlist` from a module as Yosys writes it."""
    drivers: dict[int, Driver] = {}
    for cell_name, cell in module["cells"].items():
        for bit, driver in _drivers(cell_name, cell):
            if bit in drivers:
                raise InputError(f"{design}: cell {cell_name} drives a net that has another driver")
            drivers[bit] = driver
    nets = {name: tuple(net["bits"]) for name, net in module["netnames"].items()}
    # Within a larger design Amaranth may number a port because a wire beside it has its name.
    plain = Counter(port.partition("$")[0] for port in module["ports"])
    for port, content in module["ports"].items():
        if plain[base := port.partition("$")[0]] == 1:
            nets[base] = tuple(content["bits"])
    ports = {direction: _port_bits(module["ports"], direction) for direction in ("input", "output")}
    return name, nets, drivers, ports["input"], ports["output"]


def check_ports(netlist: Netlist, feature_bits: int) -> None:
    """Raise :class:`CheckFailed` unless what comes in is free and by itself, and what goes out is an output."""
    payload = netlist.net("i__payload")
    inputs = [*payload, *(bit for name in ("i__valid", "o__ready", "clk", "rst") for bit in netlist.net(name))]
    if len(payload) != feature_bits:
        raise CheckFailed(f"{netlist.name}: i__payload must be {feature_bits} bits wide, not {len(payload)}")
    free = netlist.inputs - set(netlist.drivers)
    for at, bit in enumerate(inputs):
        if bit not in free or inputs.index(bit) != at:
            raise CheckFailed(f"{netlist.name}: {netlist.names.get(bit, bit)} must be an input of its own")
    for name in ("o__payload", "o__valid", "i__ready"):
        for bit in netlist.net(name):
            if isinstance(bit, int) and bit not in netlist.outputs:
                raise CheckFailed(f"{netlist.name}: {netlist.names.get(bit, bit)} must be an output")
    (clock,) = netlist.net("clk")
    for bit, driver in netlist.drivers.items():
        if isinstance(driver, Register) and driver.clock != clock:
            raise CheckFailed(f"{netlist.name}: register {netlist.names.get(bit, bit)} is not clocked by clk")


def check_input(netlist: Netlist, name: str) -> None:
    """Raise :class:`CheckFailed` unless an input of one bit comes from outside, and from no other port."""
    bits = netlist.net(name)
    others = [bit for other in ("i__payload", "i__valid", "o__ready", "clk", "rst") for bit in netlist.net(other)]
    if len(bits) != 1 or bits[0] not in netlist.inputs - set(netlist.drivers) or bits[0] in others:
        raise CheckFailed(f"{netlist.name}: {name} must be an input of its own")


def _port_bits(ports: dict, direction: str) -> frozenset[int]:
    return frozenset(
        bit for port in ports.values() if port["direction"] == direction for bit in port["bits"] if isinstance(bit, int)
    )


def _drivers(name: str, cell: dict) -> Iterator[tuple[int, Driver]]:
    kind = cell["type"]
    pins = {pin: tuple(bits) for pin, bits in cell["connections"].items()}
    if kind in _GATES:
        yield pins["Y"][0], Gate(kind, tuple(pins[pin][0] for pin in _GATES[kind]))
    elif kind == "$add":
        signed = _signed(name, cell, "adds")
        for index, bit in enumerate(pins["Y"]):
            yield bit, Adder(name, pins["A"], pins["B"], signed, pins["Y"], index)
    elif kind in COMPARISONS:
        signed = _signed(name, cell, "compares")
        for index, bit in enumerate(pins["Y"]):
            # A longer word than the answer needs has zeros.
            yield bit, Comparison(name, kind, pins["A"], pins["B"], signed) if index == 0 else Gate("$_BUF_", ("0",))
    elif kind in ("$_DFF_P_", "$_DFFE_PP_"):
        yield pins["Q"][0], Register(name, pins["D"][0], pins["E"][0] if "E" in pins else "1", pins["C"][0])
    elif kind == "$mem_v2":
        for net, lookup, enable, clock in rom_bits(name, cell):
            # What the register takes has no net in the circuit.
            yield -net, lookup
            yield net, Register(name, -net, enable, clock)
    elif kind != "$scopeinfo":
        raise InputError(f"cell {name} is a {kind}, which no forest circuit is made of")


def _signed(name: str, cell: dict, does: str) -> bool:
    signed, signed_too = (int(cell["parameters"][f"{word}_SIGNED"], 2) == 1 for word in "AB")
    if signed != signed_too:
        raise InputError(f"cell {name} {does} a signed and an unsigned word, which no forest circuit does")
    return signed
