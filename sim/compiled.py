"""CompiledCircuit: a circuit as machine code, through CXXRTL and a C++ compiler, stepped clock by clock."""

import ctypes
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from boards.toolchain import ToolError, ToolMissing, run_tool
from compiler.emit import sha256
from compiler.errors import InputError

from .cxx import CxxCompiler

__all__ = ["CompiledCircuit", "Port", "compile_circuit"]

_DRIVER = Path(__file__).with_name("cxx_driver.cc")

_PASSES = (
    "proc; flatten",
    # Constants go into the models of cells, which leaves a few gates of each.
    "opt_expr -mux_bool; opt_clean -purge; memory_collect; splitnets; opt_expr -mux_bool; opt_clean -purge",
    # Names of nets are long after synthesis, and CXXRTL describes every one that is public.
    "rename -hide w:*; rename -enumerate -pattern %",
)
"""What a circuit goes through before CXXRTL takes it; all but the first a netlist only."""

_KEPT = 40
"""Libraries in the cache; those that were not used for longest go first."""

_VISITOR = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_size_t, ctypes.c_void_p)


@dataclass(frozen=True)
class Port:
    """A port of the top module: bits, and where they lie in memory, in chunks of 32."""

    name: str
    is_input: bool
    width: int
    address: int

    @property
    def size_bytes(self) -> int:
        return (self.width + 31) // 32 * 4


class CompiledCircuit:
    """A circuit with one clock, which every instance steps by itself.

    Between calls the clock is low. ``get`` gives what a register on the clock would take at the next rising edge, so
    ``set``, ``get``, ``tick`` are what ``ctx.set``, ``ctx.get`` and ``await ctx.tick()`` are in Amaranth's simulator.

    Parameters
    ----------
    library:
        What :func:`compile_circuit` has made.
    clock:
        The port that ``tick`` drives.

    Attributes
    ----------
    ports:
        Ports by name, as in Verilog. Those of no bits are not there.
    """

    def __init__(self, library: Path, *, clock: str = "clk"):
        self._library = _load(library)
        self._handle = self._library.circuit_open()
        self.ports: dict[str, Port] = {}
        self._library.circuit_ports(self._handle, _VISITOR(self._add_port))
        if clock not in self.ports:
            raise ValueError(f"Clock must be one of {sorted(self.ports)}, not {clock!r}")
        self._clock = self.ports[clock].address
        self._settled = False

    def _add_port(self, name: bytes, is_input: int, width: int, address: int) -> None:
        # What lies below the top has a path with spaces, and is no port of it.
        if width and b" " not in name:
            self.ports[name.decode()] = Port(name.decode(), bool(is_input), width, address)

    def set(self, name: str, value: int) -> None:
        """Drive an input; the value is unsigned."""
        port = self.ports[name]
        if not port.is_input:
            raise ValueError(f"Port must be an input, not {name!r}")
        if value < 0 or value >> port.width:
            raise ValueError(f"Value of {name!r} must be of {port.width} bits, not {value!r}")
        ctypes.memmove(port.address, int(value).to_bytes(port.size_bytes, "little"), port.size_bytes)
        self._settled = False

    def get(self, name: str) -> int:
        """The value of a port, unsigned."""
        if not self._settled:
            self._library.circuit_settle(self._handle)
            self._settled = True
        port = self.ports[name]
        return int.from_bytes(ctypes.string_at(port.address, port.size_bytes), "little")

    def tick(self, count: int = 1) -> None:
        """Let so many clocks pass, with the inputs as they are."""
        if not self._settled:
            self._library.circuit_settle(self._handle)
        self._library.circuit_tick(self._handle, self._clock, count)
        self._settled = True

    def close(self) -> None:
        """Give back the memory; the circuit cannot be used after it."""
        if self._handle is not None:
            self._library.circuit_close(self._handle)
            self._handle = None

    def __del__(self):
        if hasattr(self, "_handle"):
            self.close()


def compile_circuit(
    rtlil: str,
    top: str,
    *,
    cells: Path | None = None,
    optimise: bool = True,
    tell: Callable[[str], None] = lambda _: None,
) -> Path:
    """The library of a circuit; the same circuit is compiled once.

    Parameters
    ----------
    rtlil:
        The circuit: any RTLIL, or a netlist after synthesis.
    top:
        Its top module.
    cells:
        Verilog file of models of the cells that a netlist is made of. A cell without a model is refused.
    optimise:
        A netlist then takes about three times longer to compile and runs four times faster, which pays from some
        hundred thousand clocks.
    tell:
        Called with what is being done.
    """
    compiler = CxxCompiler()
    models = "" if cells is None else cells.read_text(encoding="utf-8")
    try:
        # More than -O1 takes longer to compile and runs no faster.
        option = "-O1" if optimise else "-O0"
        tools = (*compiler.command, compiler.version(), option, yosys_version())
        parts = (rtlil, top, models, _DRIVER.read_text(), *_PASSES, *tools)
        library = _cache() / f"{sha256(chr(0).join(parts))}.so"
        if library.exists():
            library.touch()
            return library
        with tempfile.TemporaryDirectory() as temporary:
            workspace = Path(temporary)
            tell("turning the circuit into C++")
            _write_cxxrtl(rtlil, top, cells, workspace)
            tell("compiling the circuit")
            shutil.copy(_DRIVER, workspace)
            compiler.make_library(workspace / _DRIVER.name, workspace / "circuit.so", option)
            _keep(workspace / "circuit.so", library)
    except (ToolError, ToolMissing) as error:
        if missing := re.search(r"Module `\\(\S+)' referenced in module .* is not part of the design", str(error)):
            where = "this circuit" if cells is None else f"sim/cells/{cells.name}"
            raise InputError(f"compiled simulation: no model of the cell {missing[1]} in {where}") from None
        raise InputError(str(error)) from None
    return library


def yosys_version() -> str:
    """The version line of the Yosys in use."""
    return " ".join(run_tool("YOSYS", ["-V"], ".").split()[:2])


def _write_cxxrtl(rtlil: str, top: str, cells: Path | None, workspace: Path) -> None:
    (workspace / "circuit.il").write_text(rtlil, encoding="utf-8")
    read, passes = "read_rtlil circuit.il", f"hierarchy -check -top {top}; {_PASSES[0]}"
    if cells is not None:
        shutil.copy(cells, workspace / "cells.v")
        read += "; read_verilog -sv cells.v"
        passes = "; ".join((passes, *_PASSES[1:]))
    run_tool("YOSYS", ["-q", "-p", f"{read}; {passes}; write_cxxrtl -g2 circuit.cc"], workspace)


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(home) / "hedgerow" / "compiled"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _keep(made: Path, library: Path) -> None:
    """Put a library into the cache, whole or not at all, and make room."""
    with tempfile.NamedTemporaryFile(dir=library.parent, suffix=".part", delete=False) as part:
        part.write(made.read_bytes())
    os.replace(part.name, library)
    by_age = sorted(library.parent.glob("*.so"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in by_age[_KEPT:]:
        old.unlink(missing_ok=True)


def _load(library: Path) -> ctypes.CDLL:
    functions = ctypes.CDLL(str(library))
    functions.circuit_open.restype = ctypes.c_void_p
    functions.circuit_close.argtypes = [ctypes.c_void_p]
    functions.circuit_ports.argtypes = [ctypes.c_void_p, _VISITOR]
    functions.circuit_settle.argtypes = [ctypes.c_void_p]
    functions.circuit_tick.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
    for name in ("circuit_close", "circuit_ports", "circuit_settle", "circuit_tick"):
        getattr(functions, name).restype = None
    return functions
