"""What a probe is built from, and which forests have none."""

import pytest

from boards import BOARDS
from compiler.export_fields import export_messages
from compiler.features import CATALOGUE, REFERENCE_COLUMNS, UNIVERSAL, accumulators_of
from compiler.information_elements import COUNTERS, OWN_ENTERPRISE, Own, element_of
from compiler.plan import plan_forest
from compiler.probe_plan import WAYS, entry_layout, probe_parameters
from hdl.entry_layout import EntryLayout
from hdl.ipfix import Opcode
from tests.forests import grown_forest


def _parameters(board="icebreaker", **changes):
    forest = grown_forest(**changes)
    target = BOARDS[board]
    return probe_parameters(forest, target, plan_forest(forest, target.device, target.clock_hz), "0badcafe")


@pytest.mark.parametrize("board", sorted(BOARDS))
def test_table_fills_the_board(board):
    table = _parameters(board).table
    assert (table.entries, table.ways) == (BOARDS[board].table_entries, WAYS)


def test_forest_sets_the_probe_up():
    parameters = _parameters(
        names=("sp", "maxpl"), ports=(25, 587), orientation="first", directions="forward", min_packets=3
    )
    assert parameters.table.ports == (25, 587)
    assert parameters.table.first_seen
    assert not parameters.both_directions
    assert parameters.min_packets == 3


def test_only_what_the_forest_asks_for_is_accumulated():
    assert entry_layout(grown_forest(names=("maxpl", "rmaxpl"))).accumulators == accumulators_of(("maxpl",))
    assert len(entry_layout(grown_forest(names=UNIVERSAL)).accumulators) == 13


def test_larger_entries_are_fewer():
    small, large = _parameters(names=UNIVERSAL).table, _parameters(names=tuple(CATALOGUE)).table
    assert (small.layout.stride, large.layout.stride) == (32, 64)
    assert small.entries * small.layout.stride == large.entries * large.layout.stride


def test_every_accumulator_has_an_element_of_its_own():
    everything = set(accumulators_of(tuple(CATALOGUE))) | set(REFERENCE_COLUMNS.values())
    elements = {element_of(a, response=response) for a in everything for response in (False, True)}
    own = {(element.number, element.enterprise) for element in elements if element.enterprise == OWN_ENTERPRISE}
    taken = {*map(int, Own), *COUNTERS.values()}
    assert len(elements) == 2 * len(everything)
    assert {number & ~0x4000 for number, _ in own} <= taken
    assert len(taken) == len(Own) + len(COUNTERS)


def test_messages_state_their_own_length():
    messages = export_messages(EntryLayout(accumulators_of(UNIVERSAL)), forest_id=1, build_id=2)
    for message in (messages.templates, messages.counters, messages.ipv4, messages.ipv6):
        stated = [step.operand for step in message[2:4]]
        assert {step.opcode for step in message[:4]} == {Opcode.LITERAL}
        assert stated[0] << 8 | stated[1] == len(message)
        assert [step.last for step in message] == [False] * (len(message) - 1) + [True]
