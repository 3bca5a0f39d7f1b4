"""Classified flow records of random content, for tests of what sends and reads them."""

import random

from hdl.entry_layout import EntryLayout
from hdl.verdict import EndReason, Verdict, VerdictReason
from sim.flow_record import FlowRecord
from sim.identity import Endpoint
from sim.probe import ProbeRecord
from tests.forests import one_tree

__all__ = ["FOREST", "random_record"]

FOREST = one_tree(monitor_only=True)
"""That all records are of."""


def random_record(rng: random.Random, layout: EntryLayout) -> ProbeRecord:
    """A record of either version; its values need not fit one another, but each fits its bits."""

    def side():
        return {accumulator: rng.getrandbits(accumulator.width) for accumulator in layout.accumulators}

    version = rng.choice((4, 6))
    first_ms, last_ms = sorted((rng.getrandbits(32), rng.getrandbits(32)))
    flow = FlowRecord(
        version=version,
        initiator=Endpoint(rng.getrandbits(32 if version == 4 else 128), rng.getrandbits(16)),
        responder=Endpoint(rng.getrandbits(32 if version == 4 else 128), rng.getrandbits(16)),
        initiator_high=rng.random() < 0.5,
        first_ms=first_ms,
        last_ms=last_ms,
        end_reason=rng.choice(list(EndReason)),
        syn=rng.random() < 0.5,
        fin_forward=rng.random() < 0.5,
        fin_response=rng.random() < 0.5,
        closing=rng.random() < 0.5,
        forward=side(),
        response=side(),
    )
    score = rng.randint(-(2**31), 2**31 - 1)
    return ProbeRecord(flow, (), score, rng.choice(list(Verdict)), rng.choice(list(VerdictReason)[:4]), FOREST)
