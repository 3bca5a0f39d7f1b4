"""BenchShell: two pins and a clock around a lone component, to place it and see what clock it reaches."""

from pathlib import Path

from amaranth.back import rtlil
from amaranth.hdl import Cat, ClockDomain, ClockSignal, Const, Instance, Module, Shape, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .device import Family
from .synthesis import ANY_ON_COLLISION, NAME

__all__ = ["BenchShell", "shell_cells", "write_bench"]


class BenchShell(wiring.Component):
    """Feed a component from a shift register and fold what it answers into one bit, all behind registers.

    A classifier alone has more ports than a device has pins. The shell is not a link: it keeps synthesis from
    removing anything and leaves only paths between registers to the timing report.

    **Latency**: of no meaning; one item every clock.

    Parameters
    ----------
    component:
        Any with a signature of plain signals.
    module:
        The name of its module, which the shell holds an instance of.

    Attributes
    ----------
    clk, serial_i:
        In: the clock, the bits that are shifted in.
    serial_o:
        Out: the parity of the answer.
    """

    clk: In(1)
    serial_i: In(1)
    serial_o: Out(1)

    def __init__(self, component: wiring.Component, module: str):
        self._component, self._module = component, module
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.domains.sync = ClockDomain("sync", reset_less=True)

        wires = {
            ("i_" if member.flow is In else "o_") + "__".join(map(str, path)): Signal(Shape.cast(member.shape).width)
            for path, member, value in self._component.signature.flatten(self._component)
            if not isinstance(value, Const)
        }
        inputs = Cat(wire for name, wire in wires.items() if name.startswith("i_"))
        outputs = Cat(wire for name, wire in wires.items() if name.startswith("o_"))
        m.submodules.core = Instance(self._module, i_clk=ClockSignal("sync"), i_rst=Const(0, 1), **wires)
        shifted = Signal(len(inputs), attrs={"keep": 1})
        answer = Signal(len(outputs), attrs={"keep": 1})
        m.d.comb += [ClockSignal("sync").eq(self.clk), inputs.eq(shifted)]
        m.d.sync += [
            shifted.eq(Cat(self.serial_i, shifted)),
            answer.eq(outputs),
            self.serial_o.eq(answer.xor()),
        ]

        return m


def write_bench(component: wiring.Component, module: str, circuit: str, directory: Path, family: Family) -> None:
    """Write what :mod:`boards.synthesis` builds a lone component from; pins are left to nextpnr.

    ``circuit`` is the RTLIL of the component, with ``module`` at its top.
    """
    shell = rtlil.convert(BenchShell(component, module), name="bench", emit_src=False)
    script = f"read_rtlil {NAME}.il\n{ANY_ON_COLLISION}\n{family.synthesis} -top bench\nwrite_json {NAME}.json\n"
    (directory / f"{NAME}.il").write_text(f"{circuit}\n{shell}")
    (directory / f"{NAME}.ys").write_text(script)
    (directory / family.constraints).write_text("")


def shell_cells(component: wiring.Component, family: Family) -> int:
    """Logic cells that the shell around a component takes, about: those of its registers where they need any."""
    inputs = outputs = 0
    for _, member, value in component.signature.flatten(component):
        if not isinstance(value, Const):
            bits = Shape.cast(member.shape).width
            inputs, outputs = (inputs + bits, outputs) if member.flow is In else (inputs, outputs + bits)
    parity = -(-(outputs - 1) // 3)
    return parity + (inputs + outputs if family.register_takes_cell else 0)
