"""The circuits that a forest can become with its trees side by side: in logic alone, and with tables in block RAM."""

from hdl.block_rom import RomShape
from hdl.forest_network import forest_network
from hdl.forest_parameters import ForestParameters
from hdl.forest_unrolled import UnrolledParameters
from hdl.vote_adder import VoteAdder
from hdl.vote_code import TABLE_BITS, VoteCode

from .lookup_choice import choose_tables
from .lookup_network import with_tables
from .lut_optimiser import with_fewer_tables
from .unrolled_estimate import adder_cells

__all__ = ["in_block_ram", "in_logic"]


def in_logic(parameters: ForestParameters) -> UnrolledParameters:
    """Without block RAM, nor registers in the network or behind it yet."""
    return UnrolledParameters(forest=parameters, network=with_fewer_tables(forest_network(parameters)))


def in_block_ram(parameters: ForestParameters, rom: RomShape, block_rams: int) -> UnrolledParameters | None:
    """With tables in so many block RAMs at most, those that save the most logic by estimate; None where none do.

    As in :func:`in_logic`, registers are not planned yet.
    """
    if not block_rams:
        return None
    choices = choose_tables(parameters, rom, block_rams)
    ways = [(choices[-1].cells + adder_cells(parameters, TABLE_BITS, in_block_ram=False), False, choices[-1])]
    for_sums = _block_rams_for_sums(parameters, rom)
    if for_sums is not None and for_sums <= block_rams:
        choice = choices[block_rams - for_sums]
        ways.append((choice.cells + adder_cells(parameters, rom.address_width, in_block_ram=True), True, choice))
    _, sums_in_block_ram, choice = min(ways, key=lambda way: way[0])
    stages, network = with_tables(parameters, choice.tables)
    if not stages and not sums_in_block_ram:
        return None
    return UnrolledParameters(
        forest=parameters,
        network=with_fewer_tables(network),
        stages=stages,
        sums_in_block_ram=sums_in_block_ram,
        rom=rom,
    )


def _block_rams_for_sums(parameters: ForestParameters, rom: RomShape) -> int | None:
    """How many block RAMs adding up the votes takes, None where they cannot be added up so."""
    codes = tuple(VoteCode.of(tree) for tree in parameters.trees)
    if parameters.classes or not VoteAdder.fits_block_ram(codes, rom):
        return None
    return rom.block_rams(VoteAdder.rom_tables(codes, rom))
