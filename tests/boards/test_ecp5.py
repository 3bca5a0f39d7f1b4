"""The ECP5 flow on small circuits: the same steps as for the iCE40, with this family's cells."""

import pytest
from amaranth.back import rtlil

from boards.device import DoesNotFit
from boards.ecp5 import ECP5, LFE5U_25F, LFE5U_85F, resources
from boards.routing import place_and_route
from boards.synthesis import synthesise, synthesise_alone
from tests.boards.delays import Delay, LargeDelay, write_delay


@pytest.mark.parametrize("device", [LFE5U_25F, LFE5U_85F], ids=lambda device: device.name)
def test_from_circuit_to_placement(tmp_path, device):
    write_delay(Delay(), tmp_path, ECP5)
    cells = synthesise(tmp_path, ECP5)
    placement = place_and_route(tmp_path, device, seed=2, clock_hz=10e6)
    assert cells["ff"] >= 9 + 10 + 10
    assert cells["lut4"] > 0
    assert placement.seed == 2
    assert 0 < placement.used["TRELLIS_COMB"] <= cells["lut4eq"] + 10
    assert placement.used["TRELLIS_FF"] == cells["ff"]
    assert round(placement.asked_hz) == 10_000_000
    assert placement.clock_met


def test_a_component_without_its_shell(tmp_path):
    (tmp_path / "delay.il").write_text(rtlil.convert(Delay(), name="delay"))
    cells = synthesise_alone(tmp_path / "delay.il", "delay", ECP5)
    assert cells["ff"] == 9
    assert cells["lut4eq"] == cells["lut4"] + 2 * cells["carry"] < 30


def test_a_circuit_that_is_too_big_is_told_by_what_is_short(tmp_path):
    write_delay(LargeDelay(4 * 57), tmp_path, ECP5)
    synthesise(tmp_path, ECP5)
    with pytest.raises(DoesNotFit, match="^needs 57 of 56 block RAMs$"):
        place_and_route(tmp_path, LFE5U_25F, seed=1, clock_hz=10e6)


def test_cells_have_the_names_that_people_use():
    cells = {"LUT4": 5, "CCU2C": 2, "TRELLIS_FF": 7, "DP16KD": 4, "MULT18X18D": 6, "TRELLIS_DPR16X4": 9}
    assert resources(cells) == {"lut4": 5, "carry": 2, "lut4eq": 9, "ff": 7, "ebr": 4, "lutram": 9, "dsp": 6}
    assert resources({}) == dict.fromkeys(("lut4", "carry", "lut4eq", "ff", "ebr", "lutram", "dsp"), 0)
