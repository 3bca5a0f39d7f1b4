"""BlockRom and LookupPipeline: the words of their models after their latency, and one block RAM for two tables."""

import random

import numpy as np
import pytest
from amaranth.back import rtlil

from boards.ecp5 import ECP5
from boards.ice40 import ICE40
from boards.synthesis import synthesise_alone
from hdl.block_rom import BlockRom, RomShape, RomTable
from hdl.lookup_pipeline import LookupPipeline, LookupStage
from hdl.lut_network import NetworkBuilder
from sim.testbench import simulate
from tests.lookups import HALVES, WHOLE


def drawn_table(address, width, seed):
    rng = random.Random(seed)
    return RomTable(width, tuple(rng.getrandbits(width) for _ in range(1 << address)))


PAIR = drawn_table(9, 18, 1), drawn_table(6, 11, 2)


@pytest.mark.parametrize("tables", [PAIR, PAIR[1:], (drawn_table(10, 18, 3),), (drawn_table(1, 1, 4),)])
def test_words_come_after_the_latency_and_hold(tables):
    rng, dut = random.Random(7), BlockRom(tables=tables)

    async def run(ctx):
        asked, expected = [], None
        for _ in range(300):
            addresses = [rng.randrange(len(table.words)) for table in tables]
            for index, address in enumerate(addresses):
                ctx.set(getattr(dut, f"address_{index}"), address)
            ctx.set(dut.enable, moves := rng.random() < 0.7)
            await ctx.tick()
            if moves:
                asked.append(addresses)
                if len(asked) >= dut.latency:
                    expected = [table.words[at] for table, at in zip(tables, asked[-dut.latency], strict=True)]
            if expected is not None:
                assert [ctx.get(getattr(dut, f"word_{index}")) for index in range(len(tables))] == expected

    simulate(dut, run, limit_cycles=400)


def test_model_of_a_table():
    rows = (np.arange(64)[:, None] >> np.arange(6) & 1).astype(bool)
    words = PAIR[1].evaluate(rows) @ (1 << np.arange(11))
    assert words.tolist() == list(PAIR[1].words)


@pytest.mark.parametrize(
    ("family", "tables"),
    [
        (ECP5, PAIR),
        (ECP5, (drawn_table(10, 18, 3),)),
        (ECP5, (drawn_table(4, 5, 4), drawn_table(5, 3, 5))),
        (ICE40, (drawn_table(8, 16, 6),)),
        (ICE40, (drawn_table(9, 16, 7),)),
        (ICE40, (drawn_table(9, 8, 8),)),
        (ICE40, (drawn_table(3, 2, 9),)),
    ],
)
def test_tables_take_block_rams_and_no_logic(family, tables, tmp_path):
    (tmp_path / "rom.il").write_text(rtlil.convert(BlockRom(tables=tables), name="rom"))
    cells = synthesise_alone(tmp_path / "rom.il", "rom", family)
    assert cells["ebr"] == family.rom.block_rams(tables)
    assert (cells["lut4"], cells["carry"], cells.get("lutram", 0)) == (0, 0, 0)


def test_small_tables_share_block_rams():
    tables = [drawn_table(address, 2, address) for address in (9, 10, 3, 4)]
    assert HALVES.grouped(tables) == ((0, 2), (3,), (1,))
    assert HALVES.block_rams(tables) == 3
    assert WHOLE.grouped(tables[2:]) == ((0,), (1,))


@pytest.mark.parametrize(
    ("rom", "address", "width", "shares"),
    [
        (HALVES, 9, 18, 1),
        (HALVES, 4, 37, 3),
        (HALVES, 10, 18, 2),
        (HALVES, 10, 9, 2),
        (HALVES, 10, 19, 4),
        (WHOLE, 8, 16, 1),
        (WHOLE, 9, 16, 2),
        (WHOLE, 9, 8, 1),
        (WHOLE, 9, 25, 4),
    ],
)
def test_shares_of_wide_and_deep_tables(rom, address, width, shares):
    assert rom.shares(address, width) == shares


def test_a_block_ram_has_no_three_ports():
    with pytest.raises(ValueError, match="^Tables of a block RAM must be 1 or 2, not 3$"):
        RomShape(tables=3, address_width=9, word_width=18)


def test_slices_hold_the_bits_of_wide_words():
    low, high = WHOLE.sliced(20, [0xABCDE, 0x12345], "wide")
    assert (low.width, low.words, low.holds) == (16, (0xBCDE, 0x2345), "wide")
    assert (high.width, high.words) == (4, (0xA, 0x1))


@pytest.mark.parametrize("levels_per_stage", [0, 1])
def test_stages_equal_their_model(levels_per_stage):
    first = NetworkBuilder(6)
    both = first.function(first.inputs[:2], lambda value: value == 3)
    stages = [LookupStage(first.network([*first.inputs[:4], both, *first.inputs[3:]]), (drawn_table(4, 3, 8),))]
    assert stages[0].outputs == 3 + 4
    second = NetworkBuilder(7)
    stages.append(LookupStage(second.network(list(second.inputs)), (drawn_table(3, 5, 9), drawn_table(2, 2, 10))))
    dut = LookupPipeline(stages=tuple(stages), rom=HALVES, levels_per_stage=levels_per_stage)
    assert dut.latency == 4 + levels_per_stage
    rows = (np.arange(64)[:, None] >> np.arange(6) & 1).astype(bool)
    expected = stages[1].evaluate(stages[0].evaluate(rows)) @ (1 << np.arange(9))

    async def run(ctx):
        ctx.set(dut.enable, 1)
        for cycle in range(64 + dut.latency):
            ctx.set(dut.i, cycle % 64)
            if cycle >= dut.latency:
                assert ctx.get(dut.o) == expected[cycle - dut.latency]
            await ctx.tick()

    simulate(dut, run, limit_cycles=100)


@pytest.mark.parametrize(
    ("width", "words", "message"),
    [
        (0, (0, 0), r"^Words must fit unsigned\(0\) of at least one bit$"),
        (2, (4, 0), r"^Words must fit unsigned\(2\) of at least one bit$"),
        (2, (1, 2, 3), "^Words must be a power of two from 2 on, not 3$"),
        (2, (1,), "^Words must be a power of two from 2 on, not 1$"),
    ],
)
def test_wrong_tables_are_named(width, words, message):
    with pytest.raises(ValueError, match=message):
        RomTable(width, words)


def test_a_third_table_is_refused():
    with pytest.raises(ValueError, match="^Tables must be one or two, not 3$"):
        BlockRom(tables=(PAIR[0],) * 3)


def test_a_stage_needs_bits_for_its_addresses():
    builder = NetworkBuilder(3)
    with pytest.raises(ValueError, match="^Tables have 9 address bits, the network 3$"):
        LookupStage(builder.network(list(builder.inputs)), PAIR[:1])
