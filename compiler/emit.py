"""Emission: a component as RTLIL and Verilog text, the same text for the same component."""

import hashlib

from amaranth.back import rtlil, verilog
from amaranth.lib import wiring

from boards.toolchain import set_environment

__all__ = ["rtlil_text", "sha256", "verilog_text"]


def rtlil_text(component: wiring.Component, name: str) -> str:
    """RTLIL of a component, without source locations: they are paths of one machine."""
    return rtlil.convert(component, name=name, emit_src=False)


def verilog_text(component: wiring.Component, name: str) -> str:
    """Verilog of a component, written by Yosys."""
    set_environment()
    return verilog.convert(component, name=name, emit_src=False, strip_internal_attrs=True)


def sha256(content: str | bytes) -> str:
    """Hash of a text or a file's content, in hexadecimal."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()
