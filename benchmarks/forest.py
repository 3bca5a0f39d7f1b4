"""``python -m benchmarks.forest``: forest circuits on the models that peers were measured on.

Needs ``shared/bench`` beside the checkout: the models, and the script that measured the peers, which measures ours;
and the extras ``ecp5`` and ``prove``.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from rich.console import Console

from boards.ecp5 import ECP5
from boards.toolchain import tool_versions
from compiler.emit import rtlil_text, verilog_text
from compiler.exporting import FOREST_MODULE
from compiler.plan import forest_parameters
from compiler.proof.netlist import read_netlist
from compiler.proof.unrolled import prove_circuit
from compiler.unrolled_circuits import in_block_ram, in_logic
from hdl.forest_unrolled import BOUNDARIES, UnrolledForest, UnrolledParameters
from hdl.verdict import Verdict
from sim.testbench import simulate

from .peer_models import FOLDER, PeerModel, peer_model
from .tables import write_results

CASES = (("vote16d4", 0), ("vote60d5", 0), ("vote60d5", 28))
"""Models, and block RAMs that may take the place of logic."""
LEVELS_PER_STAGE = (1, 2, 3)
SEEDS = (1, 2, 3)
MHZ = 300
"""Asked of the router, which stops where it meets it."""


class Core(wiring.Component):
    """A forest as the measuring script wants it: a new ``x`` every clock, ``y`` is 1 for spam."""

    def __init__(self, forest: UnrolledForest):
        self._forest = forest
        super().__init__({"x": In(forest.parameters.forest.features_layout.size), "y": Out(1)})

    def elaborate(self, platform):
        m = Module()

        m.submodules.forest = forest = self._forest
        m.d.comb += [
            forest.i.payload.eq(self.x),
            forest.i.valid.eq(1),
            forest.o.ready.eq(1),
            self.y.eq(forest.o.payload.verdict == Verdict.SPAM),
        ]

        return m


_WRAPPER = """
module core(input clk, input [{top}:0] x, output y);
  unrolled forest(.clk(clk), .rst(1'b0), .x(x), .y(y));
endmodule
"""


def main() -> None:
    """Measure every model at every depth of pipeline."""
    console = Console(stderr=True)
    rows = []
    for name, block_rams in CASES:
        model = peer_model(name)
        forest = forest_parameters(model.forest)
        circuit = in_block_ram(forest, ECP5.rom, block_rams) if block_rams else in_logic(forest)
        for levels in LEVELS_PER_STAGE:
            parameters = replace(circuit, levels_per_stage=levels, registered=frozenset(BOUNDARIES))
            rows.append({"model": name, "levels a stage": levels} | _measured(model, parameters))
            console.print(rows[-1])
    notes = tool_versions("NEXTPNR_ECP5") | {
        "seeds": " ".join(map(str, SEEDS)),
        "MHz asked for": MHZ,
    }
    write_results("forest", "python -m benchmarks.forest", notes, {"Unrolled, interval 1, ECP5 LFE5U-85F-6": rows})


def _measured(model: PeerModel, parameters: UnrolledParameters) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as temporary:
        core = Path(temporary) / "core.v"
        wrapper = _WRAPPER.format(top=parameters.forest.features_layout.size - 1)
        core.write_text(verilog_text(Core(parameters.circuit()), "unrolled") + wrapper)
        command = [sys.executable, FOLDER / "measure.py", FOLDER / f"{model.forest.name}.npz", core]
        command += ["--only", "ecp5", "--freq", str(MHZ), "--json", "--seeds", *map(str, SEEDS)]
        # The script calls the tools by name; they lie beside the interpreter.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        done = subprocess.run(command, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"measure.py failed: {done.stderr.strip() or done.stdout.strip()}")
    measured = json.loads(done.stdout)
    synthesised, placed = measured["ecp5_synth"], measured["ecp5_85k_6"]
    return {
        "LUT4eq": synthesised["LUT4eq"],
        "FF": synthesised["FF"],
        "EBR": synthesised["EBR"],
        "COMB": placed["TRELLIS_COMB"],
        "MHz, median": placed["MHz"],
        "MHz by seed": " ".join(map(str, placed["MHz_seeds"])),
    } | _checked(model, parameters)


def _checked(model: PeerModel, parameters: UnrolledParameters) -> dict[str, object]:
    """How many vectors the simulated circuit, one every clock, decides as scikit-learn does; and its proof."""
    circuit = parameters.circuit()
    latency, equal = circuit.latency, 0

    async def run(ctx):
        nonlocal equal
        ctx.set(circuit.o.ready, 1)
        for cycle in range(len(model.rows) + latency):
            ctx.set(circuit.i.valid, cycle < len(model.rows))
            if cycle < len(model.rows):
                row = model.rows[cycle].tolist()
                ctx.set(circuit.i.payload, {f"feature_{at}": value for at, value in enumerate(row)})
            due = cycle - latency
            if due >= 0:
                assert ctx.get(circuit.o.valid), "an answer must come in the clock that the latency says"
                spam = ctx.get(circuit.o.payload.verdict) == Verdict.SPAM
                equal += spam == bool(model.decisions[due])
            await ctx.tick()

    simulate(circuit, run, limit_cycles=2 * len(model.rows) + 200)
    with tempfile.TemporaryDirectory() as temporary:
        design = Path(temporary) / "design.il"
        design.write_text(rtlil_text(parameters.circuit(), FOREST_MODULE))
        netlist = read_netlist(design, FOREST_MODULE)
        proof = prove_circuit(netlist, model.forest, latency, table_bits=parameters.vote_table_bits)
    return {
        "latency": latency,
        "equal decisions": f"{equal} of {len(model.rows)}",
        "proved in": f"{proof.seconds:.1f} s",
    }


if __name__ == "__main__":
    main()
