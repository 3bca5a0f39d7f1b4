"""Tables in block RAM for tests: of any kind that is considered for a forest, whether or not they save logic."""

import random

from compiler.feature_tables import choices
from compiler.lookup_network import with_tables
from hdl.block_rom import RomShape
from hdl.forest_parameters import ForestParameters
from hdl.forest_unrolled import UnrolledParameters
from hdl.vote_adder import VoteAdder
from hdl.vote_code import VoteCode

__all__ = ["HALVES", "WHOLE", "with_some_tables"]


HALVES = RomShape(tables=2, address_width=9, word_width=18)
WHOLE = RomShape(tables=1, address_width=8, word_width=16)
"""What fits a block RAM of the ECP5, and one of the iCE40."""


def with_some_tables(forest: ForestParameters, seed: int, rom: RomShape = HALVES, **options) -> UnrolledParameters:
    """Drawn tables for most features, and for the sums of the votes where they fit."""
    rng = random.Random(seed)
    chosen = []
    for feature, width in enumerate(forest.feature_widths):
        thresholds = forest.thresholds_of(feature)
        found = list(choices(width, thresholds, rom)) if thresholds and rng.random() < 0.9 else []
        chosen.append(rng.choice(found) if found else None)
    stages, network = with_tables(forest, chosen)
    codes = tuple(VoteCode.of(tree) for tree in forest.trees)
    fits = not forest.classes and VoteAdder.fits_block_ram(codes, rom)
    return UnrolledParameters(
        forest=forest,
        network=network,
        stages=stages,
        sums_in_block_ram=fits and rng.random() < 0.7,
        rom=rom,
        **options,
    )
