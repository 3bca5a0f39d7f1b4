"""Emission: a component as RTLIL and Verilog text, the same text for the same component."""

import hashlib
import tempfile
from pathlib import Path

from amaranth.back import rtlil
from amaranth.hdl import Const, Value
from amaranth.hdl._ir import PortDirection
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from boards.toolchain import run_tool

__all__ = ["rtlil_text", "sha256", "verilog_of", "verilog_text"]

# As rtlil.convert would take them itself, if it let constants among the ports pass.
_DIRECTIONS = {In: PortDirection.Input, Out: PortDirection.Output}


def rtlil_text(component: wiring.Component, name: str) -> str:
    """RTLIL of a component, without source locations: they are paths of one machine.

    A valid or ready that never changes is no port.
    """
    ports = {
        "__".join(map(str, path)): (Value.cast(value), _DIRECTIONS[member.flow])
        for path, member, value in component.signature.flatten(component)
        if not isinstance(value, Const)
    }
    return rtlil.convert(component, name=name, ports=ports, emit_src=False)


def verilog_text(component: wiring.Component, name: str) -> str:
    """Verilog of a component, written by Yosys."""
    return verilog_of(rtlil_text(component, name))


def verilog_of(rtlil: str) -> str:
    """Verilog of RTLIL, without attributes that mean something to tools of Amaranth only."""
    internal = " ".join(f"-remove {name}" for name in ("generator", "top", "src", "hierarchy", "decoding"))
    commands = (
        "read_rtlil design.il; proc -nomux -norom; memory_collect",
        f"attrmap {internal}; attrmap -modattr {internal}",
        "write_verilog -norename design.v",
    )
    with tempfile.TemporaryDirectory() as temporary:
        (Path(temporary) / "design.il").write_text(rtlil)
        run_tool("YOSYS", ["-q", "-p", "; ".join(commands)], temporary)
        return (Path(temporary) / "design.v").read_text()


def sha256(content: str | bytes) -> str:
    """Hash of a text or a file's content, in hexadecimal."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()
