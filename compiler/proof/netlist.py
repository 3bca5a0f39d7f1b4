"""Netlist: the forest of an export as Yosys reads it from the emitted RTLIL, in gates, adders and registers."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from boards.toolchain import run_tool

from ..errors import InputError

__all__ = ["Adder", "Bit", "Gate", "Netlist", "Register", "read_netlist"]

Bit = int | str
"""A net of one bit, or a constant, ``"0"`` or ``"1"``, or ``"x"``, which may be either."""

_PASSES = "proc -norom; flatten; opt_clean; opt_dff -nosdff; pmuxtree; simplemap; opt_clean"
"""Nothing that optimises logic; an enable is told apart from the data of its register."""

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


class Register(NamedTuple):
    """A register of one bit; ``enable`` is ``"1"`` when it has none."""

    name: str
    data: Bit
    enable: Bit


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
        What drives each net; nets without a driver are inputs.
    """

    name: str
    nets: dict[str, tuple[Bit, ...]]
    drivers: dict[int, Gate | Adder | Register]

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
            case Adder():
                return driver.a + driver.b
            case Register():
                return (driver.data,)
        return ()


def read_netlist(design: Path, suffix: str) -> Netlist:
    """The module of an RTLIL file whose name ends in ``suffix``."""
    named = [line.split()[1][1:] for line in design.read_text().splitlines() if line.startswith("module ")]
    found = [name for name in named if name.endswith(suffix)]
    if len(found) != 1:
        raise InputError(f"{design}: must hold one module of a forest, not {len(found)}")
    with tempfile.TemporaryDirectory() as temporary:
        shutil.copy(design, Path(temporary) / "design.il")
        commands = f"read_rtlil design.il; hierarchy -top {found[0]}; {_PASSES}; write_json design.json"
        run_tool("YOSYS", ["-q", "-p", commands], temporary)
        module = json.loads((Path(temporary) / "design.json").read_text())["modules"][found[0]]
    drivers = dict(driven for name, cell in module["cells"].items() for driven in _drivers(name, cell))
    nets = {name: tuple(net["bits"]) for name, net in module["netnames"].items()}
    return Netlist(found[0], nets, drivers)


def _drivers(name: str, cell: dict) -> Iterator[tuple[int, Gate | Adder | Register]]:
    kind = cell["type"]
    pins = {pin: tuple(bits) for pin, bits in cell["connections"].items()}
    if kind in _GATES:
        yield pins["Y"][0], Gate(kind, tuple(pins[pin][0] for pin in _GATES[kind]))
    elif kind == "$add":
        signed = int(cell["parameters"]["A_SIGNED"], 2) == 1
        for index, bit in enumerate(pins["Y"]):
            yield bit, Adder(name, pins["A"], pins["B"], signed, pins["Y"], index)
    elif kind in ("$_DFF_P_", "$_DFFE_PP_"):
        yield pins["Q"][0], Register(name, pins["D"][0], pins["E"][0] if "E" in pins else "1")
    elif kind != "$scopeinfo":
        raise InputError(f"cell {name} is a {kind}, which no forest circuit is made of")
