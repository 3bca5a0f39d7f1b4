"""A circuit before and after synthesis, both compiled, fed with the same random inputs."""

import random

from boards.device import Family
from boards.synthesis import GateNetlist, netlist_of
from boards.toolchain import run_tool
from sim.compiled import CompiledCircuit
from sim.compiling import compile_circuit
from sim.gate_check import CELL_MODELS

__all__ = ["differences", "rtlil_of"]


def rtlil_of(verilog: str, top: str, directory) -> str:
    """RTLIL of Verilog, as it is written."""
    (directory / "circuit.v").write_text(verilog)
    run_tool("YOSYS", ["-q", "-p", f"read_verilog -sv circuit.v; prep -top {top}; write_rtlil circuit.il"], directory)
    return (directory / "circuit.il").read_text()


def differences(
    verilog: str, top: str, family: Family, directory, *, few: tuple[str, ...] = (), cycles: int = 2000
) -> tuple[GateNetlist, set[str]]:
    """The netlist, and the outputs that were not the same in every clock.

    Inputs named in ``few`` take the same eight values, never one of them at the same time, so that what is written is
    read again, but not at once. Those called ``…rst`` are seldom high.
    """
    rtlil = rtlil_of(verilog, top, directory)
    netlist = netlist_of(directory / "circuit.il", top, family)
    before = CompiledCircuit(compile_circuit(rtlil, top, optimise=False))
    cells = CELL_MODELS[family.name]
    after = CompiledCircuit(compile_circuit(netlist.rtlil, top, cells=cells, optimise=False))
    assert set(before.ports) == set(after.ports)
    rng = random.Random(1)
    inputs = [port for port in before.ports.values() if port.is_input and port.name != "clk"]
    outputs = [port.name for port in before.ports.values() if not port.is_input]
    values = [rng.getrandbits(16) for _ in range(8)]
    differ = set()
    for _ in range(cycles):
        chosen = dict(zip(few, rng.sample(values, len(few)), strict=True))
        for port in inputs:
            if port.name.endswith("rst"):
                value = int(rng.random() < 0.1)
            else:
                value = chosen.get(port.name, rng.getrandbits(port.width))
            before.set(port.name, value)
            after.set(port.name, value)
        differ |= {name for name in outputs if before.get(name) != after.get(name)}
        before.tick()
        after.tick()
        differ |= {name for name in outputs if before.get(name) != after.get(name)}
    return netlist, differ
