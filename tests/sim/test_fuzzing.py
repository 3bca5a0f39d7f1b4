"""``python -m sim fuzz`` in the small: nothing differs, upsets are got over, and faults are found and named."""

import dataclasses
import re

import pytest

from compiler.errors import CheckFailed, InputError
from compiler.features import UNIVERSAL
from compiler.probe_options import NO_OPTIONS, ProbeOptions
from hdl.probe_front import Pipeline
from sim.capture import read_capture
from sim.compiled_probe import CompiledProbe
from sim.cxx import CxxCompiler
from sim.fuzzing import fuzz
from sim.probe_check import CHECK_CAPTURE
from sim.replay import ExportedProbe, software_probe
from tests.forests import grown_forest
from tests.hdl.test_probe import ANONYMISING, BUILD, probe_of
from tests.hdl.test_probe_loading import BUILD as LOADABLE_BUILD
from tests.hdl.test_probe_loading import FOREST as LOADABLE_FOREST
from tests.hdl.test_probe_loading import a_probe

FOREST = grown_forest(names=UNIVERSAL, seed=11)
SERIAL = None
PIPELINES = [Pipeline(item_bytes, 2) for item_bytes in (1, 4, 8)]


@pytest.fixture(autouse=True)
def _compiler():
    try:
        CxxCompiler()
    except InputError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def captures():
    return [list(read_capture(CHECK_CAPTURE))[:3000]]


def fuzzed(pipeline, captures, *, forest=FOREST, probe_options=NO_OPTIONS, **options):
    probe = ExportedProbe(forest, probe_of(forest, probe_options, pipeline=pipeline))
    return fuzz(probe, int(BUILD, 16), captures=captures, **options)


# With what is fuzzed below, a hundredth of what benchmarks/fuzz.py sends.
@pytest.mark.parametrize(("pipeline", "frames"), [(SERIAL, 26_000), *((wide, 6000) for wide in PIPELINES)], ids=str)
def test_nothing_differs(pipeline, frames, captures, monkeypatch):
    monkeypatch.setattr("sim.fuzzing.FUZZ_RUN", 2500)
    told = []
    done = fuzzed(pipeline, captures, frames=frames, seed=3, tell=lambda *counts: told.append(counts))
    assert told == [(min(2500 * run, frames), frames) for run in range(1, len(told) + 1)]
    assert (done.frames, done.upsets) == (frames, 0)
    assert done.records > 100
    assert done.items > done.frames
    assert done.cycles > 20 * done.frames


@pytest.mark.parametrize("upsets", [0, 400])
def test_early_records_of_an_anonymising_probe(upsets, captures, monkeypatch):
    monkeypatch.setattr("sim.fuzzing.FUZZ_RUN", 1500)
    options = ProbeOptions(early=3, short_records=True, anonymise=True)
    # The circuit that tests/hdl/test_probe.py takes.
    forest = grown_forest(names=("maxpl", "rsp", "duration"), prefix=3)
    done = fuzzed(ANONYMISING, captures, forest=forest, probe_options=options, frames=3000, seed=6, upsets=upsets)
    assert (done.frames, done.upsets) == (3000, 2 * upsets)
    assert done.records > 100


@pytest.mark.parametrize(("double", "pipeline"), [(False, SERIAL), (True, PIPELINES[2])], ids=str)
def test_images_of_forests_come_among_all_that(double, pipeline, captures, monkeypatch):
    monkeypatch.setattr("sim.fuzzing.FUZZ_RUN", 1500)
    probe = ExportedProbe(LOADABLE_FOREST, *a_probe(double=double, pipeline=pipeline))
    done = fuzz(probe, LOADABLE_BUILD, captures=captures, frames=6000, seed=2)
    assert done.frames == 6000
    assert done.records > 100
    assert done.loads > 2
    assert done.refusals > 2


@pytest.mark.parametrize("pipeline", [SERIAL, PIPELINES[0]], ids=str)
def test_bits_of_the_table_turn_over(pipeline, captures, monkeypatch):
    monkeypatch.setattr("sim.fuzzing.FUZZ_RUN", 1500)
    done = fuzzed(pipeline, captures, frames=3000, seed=5, upsets=400)
    assert done.upsets == 2 * 400
    assert done.frames == 3000


@pytest.mark.parametrize("changed", ["idle_ms", "linger_ms", "active_ms"])
def test_a_fault_is_found_and_its_seed_is_named(changed, captures, monkeypatch):
    """A timeout of the circuit that is not the one it should have."""

    def another(probe, key, others):
        table = probe.parameters.table
        table = dataclasses.replace(table, **{changed: 2 * getattr(table, changed)})
        parameters = dataclasses.replace(probe.parameters, table=table)
        return software_probe(probe._replace(parameters=parameters), key, others)

    monkeypatch.setattr("sim.fuzzing.software_probe", another)
    monkeypatch.setattr("sim.fuzzing.FUZZ_RUN", 2000)
    with pytest.raises(CheckFailed) as found:
        fuzzed(SERIAL, captures, frames=20_000, seed=8)
    (seed,) = re.match(r"fuzz, seed (\d+), 2000 frames: (?:record|the counter|\d+ records)", str(found.value)).groups()
    # The run can be repeated by itself.
    with pytest.raises(CheckFailed) as again:
        fuzzed(SERIAL, captures, frames=2000, seed=int(seed))
    assert str(again.value) == str(found.value)


def test_a_hang_is_found(captures, monkeypatch):
    class Stuck(CompiledProbe):
        def run(self, items, **options):
            yield from ()
            raise TimeoutError("Nothing goes in or comes out for 3000 cycles")

    monkeypatch.setattr("sim.fuzzing.CompiledProbe", Stuck)
    with pytest.raises(CheckFailed, match="^fuzz, seed 4, 10 frames: the probe hangs: Nothing goes in"):
        fuzzed(SERIAL, captures, frames=10, seed=4)
