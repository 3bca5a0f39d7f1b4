"""Compiled circuits: the same values in the same clocks as in Amaranth's simulator, and refusals."""

import random
import re

import pytest
from amaranth.back import rtlil
from amaranth.hdl import ClockDomain, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from compiler.emit import rtlil_text
from compiler.errors import InputError
from sim import compiling
from sim.compiled import CompiledCircuit
from sim.compiling import compile_circuit
from sim.cxx import CxxCompiler
from sim.library_cache import LibraryCache
from sim.testbench import simulate
from sim.upsets import Upsets
from tests.scripts import script


class Accumulator(wiring.Component):
    """A sum with an enable, and what it would be next."""

    step: In(70)
    enable: In(1)
    total: Out(70)
    ahead: Out(70)

    def elaborate(self, platform):
        m = Module()

        sum_ = Signal(70, init=5)
        m.d.comb += [self.total.eq(sum_), self.ahead.eq(sum_ + self.step)]
        with m.If(self.enable):
            m.d.sync += sum_.eq(self.ahead)

        return m


class Shelf(wiring.Component):
    """A memory that is only read."""

    address: In(2)
    data: Out(70)

    def elaborate(self, platform):
        m = Module()
        m.submodules.rows = rows = Memory(shape=70, depth=4, init=[1, 2, 3, 4])
        read = rows.read_port()
        m.d.comb += [read.addr.eq(self.address), read.en.eq(1), self.data.eq(read.data)]

        return m


@pytest.fixture
def library():
    return compile_circuit(rtlil_text(Accumulator(), "accumulator"), "accumulator", optimise=False)


@pytest.fixture
def shelf():
    return CompiledCircuit(compile_circuit(rtlil_text(Shelf(), "shelf"), "shelf", optimise=False))


def rows_of(shelf):
    for address in range(4):
        shelf.set("address", address)
        shelf.tick()
        yield shelf.get("data")


def test_a_bit_of_a_memory_turns_over(shelf):
    assert {name: (memory.width, memory.depth) for name, memory in shelf.memories.items()} == {"rows": (70, 4)}
    for row, bit in ((0, 0), (2, 31), (2, 32), (3, 69)):
        shelf.flip("rows", row, bit)
    assert list(rows_of(shelf)) == [0, 2, 3 | 1 << 31 | 1 << 32, 4 | 1 << 69]
    shelf.flip("rows", 2, 32)
    assert list(rows_of(shelf)) == [0, 2, 3 | 1 << 31, 4 | 1 << 69]


@pytest.mark.parametrize(("row", "bit"), [(4, 0), (-1, 0), (0, 70), (0, -1)])
def test_a_bit_outside_of_the_memory(shelf, row, bit):
    with pytest.raises(ValueError, match=f"Bit must lie in 4 rows of 70 bits, not be {bit} of row {row}"):
        shelf.flip("rows", row, bit)


def test_upsets_come_when_they_are_due_and_are_the_same_again(shelf):
    seen = []
    for _ in range(2):
        upsets, calls = Upsets(shelf, ["rows"], count=20, mean_cycles=10, seed=4), 0
        begin = shelf.cycles
        while clocks := upsets() if upsets.done < 20 else 0:
            shelf.tick(min(clocks, 20))
            calls += 1
        assert shelf.cycles - begin in range(100, 320)
        seen.append((calls, list(rows_of(shelf))))
    # The second time every bit turns back.
    assert seen[0][1] != [1, 2, 3, 4] == seen[1][1]


def test_equals_the_simulator_clock_by_clock(library):
    rng = random.Random(3)
    dut, circuit = Accumulator(), CompiledCircuit(library)

    async def run(ctx):
        for _ in range(500):
            step, enable = rng.getrandbits(70), rng.getrandbits(1)
            ctx.set(dut.step, step)
            ctx.set(dut.enable, enable)
            circuit.set("step", step)
            circuit.set("enable", enable)
            for name in ("total", "ahead"):
                assert circuit.get(name) == ctx.get(getattr(dut, name))
            await ctx.tick()
            circuit.tick()
            for name in ("total", "ahead"):
                assert circuit.get(name) == ctx.get(getattr(dut, name))

    simulate(dut, run, limit_cycles=510)


def test_many_clocks_at_once(library):
    circuit = CompiledCircuit(library)
    circuit.set("step", 3)
    circuit.set("enable", 1)
    circuit.tick(1000)
    assert (circuit.get("total"), circuit.get("ahead")) == (3005, 3008)


def test_reset(library):
    circuit = CompiledCircuit(library)
    circuit.set("step", 1)
    circuit.set("enable", 1)
    circuit.tick(7)
    circuit.set("rst", 1)
    circuit.tick()
    assert circuit.get("total") == 5


def test_instances_are_apart(library):
    first, second = CompiledCircuit(library), CompiledCircuit(library)
    first.set("step", 1)
    first.set("enable", 1)
    first.tick(4)
    assert (first.get("total"), second.get("total")) == (9, 5)
    first.close()
    second.tick()
    assert second.get("total") == 5


def test_ports(library):
    ports = CompiledCircuit(library).ports
    found = {name: (port.is_input, port.width) for name, port in ports.items()}
    assert found == {
        "clk": (True, 1),
        "rst": (True, 1),
        "step": (True, 70),
        "enable": (True, 1),
        "total": (False, 70),
        "ahead": (False, 70),
    }


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("total", 1, "^Port must be an input, not 'total'$"),
        ("enable", 2, "^Value of 'enable' must be of 1 bits, not 2$"),
        ("step", -1, "^Value of 'step' must be of 70 bits, not -1$"),
    ],
)
def test_what_cannot_be_set(library, name, value, message):
    with pytest.raises(ValueError, match=message):
        CompiledCircuit(library).set(name, value)


def test_another_clock():
    m = Module()
    m.domains.other = ClockDomain()
    taken, given = Signal(), Signal()
    m.d.other += given.eq(taken)
    text = rtlil.convert(m, name="top", ports=[taken, given], emit_src=False)
    with pytest.raises(ValueError, match="^Circuit must have an input clk of 1 bit$"):
        compile_circuit(text, "top", optimise=False)


def test_a_circuit_is_compiled_once(library, monkeypatch):
    monkeypatch.setattr(compiling, "_write_cxxrtl", lambda *_: 1 / 0)
    assert compile_circuit(rtlil_text(Accumulator(), "accumulator"), "accumulator", optimise=False) == library


def test_a_damaged_library_is_made_again(monkeypatch, tmp_path):
    monkeypatch.setattr(compiling, "LibraryCache", lambda: LibraryCache(tmp_path))
    said = []
    for _ in range(3):
        library = compile_circuit(rtlil_text(Accumulator(), "top"), "top", optimise=False, say=said.append)
        circuit = CompiledCircuit(library)
        circuit.tick()
        assert (library.parent, circuit.get("total")) == (tmp_path, 5)
        if len(said) == 2:
            # In place it would pull the ground from under the one that is loaded.
            content = library.read_bytes()
            library.unlink()
            library.write_bytes(content[: len(content) // 2])
    # Not the third time.
    assert len(said) == 4
    assert said[0] == f"compiling the circuit, which is done once: {CxxCompiler().version()}"
    assert re.fullmatch(f"compiled in [0-9.]+ s; it is kept in {tmp_path}", said[1])


def test_waveforms(library, tmp_path):
    circuit, file = CompiledCircuit(library), tmp_path / "accumulator.vcd"
    circuit.set("step", 1)
    circuit.set("enable", 1)
    with circuit.waveforms(file):
        circuit.tick(2000)
    circuit.tick()
    assert circuit.cycles == 2001
    definitions, changes = file.read_text().split("$enddefinitions $end\n")
    (total,) = re.findall(r"\$var \w+ 70 (\S+) total \[?", definitions)
    assert "$timescale 100 ns $end" in definitions
    # A clock is a microsecond; the sum changes at the rising edge in the middle.
    assert "#15\n1" in changes
    values = [int(value, 2) for value in re.findall(rf"^b([01]+) {re.escape(total)}$", changes, re.M)]
    assert values == list(range(5, 2006))


def test_the_compiler_that_cxx_names(monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", f"{script(tmp_path / 'cxx', 'echo mine 1.0')} -march=native")
    assert CxxCompiler().command == [str(tmp_path / "cxx"), "-march=native"]
    assert CxxCompiler().version() == "mine 1.0"


def test_without_a_compiler(monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"^compiled simulation needs a C\+\+ compiler: install g\+\+ or clang\+\+"):
        CxxCompiler()


def test_a_compiler_that_fails_is_one_line(monkeypatch, tmp_path):
    text = '[ "$1" = --version ] && echo broken 1.0 && exit; echo "circuit.cc:1: error: out of memory" >&2; exit 1'
    monkeypatch.setenv("CXX", script(tmp_path / "cxx", text))
    monkeypatch.setattr(compiling, "LibraryCache", lambda: LibraryCache(tmp_path / "cache"))
    with pytest.raises(InputError, match="cxx failed: circuit.cc:1: error: out of memory$"):
        compile_circuit(rtlil_text(Accumulator(), "accumulator"), "accumulator")
    assert list((tmp_path / "cache").iterdir()) == []
