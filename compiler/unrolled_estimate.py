"""What an unrolled forest should need and reach before it has been placed."""

from boards.device import Device
from hdl.forest_parameters import ForestParameters
from hdl.forest_unrolled import UnrolledParameters
from hdl.lut_pipeline import LutPipeline
from hdl.vote_adder import grouped
from hdl.vote_code import VoteCode

from .estimate import Estimate

__all__ = ["adder_cells", "estimate", "longest_ns"]


def estimate(parameters: UnrolledParameters, device: Device) -> Estimate:
    """Of the circuit on a device."""
    circuit = parameters.circuit()
    networks = [parameters.network, *(stage.network for stage in parameters.stages)]
    inside, lone = (
        sum(count(network, parameters.levels_per_stage) for network in networks)
        for count in (LutPipeline.registers_of, LutPipeline.lone_registers_of)
    )
    cells = sum(len(network.luts) for network in networks)
    cells += adder_cells(parameters.forest, parameters.vote_table_bits, in_block_ram=parameters.sums_in_block_ram)
    beside = _beside_block_ram(parameters)
    return Estimate(
        # A logic cell of the iCE40 holds a table and a register, and a register that no table feeds has one to itself.
        logic_cells=cells + (lone + beside if device.family.register_takes_cell else 0),
        registers=inside + beside + _behind_trees(parameters),
        block_rams=parameters.block_rams,
        clock_hz=1e9 / longest_ns(parameters, device),
        latency=circuit.latency,
        interval=circuit.interval,
    )


def adder_cells(forest: ForestParameters, table_bits: int, *, in_block_ram: bool) -> int:
    """Logic of the first sums, unless they are in block RAM, of all adders and of the answer, about."""
    bits, total = forest.score_shape.width, 0
    for groups in _groups(forest, table_bits):
        total += (0 if in_block_ram else groups * (bits - 4)) + (groups - 1) * (bits - 2)
    # The band, or for every class but one a comparison and the choice of the greater.
    return total + (2 * bits * (forest.classes - 1) if forest.classes else bits)


def longest_ns(parameters: UnrolledParameters, device: Device) -> float:
    """The longest way between two registers."""
    level, carry, register = device.level_ns, device.carry_ns, device.register_ns
    forest, network, levels_per_stage = parameters.forest, parameters.network, parameters.levels_per_stage
    bits = [sum(VoteCode.of(tree).width for tree in forest.trees_of(index)) for index in range(forest.classes or 1)]
    adders = (max(1, -(-max(bits) // parameters.vote_table_bits)) - 1).bit_length()
    add = level + carry * forest.score_shape.width
    # The last adder lies between the registers of the sums and that of the score.
    segments = [
        ("tables", level),
        *[("sums", add)] * max(0, adders - 1),
        *[("score", add)] * min(1, adders),
        *_decision(forest, level, add),
    ]
    longest = path = register + level * (levels_per_stage or network.depth)
    for stage in parameters.stages:
        longest = max(longest, register + level * (levels_per_stage or stage.network.depth))
    if parameters.block_rams:
        longest = max(longest, device.block_ram_ns)
    if levels_per_stage:
        path = register
    for boundary, delay in segments:
        in_block_ram = boundary == "tables" and parameters.sums_in_block_ram
        path += 0 if in_block_ram else delay
        longest = max(longest, path)
        if in_block_ram or boundary in parameters.registered:
            path = register
    return longest


def _groups(forest: ForestParameters, table_bits: int) -> list[int]:
    """Groups of trees whose votes are looked up together, for the score or for that of every class."""
    codes = (tuple(VoteCode.of(tree) for tree in forest.trees_of(index)) for index in range(forest.classes or 1))
    return [len(grouped(members, table_bits)) for members in codes]


def _beside_block_ram(parameters: UnrolledParameters) -> int:
    """Registers behind block RAMs, and of what passes them by."""
    words = sum(table.width for tables in parameters.roms.values() for table in tables)
    return words + sum(2 * stage.passing for stage in parameters.stages)


def _behind_trees(parameters: UnrolledParameters) -> int:
    """Registers of the sums and of the answer, about; valid bits are left out."""
    bits, total, registered = parameters.forest.score_shape.width, 0, parameters.registered
    tables = "tables" in registered and not parameters.sums_in_block_ram
    for groups in _groups(parameters.forest, parameters.vote_table_bits):
        total += tables * groups * (bits - 4) + ("sums" in registered) * (groups - 1) * (bits - 2)
        total += ("score" in registered) * bits
    return total + bits + 2


def _decision(forest: ForestParameters, level: float, add: float) -> list[tuple[str, float]]:
    """From the scores to the answer: the band, or comparisons of scores, each with the choice of one behind it."""
    if forest.classes:
        return [("maxima", add + level)] * (forest.classes - 1).bit_length()
    return [("verdict", level * max(1, -(-forest.score_shape.width.bit_length() // 2)))]
