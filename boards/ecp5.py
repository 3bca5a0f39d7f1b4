"""The ECP5 family: its devices, and what their cells are called."""

from collections.abc import Mapping
from dataclasses import replace

from hdl.block_rom import RomShape

from .device import Device, Family
from .synthesis import NAME

__all__ = ["ECP5", "LFE5U_25F", "LFE5U_25F_BG256", "LFE5U_85F", "LFE5U_85F_8", "resources"]


def resources(cells: Mapping[str, int]) -> dict[str, int]:
    """Cells of a netlist by the names that people use.

    ``lut4eq`` counts the two LUTs that a CCU2C takes the place of; ``lutram`` are 16 × 4 bits of memory in LUTs.
    """
    lut4, carry = cells.get("LUT4", 0), cells.get("CCU2C", 0)
    return {
        "lut4": lut4,
        "carry": carry,
        "lut4eq": lut4 + 2 * carry,
        "ff": cells.get("TRELLIS_FF", 0),
        "ebr": cells.get("DP16KD", 0),
        "lutram": cells.get("TRELLIS_DPR16X4", 0),
        "dsp": cells.get("MULT18X18D", 0),
    }


ECP5 = Family(
    name="ECP5",
    synthesis="synth_ecp5",
    nextpnr="NEXTPNR_ECP5",
    constraints=f"{NAME}.lpf",
    arguments=("--lpf", f"{NAME}.lpf", "--lpf-allow-unconstrained", "--textcfg", f"{NAME}.config"),
    logic_cell="TRELLIS_COMB",
    cell_names={
        "TRELLIS_COMB": "logic cells",
        "TRELLIS_FF": "registers",
        "DP16KD": "block RAMs",
        "MULT18X18D": "DSP blocks",
        "TRELLIS_IO": "pins",
    },
    resources=resources,
    register_takes_cell=False,
    block_ram_shapes=((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)),
    # Half of its 1024 words for each of two tables, which its two ports read.
    rom=RomShape(tables=2, address_width=9, word_width=18),
    packing=("ECPPACK", "--compress", f"{NAME}.config", f"{NAME}.bit"),
    bitstream=f"{NAME}.bit",
)

_DELAYS = {"level_ns": 0.75, "carry_ns": 0.11, "register_ns": 1.6, "block_ram_ns": 6.9}
"""Of speed grade 6: within 15 % of the median of three seeds, of 18 pipelines of three forests on the LFE5U-85F."""

LFE5U_25F = Device(
    name="LFE5U-25F-6BG381",
    family=ECP5,
    nextpnr=("--25k", "--package", "CABGA381", "--speed", "6"),
    logic_cells=24288,
    block_rams=56,
    single_port_rams=0,
    dsps=28,
    **_DELAYS,
)
LFE5U_25F_BG256 = replace(
    LFE5U_25F, name="LFE5U-25F-6BG256", nextpnr=("--25k", "--package", "CABGA256", "--speed", "6")
)
"""The same in a smaller package."""

LFE5U_85F = Device(
    name="LFE5U-85F-6BG756",
    family=ECP5,
    nextpnr=("--85k", "--package", "CABGA756", "--speed", "6"),
    logic_cells=83640,
    block_rams=208,
    single_port_rams=0,
    dsps=156,
    **_DELAYS,
)
LFE5U_85F_8 = replace(LFE5U_85F, name="LFE5U-85F-8BG756", nextpnr=("--85k", "--package", "CABGA756", "--speed", "8"))
"""The same in the fastest speed grade; delays are estimated as of grade 6."""
