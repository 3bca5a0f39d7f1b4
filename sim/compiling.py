"""compile_circuit: a circuit as machine code, through CXXRTL and a C++ compiler, made once and kept."""

import functools
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from amaranth.lib import wiring

from boards.toolchain import ToolError, ToolMissing, run_tool, tool_path
from compiler.emit import rtlil_text, sha256
from compiler.errors import InputError

from .cxx import CxxCompiler
from .library_cache import LibraryCache

__all__ = ["compile_circuit", "compile_component", "yosys_version"]

_DRIVER = Path(__file__).with_name("cxx_driver.cc")

_PASSES = (
    # The driver knows the top by one name.
    "rename -top circuit; proc; flatten",
    # Constants go into the models of cells, which leaves a few gates of each.
    "opt_expr -mux_bool; opt_clean -purge; memory_collect; splitnets; opt_expr -mux_bool; opt_clean -purge",
    # Names of nets are long after synthesis, and CXXRTL describes every one that is public.
    "rename -hide w:*; rename -enumerate -pattern %",
)
"""What a circuit goes through before CXXRTL takes it; all but the first a netlist only."""

_NO_MODEL = re.compile(r"Module `\\(\S+)' referenced in module .* is not part of the design")

_SLOW, _OF_NETLIST, _OF_CIRCUIT = ("-O0",), ("-O1",), ("-O2", "-fpeel-loops")
"""Options of the compiler. Measured: a netlist gains nothing from -O2, which makes a serial probe half as fast again as
-O1. In a pipelined one values are hundreds of bits wide and every operation a loop over their chunks: g++ leaves them
loops unless it is asked to peel them, and the probe is four times slower. -O3 is no faster than this."""

_VISIBLE = "-g4"
"""All signals that have a name, for waveforms; that takes a third of the time to compile and next to none to run."""


def compile_circuit(
    rtlil: str,
    top: str,
    *,
    cells: Path | None = None,
    optimise: bool = True,
    tell: Callable[[str], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """The library of a circuit, for :class:`~sim.compiled.CompiledCircuit`; the same circuit is compiled once.

    Parameters
    ----------
    rtlil:
        The circuit: any RTLIL, or a netlist after synthesis.
    top:
        Its top module, with an input ``clk``.
    cells:
        Verilog file of models of the cells that a netlist is made of. A cell without a model is refused.
    optimise:
        A netlist then takes about three times longer to compile and runs four times faster, which pays from some
        hundred thousand clocks; any other circuit runs some fifty times faster.
    tell:
        Called with what is being done.
    say:
        Called with one line before a circuit is compiled, and with one after it: how long it took, where it is kept.

    Raises
    ------
    InputError
        When there is no C++ compiler, or one of the tools fails.
    """
    compiler, cache = CxxCompiler(), LibraryCache()
    models = "" if cells is None else cells.read_text(encoding="utf-8")
    options = _SLOW if not optimise else _OF_CIRCUIT if cells is None else _OF_NETLIST
    try:
        machine = (platform.system(), platform.machine())
        tools = (*compiler.command, compiler.version(), *options, yosys_version(), *machine)
        parts = (rtlil, top, models, _VISIBLE, _DRIVER.read_text(encoding="utf-8"), *_PASSES, *tools)
        key = sha256(chr(0).join(parts))
        if library := cache.find(key):
            return library
        say(f"compiling the circuit, which is done once: {compiler.version()}")
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as temporary:
            workspace = Path(temporary)
            tell("turning the circuit into C++")
            _write_cxxrtl(rtlil, top, cells, workspace)
            tell("compiling the circuit")
            shutil.copy(_DRIVER, workspace)
            one_edge = f"-DONE_EDGE={int(_needs_one_edge((workspace / 'circuit.cc').read_text(encoding='utf-8')))}"
            compiler.make_library(workspace / _DRIVER.name, workspace / "circuit.so", *options, one_edge)
            library = cache.keep(key, workspace / "circuit.so")
    except (ToolError, ToolMissing) as error:
        if missing := _NO_MODEL.search(str(error)):
            where = "this circuit" if cells is None else f"sim/cells/{cells.name}"
            raise InputError(f"compiled simulation: no model of the cell {missing[1]} in {where}") from None
        raise InputError(str(error)) from None
    say(f"compiled in {time.monotonic() - started:.1f} s; it is kept in {cache.folder}")
    return library


def compile_component(
    component: wiring.Component,
    *,
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """The library of an Amaranth component; its ports are named by their paths, ``i__payload``."""
    return compile_circuit(rtlil_text(component, "top"), "top", say=say)


def yosys_version() -> str:
    """The version line of the Yosys in use."""
    return _version_of(tool_path("YOSYS"))


@functools.cache
def _version_of(_: str) -> str:
    # Kept by path: of a tool that comes as WebAssembly, even the version takes a second.
    return " ".join(run_tool("YOSYS", ["-V"], ".").split()[:2])


def _write_cxxrtl(rtlil: str, top: str, cells: Path | None, workspace: Path) -> None:
    (workspace / "circuit.il").write_text(rtlil, encoding="utf-8")
    read, passes = "read_rtlil circuit.il", f"hierarchy -check -top {top}; {_PASSES[0]}"
    if cells is not None:
        shutil.copy(cells, workspace / "cells.v")
        read += "; read_verilog -sv cells.v"
        passes = "; ".join((passes, *_PASSES[1:]))
    run_tool("YOSYS", ["-q", "-p", f"{read}; {passes}; write_cxxrtl {_VISIBLE} circuit.cc"], workspace)


def _needs_one_edge(source: str) -> bool:
    """Whether all that a circuit does, it does at the rising edge of ``clk``, and one evaluation settles it.

    Such a circuit need not be evaluated at the other edge, nor again after what has changed.
    """
    if "value<1> p_clk;" not in source:
        raise ValueError("Circuit must have an input clk of 1 bit")
    edges = set(re.findall(r"bool (\w+edge_\w+)\(\) const", source))
    return edges == {"posedge_p_clk"} and "bool converged = false" not in source
