"""Plans: registers for the clock that is asked for, and a circuit that is the forest's."""

import dataclasses

import pytest

from boards import BOARDS
from boards.ecp5 import LFE5U_85F
from boards.ice40 import HX8K, UP5K
from compiler.errors import InputError
from compiler.exporting import left_for_forest
from compiler.forest import Leaf, Tree
from compiler.plan import forest_parameters, plan_forest
from tests.forests import grown_forest, one_tree


def test_slow_clocks_need_fewer_registers():
    forest = grown_forest(trees=16, depth=4)
    latencies = [plan_forest(forest, UP5K, 1e6 * mhz).circuit().latency for mhz in (5, 12, 24, 40, 48)]
    assert latencies == sorted(latencies)
    assert latencies[0] == 1
    assert latencies[-1] > 2


def test_a_faster_device_needs_fewer_registers():
    forest = grown_forest(trees=16, depth=4)
    assert plan_forest(forest, HX8K, 48e6).circuit().latency < plan_forest(forest, UP5K, 48e6).circuit().latency


def test_an_ecp5_runs_at_clocks_that_no_ice40_reaches():
    forest = grown_forest(trees=16, depth=4)
    assert plan_forest(forest, LFE5U_85F, 125e6).circuit().latency < plan_forest(forest, UP5K, 125e6).circuit().latency


def test_a_clock_out_of_reach_gets_all_registers():
    plan = plan_forest(grown_forest(), UP5K, 900e6)
    assert plan.parameters.registered == {"tables", "sums", "score"}
    assert plan.parameters.levels_per_stage == 1
    assert "900 MHz and 900000000 flows/s asked for" in plan.reason


def test_the_reason_names_what_was_chosen():
    plan = plan_forest(one_tree(), UP5K, 12e6)
    assert plan.reason.startswith("unrolled: a flow every clock, 2 comparisons and 1 tree in ")


def test_parameters_come_from_the_simplified_forest():
    parameters = forest_parameters(grown_forest())
    assert parameters.lo == -700
    assert parameters.hi == 400
    assert sum(len(tree.nodes) for tree in parameters.trees) < 6 * 31


def test_unknown_architecture_is_named():
    with pytest.raises(InputError, match="^architecture must be one of unrolled, walker, ranked, not 'rolled'$"):
        plan_forest(one_tree(), UP5K, 12e6, architecture="rolled")


def test_a_probe_leaves_less_block_ram_to_its_forest():
    """On the HX8K, whose block RAM holds the flow table too, there is none for a walker of this size."""
    forest = grown_forest(trees=16, depth=4)
    chosen = {}
    for name, board in BOARDS.items():
        plan = plan_forest(forest, left_for_forest(board), board.clock_hz, flows_per_s=board.flows_per_s, block_rams=0)
        assert board.block_rams + plan.estimate.block_rams <= board.device.block_rams
        chosen[name] = plan.architecture
    assert chosen["icebreaker"] == "walker"
    assert chosen["ice40_hx8k_b_evn"] != "walker"


def test_few_flows_a_second_are_walked():
    plan = plan_forest(grown_forest(trees=16, depth=4), UP5K, 24e6, flows_per_s=100_000)
    assert plan.architecture == "walker"
    assert plan.estimate.flows_per_s(24e6) >= 100_000
    assert "unrolled would take about" in plan.reason


def test_more_flows_a_second_take_more_lanes():
    lanes = [
        plan_forest(grown_forest(trees=16, depth=4), LFE5U_85F, 125e6, architecture="walker", flows_per_s=flows).lanes
        for flows in (1e6, 4e6, 16e6)
    ]
    assert lanes == sorted(set(lanes))


def test_a_flow_every_clock_is_unrolled():
    assert plan_forest(grown_forest(trees=16, depth=4), LFE5U_85F, 125e6).architecture == "unrolled"


def test_what_must_be_loadable_is_a_walker_with_double_tables_where_they_fit():
    forest = grown_forest(trees=16, depth=4)
    assert plan_forest(forest, LFE5U_85F, 125e6, loadable=True).parameters.double
    with pytest.raises(InputError, match="tables can be loaded only into a walker, not into architecture 'unrolled'"):
        plan_forest(forest, UP5K, 24e6, architecture="unrolled", loadable=True)


NAMES = ("maxpl", "rslas", "mintw", "minttl")


def test_block_rams_take_the_place_of_logic():
    forest = grown_forest(names=NAMES, trees=6, depth=3)
    plans = [plan_forest(forest, LFE5U_85F, 100e6, block_rams=count) for count in (0, 2, 6)]
    cells = [plan.estimate.logic_cells for plan in plans]
    assert cells == sorted(cells, reverse=True)
    assert cells[2] < cells[0] / 2
    assert plans[0].estimate.block_rams == 0
    assert 0 < plans[1].estimate.block_rams <= 2 < plans[2].estimate.block_rams <= 6
    assert f"tables and {plans[2].estimate.block_rams} block RAMs, registers behind " in plans[2].reason


def test_a_forest_that_does_not_fit_otherwise_gets_block_rams():
    forest = grown_forest(names=NAMES, trees=6, depth=3)
    small = dataclasses.replace(LFE5U_85F, logic_cells=70, block_rams=6)
    plan = plan_forest(forest, small, 100e6, architecture="unrolled")
    assert plan.estimate.fits(small)
    assert 0 < plan.estimate.block_rams <= 6
    assert not plan_forest(forest, small, 100e6, architecture="unrolled", block_rams=0).estimate.fits(small)


def test_block_rams_that_save_nothing_are_not_used():
    """Registers of what passes the tables by would take more logic cells of an iCE40 than the tables save."""
    plan = plan_forest(grown_forest(trees=6, depth=3), UP5K, 24e6, architecture="unrolled", block_rams=4)
    assert plan.estimate.block_rams == 0
    assert plan.reason.endswith("; block RAM in place of logic would not make it smaller")


def test_block_rams_must_be_possible():
    with pytest.raises(InputError, match="^block RAMs must be 0 or more, not -1$"):
        plan_forest(one_tree(), LFE5U_85F, 100e6, block_rams=-1)
    with pytest.raises(
        InputError, match="^block RAMs can take the place of logic only in an unrolled forest, not in architecture"
    ):
        plan_forest(one_tree(), LFE5U_85F, 100e6, architecture="walker", block_rams=1)


@pytest.mark.parametrize("flows", [-1, 24_000_001])
def test_flows_per_second_must_be_possible(flows):
    with pytest.raises(InputError, match="flows per second must be above 0 and at most one a clock, 24000000, not"):
        plan_forest(one_tree(), UP5K, 24e6, flows_per_s=flows)


def test_ranks_are_searched_for_where_flows_come_slowly_enough():
    forest = grown_forest(trees=16, depth=4)
    plan = plan_forest(forest, UP5K, 24e6, architecture="ranked")
    assert plan.estimate.interval == plan.parameters.table.search_clocks
    assert plan.estimate.logic_cells < plan_forest(forest, UP5K, 24e6, architecture="unrolled").estimate.logic_cells
    at_most = 24e6 / plan.estimate.interval
    assert plan_forest(forest, UP5K, 24e6, architecture="ranked", flows_per_s=at_most * 0.99).reason
    with pytest.raises(InputError, match="architecture 'ranked' does not keep up with .* flows per second at 24 MHz"):
        plan_forest(forest, UP5K, 24e6, architecture="ranked", flows_per_s=at_most * 1.01)


def test_trees_that_cannot_lie_side_by_side_are_walked_at_once():
    plan = plan_forest(grown_forest(trees=90, depth=8), UP5K, 24e6, flows_per_s=1000)
    assert plan.architecture == "walker"
    assert "unrolled" not in plan.reason


def test_a_forest_without_tests_has_nothing_to_rank():
    forest = one_tree(trees=(Tree(1, (Leaf(1),)),))
    assert plan_forest(forest, UP5K, 24e6).architecture == "unrolled"
    with pytest.raises(InputError, match="forest 'one tree': tests no feature, so that there is nothing to rank"):
        plan_forest(forest, UP5K, 24e6, architecture="ranked")
