"""The iCE40 family: its devices, and what their cells are called."""

from collections.abc import Mapping

from hdl.block_rom import RomShape

from .device import Device, Family
from .synthesis import NAME

__all__ = ["HX8K", "ICE40", "UP5K", "resources"]


def resources(cells: Mapping[str, int]) -> dict[str, int]:
    """Cells of a netlist by the names that people use."""
    return {
        "lut4": cells.get("SB_LUT4", 0),
        "carry": cells.get("SB_CARRY", 0),
        "ff": sum(count for cell, count in cells.items() if cell.startswith("SB_DFF")),
        "ebr": sum(count for cell, count in cells.items() if cell.startswith("SB_RAM40_4K")),
        "spram": cells.get("SB_SPRAM256KA", 0),
        "dsp": cells.get("SB_MAC16", 0),
    }


ICE40 = Family(
    name="iCE40",
    synthesis="synth_ice40",
    nextpnr="NEXTPNR_ICE40",
    constraints=f"{NAME}.pcf",
    arguments=("--pcf", f"{NAME}.pcf", "--pcf-allow-unconstrained", "--asc", f"{NAME}.asc"),
    logic_cell="ICESTORM_LC",
    cell_names={
        "ICESTORM_LC": "logic cells",
        "ICESTORM_RAM": "block RAMs",
        "ICESTORM_SPRAM": "single-port RAMs",
        "ICESTORM_DSP": "DSP blocks",
        "SB_IO": "pins",
    },
    resources=resources,
    register_takes_cell=True,
    block_ram_shapes=((256, 16), (512, 8), (1024, 4), (2048, 2)),
    rom=RomShape(tables=1, address_width=8, word_width=16),
    packing=("ICEPACK", f"{NAME}.asc", f"{NAME}.bin"),
    bitstream=f"{NAME}.bin",
)

UP5K = Device(
    name="iCE40UP5K-SG48",
    family=ICE40,
    nextpnr=("--up5k", "--package", "sg48"),
    logic_cells=5280,
    block_rams=30,
    single_port_rams=4,
    dsps=8,
    level_ns=2.6,
    carry_ns=0.28,
    register_ns=1.4,
    block_ram_ns=4.7,
)
HX8K = Device(
    name="iCE40HX8K-CT256",
    family=ICE40,
    nextpnr=("--hx8k", "--package", "ct256"),
    logic_cells=7680,
    block_rams=32,
    single_port_rams=0,
    dsps=0,
    level_ns=1.0,
    carry_ns=0.13,
    register_ns=0.6,
    block_ram_ns=3.4,
)
