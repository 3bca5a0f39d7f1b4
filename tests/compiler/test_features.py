"""compiler.features: values of many flows at once are those of each flow."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.features import CATALOGUE, accumulators_of
from hdl.accumulator import COUNT_BITS, PACKETS

ACCUMULATORS = accumulators_of(tuple(CATALOGUE))
FULL = (1 << COUNT_BITS) - 1


@st.composite
def sides(draw):
    """Accumulators of one direction after packets that are all alike; flags in all of them or in none."""
    count = draw(st.sampled_from([0, 1, 2, 3, FULL]) | st.integers(0, FULL))
    operands = {"one": 1, "window": draw(st.integers(0, 65535)), "ttl": draw(st.integers(0, 255))}
    length = draw(st.sampled_from([40, 65535]) | st.integers(40, 65535))
    operands |= {"length": length, "length_squared": length * length}
    raised = draw(st.integers(0, 255))

    def value(accumulator):
        if accumulator.flag is not None and not raised >> accumulator.flag & 1:
            return 0
        times = count if accumulator.operation == "add" else min(count, 1)
        return operands[accumulator.operand] * times

    return {accumulator: value(accumulator) for accumulator in ACCUMULATORS}


@settings(max_examples=100, deadline=None)
@given(
    flows=st.lists(st.tuples(sides(), sides(), st.integers(0, 1 << 40)), min_size=1, max_size=5), spread=st.booleans()
)
def test_values_of_many_flows(flows, spread):
    if spread:
        # Half of the packets long, half short: the largest variance there is.
        for forward, _, _ in flows:
            length_sum = next(a for a in ACCUMULATORS if (a.operation, a.operand, a.flag) == ("add", "length", None))
            squares = next(a for a in ACCUMULATORS if a.operand == "length_squared")
            half = forward[PACKETS] // 2
            forward[length_sum] = half * 65535 + (forward[PACKETS] - half) * 40
            forward[squares] = half * 65535**2 + (forward[PACKETS] - half) * 40**2
    forward, response = (
        {a: np.array([flow[side][a] for flow in flows], np.int64) for a in ACCUMULATORS} for side in (0, 1)
    )
    duration = np.array([flow[2] for flow in flows], np.int64)
    for feature in CATALOGUE.values():
        values = feature.values(forward, response, duration)
        assert values.dtype == np.int64
        assert values.tolist() == [feature.value(*flow) for flow in flows]
