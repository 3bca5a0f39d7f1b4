"""Emission: a component as RTLIL and Verilog text, the same text for the same component."""

import hashlib
import tempfile
from pathlib import Path

from amaranth.back import rtlil
from amaranth.lib import wiring

from boards.toolchain import run_tool

__all__ = ["rtlil_text", "sha256", "verilog_of", "verilog_text"]


def rtlil_text(component: wiring.Component, name: str) -> str:
    """RTLIL of a component, without source locations: they are paths of one machine."""
    return rtlil.convert(component, name=name, emit_src=False)


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
