"""Plans: registers for the clock that is asked for, and a circuit that is the forest's."""

import pytest

from boards.ecp5 import LFE5U_85F
from boards.ice40 import HX8K, UP5K
from compiler.errors import InputError
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
